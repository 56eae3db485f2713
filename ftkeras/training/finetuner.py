import keras
import tensorflow as tf
from keras import ops

from ftkeras.training._replicated import ReplicatedModel
from ftkeras.training._shared_layers import SharedLayers


class FineTuner(ReplicatedModel):
    """An encoder with a head: token ids to logits.

    Args:
        encoder: token_ids, padding_mask, segment_ids -> features.
        head: features, padding_mask -> logits.
        pad_id: the id of [PAD]. A text never holds it, so padding is wherever it stands.
        step_of: makes what a regularizer is called with from keyword arguments; None where the
            model has no regularizers.
        measures: metrics beside the loss; they take labels, logits, and a sample_weight that is 0
            where no example stands.
        regularizers: called in each training step; their terms are added to the loss (or replace
            it, if one has `replaces_loss`), also to the reported one. Validation and test losses
            are the task's alone.

    A label below 0 says that no example stands there, as where a batch has a fixed shape: it counts
    in no loss and no metric. Losses are means over the examples of all replicas.

    With `accumulate` above 1, what it trains on holds so many micro-batches on a leading axis.

    Call: {"token_ids"} or {"token_ids", "segment_ids"}, int32 [batch, length] -> logits
        [batch, classes]; with "starts", int32 [batch, texts], where a row's texts begin, logits
        [batch * texts, classes]. {"vector"}, float32 [texts, hidden], what `text_vectors` gives,
        -> logits [texts, classes]: the encoder runs no more, only its pooler, where it has one.
    """

    def __init__(
        self,
        *,
        encoder,
        head,
        pad_id: int,
        step_of=None,
        measures=(),
        regularizers=(),
        **kwargs,
    ):
        super().__init__(name="fine_tuner", **kwargs)
        self.encoder, self.head, self.pad_id, self.step_of = encoder, head, pad_id, step_of
        encoder.hooks.set_runner(SharedLayers(encoder.blocks))
        # In float64 the sums are exact, so the mean is the same whatever they were added up from.
        self.mean_loss = keras.metrics.Mean(name="loss", dtype="float64")
        self.measures = list(measures)
        self.regularizers = tuple(regularizers)
        self.accumulate = 1
        # What a policy adds hangs here: a model that was called takes no further layers.
        # `added` stays part of the model, `scaffold` is folded into it when training ends.
        self.added, self.scaffold = (keras.layers.Layer(name=n) for n in ("added", "scaffold"))
        self.added.built = self.scaffold.built = True
        # Not by Keras, which would run the network twice to see what is missing.
        self.build()

    def build(self, input_shape=None):
        """Makes the head's variables; the encoder has its own."""
        hidden = self.encoder.hidden
        self.head.build({"first": (None, hidden), "sequence": (None, None, hidden)})

    @property
    def kept(self) -> list[keras.Variable]:
        """All that a finished model is made of: the encoder, the head, and what policies leave."""
        return [*self.encoder.weights, *self.head.weights, *self.added.weights]

    def compute_in_float32(self) -> None:
        """Has all layers compute in float32 from now on, whatever they were made for."""
        for layer in self._flatten_layers():
            layer.dtype_policy = "float32"
        self.train_function = self.test_function = self.predict_function = None

    def call(self, inputs, embedding_offset=None, training=False):
        features, padding_mask = self._features(inputs, embedding_offset, training)
        return self.head(features, padding_mask, training=training)

    def text_vectors(self, inputs):
        """What head or pooler read of each text: float32 [texts, hidden], whatever it was made in.

        Of half precision it is every bit.
        """
        return ops.cast(self.head.text_vectors(*self._features(inputs)), "float32")

    def _features(self, inputs, embedding_offset=None, training=False):
        """What the head takes: features, and the padding mask that is theirs."""
        if "vector" in inputs:
            vector = inputs["vector"]
            pooled = {"pooled": self.encoder.pool(vector)} if self.head.needs_pooler else {}
            return {"vector": vector, **pooled}, None
        token_ids = inputs["token_ids"]
        padding_mask = ops.not_equal(token_ids, self.pad_id)
        packing = {"starts": inputs["starts"]} if "starts" in inputs else {}
        features = self.encoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=inputs.get("segment_ids"),
            embedding_offset=embedding_offset,
            every_token=self.head.needs_every_token,
            training=training,
            **packing,
        )
        return features, padding_mask

    def compile(self, *, optimizer, loss, jit_compile=False, **kwargs):
        """As Keras's; the loss's `call` gives a figure an example; to measure, no optimizer."""
        super().compile(optimizer=optimizer, jit_compile=False, **kwargs)
        # Not by its setter, which refuses XLA where ops are to be deterministic, as XLA's are.
        self._jit_compile = jit_compile
        self.loss = loss

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What an epoch's line shows; Keras resets it at each epoch's beginning."""
        return [self.mean_loss, *self.measures]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean over the examples that are there, in training with the regularizers' terms."""
        there = is_there(y)

        def mean(figures):
            wide = ops.cast(figures, keras.backend.result_type(figures.dtype, "float32"))
            count = ops.maximum(ops.sum(ops.cast(there, wide.dtype)), 1)
            return ops.sum(ops.where(there, wide, ops.zeros_like(wide))) / count

        def loss_of(logits):
            figures = self.loss.call(ops.maximum(y, 0), logits)
            return mean(figures if sample_weight is None else figures * sample_weight)

        terms = []
        if training and self.regularizers:
            step = self._step(x, y, y_pred, loss_of, mean)
            terms = [term(step) for term in self.regularizers]
        replaced = training and any(term.replaces_loss for term in self.regularizers)
        return sum(terms) if replaced else loss_of(y_pred) + sum(terms)

    def train_step(self, data):
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        count = _over_replicas(_examples(labels))
        accumulated = self._gradients if self.accumulate == 1 else self._accumulated
        gradients = accumulated(inputs, labels, weights, count)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self.get_metrics_result()

    def test_step(self, data):
        inputs, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        logits = self(inputs, training=False)
        loss = self.compute_loss(inputs, labels, logits, weights, training=False)
        self._measure(labels, logits, loss)
        return self.get_metrics_result()

    def _accumulated(self, inputs, labels, weights, count):
        """The batch's gradients from `accumulate` micro-batches, one after the other.

        They stand on the leading axis. One counts by its share of the examples, so gradients, loss
        and metrics are those of the whole batch, dropout aside, and the optimizer makes one update.
        The loop is in the graph: memory is one micro-batch's, and the step is traced once however
        many there are.
        """
        batch = (inputs, labels, weights)

        def micro_batch(number, sums):
            own = tf.nest.map_structure(lambda x: None if x is None else x[number], batch)
            dense = [tf.convert_to_tensor(g) for g in self._gradients(*own, count)]
            return number + 1, [total + part for total, part in zip(sums, dense, strict=True)]

        _, gradients = tf.while_loop(
            lambda number, _: number < self.accumulate,
            micro_batch,
            (0, [tf.zeros_like(v.value) for v in self.trainable_variables]),
        )
        return gradients

    def _gradients(self, inputs, labels, weights, count):
        """What these examples add to the gradients of the mean over all `count`, on every replica.

        The terms that are no mean over examples count by the same share, so once in all.
        """
        variables = [v.value for v in self.trainable_variables]
        # Keras's own tape watches what is frozen too, which doubles the ops of a step.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            logits = self(inputs, training=True)
            loss = self.compute_loss(inputs, labels, logits, weights, training=True)
            share = tf.cast(_examples(labels) / count, loss.dtype)
            scaled = self.optimizer.scale_loss(loss * share)
        self._measure(labels, logits, loss)
        return tape.gradient(scaled, variables)

    def _measure(self, labels, logits, loss):
        examples = _examples(labels)
        if getattr(self.optimizer, "skips", False):  # one skipped must not spoil an epoch's mean
            finite = tf.math.is_finite(loss)
            loss, examples = tf.where(finite, loss, 0.0), tf.where(finite, examples, 0.0)
        self.mean_loss.update_state(loss, sample_weight=examples)
        there = ops.cast(is_there(labels), "float32")
        for measure in self.measures:
            measure.update_state(labels, logits, sample_weight=there)

    def _step(self, inputs, labels, logits, loss_of, mean):
        token_ids = inputs.get("token_ids")  # not there where the encoder runs no more
        masked = token_ids is not None
        return self.step_of(
            labels=labels,
            logits=logits,
            mean=mean,
            forward=lambda offset=None: self(inputs, embedding_offset=offset, training=True),
            loss_of=loss_of,
            value_and_gradient=_value_and_gradient,
            embedding_shape=(*ops.shape(token_ids), self.encoder.hidden) if masked else None,
            padding_mask=ops.not_equal(token_ids, self.pad_id) if masked else None,
        )


def is_there(labels):
    """[examples], false where a batch of a fixed shape holds no example."""
    return ops.greater_equal(labels, 0)


def _examples(labels):
    return ops.sum(ops.cast(is_there(labels), "float32"))


def _over_replicas(count):
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return count
    return context.all_reduce(tf.distribute.ReduceOp.SUM, count)


def _value_and_gradient(function, at):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    return value, tape.gradient(value, at)
