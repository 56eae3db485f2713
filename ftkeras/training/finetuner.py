import keras
import tensorflow as tf
from keras import ops


class FineTuner(keras.Model):
    """An encoder with a head: token ids to logits.

    Args:
        encoder: token_ids, padding_mask, segment_ids -> features.
        head: features, padding_mask -> logits.
        pad_id: the id of [PAD]. A text never holds it, so padding is wherever it stands.
        step_of: makes what a regularizer is called with from keyword arguments; None where the
            model has no regularizers.

    `regularizers`, set before compiling, are called in each training step, and what they give is
    added to its loss (or stands in for it, where one `replaces_loss`), the reported one too;
    validation and test losses are the task's alone.

    Call: {"token_ids"} or {"token_ids", "segment_ids"}, int32 [batch, length] -> logits
        [batch, classes].
    """

    def __init__(self, *, encoder, head, pad_id: int, step_of=None, **kwargs):
        super().__init__(name="fine_tuner", **kwargs)
        self.encoder, self.head, self.pad_id, self.step_of = encoder, head, pad_id, step_of
        self.regularizers = ()
        self.accumulate = 1
        # What a policy adds to learn hangs here: a model that was called takes no further layers.
        self.added = keras.layers.Layer(name="added")
        self.added.built = True

    @property
    def kept(self) -> list[keras.Variable]:
        """The encoder's and the head's weights: all that a finished model is made of."""
        return [*self.encoder.weights, *self.head.weights]

    def call(self, inputs, embedding_offset=None, training=False):
        token_ids = inputs["token_ids"]
        padding_mask = ops.not_equal(token_ids, self.pad_id)
        features = self.encoder(
            token_ids,
            padding_mask=padding_mask,
            segment_ids=inputs.get("segment_ids"),
            embedding_offset=embedding_offset,
            training=training,
        )
        return self.head(features, padding_mask, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        def loss_of(logits):
            return keras.Model.compute_loss(self, x, y, logits, sample_weight, training)

        loss = loss_of(y_pred)
        if not training or not self.regularizers:
            return loss
        # A loss under a strategy is each replica's share of the sum over all: so is a term.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        step = self._step(x, y, y_pred, lambda logits: replicas * loss_of(logits))
        terms = sum(term(step) for term in self.regularizers) / replicas
        replaced = any(getattr(term, "replaces_loss", False) for term in self.regularizers)
        return terms if replaced else loss + terms

    def train_step(self, data):
        if self.accumulate == 1:
            return super().train_step(data)
        gradients = self._accumulated(*keras.utils.unpack_x_y_sample_weight(data))
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self.get_metrics_result()

    def _accumulated(self, inputs, labels, weights):
        """The batch's gradients from `accumulate` micro-batches, one after the other.

        A micro-batch counts by its share of the examples, so gradients, loss and metrics are those
        of the whole batch, dropout aside, and the optimizer makes one update. The loop is in the
        graph: memory is one micro-batch's, and the step is traced once however many there are.
        """
        count = ops.shape(labels)[0]
        size = -(-count // self.accumulate)

        def micro_batch(start, sums):
            stop = tf.minimum(start + size, count)
            cut = {name: ids[start:stop] for name, ids in inputs.items()}
            cut_weights = None if weights is None else weights[start:stop]
            share = (stop - start) / count
            gradients = self._gradients(cut, labels[start:stop], cut_weights, share)
            return stop, [total + part for total, part in zip(sums, gradients, strict=True)]

        _, gradients = tf.while_loop(
            lambda start, _: start < count,
            micro_batch,
            (0, [tf.zeros_like(v.value) for v in self.trainable_variables]),
        )
        return gradients

    def _gradients(self, inputs, labels, weights, share):
        examples = ops.shape(labels)[0]
        with tf.GradientTape() as tape:
            logits = self(inputs, training=True)
            loss = self.compute_loss(inputs, labels, logits, weights, training=True)
            scaled = self.optimizer.scale_loss(loss * tf.cast(share, loss.dtype))
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self._loss_tracker.update_state(loss * replicas, sample_weight=examples)
        self.compute_metrics(inputs, labels, logits, sample_weight=weights)
        gradients = tape.gradient(scaled, [v.value for v in self.trainable_variables])
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    def _step(self, inputs, labels, logits, loss_of):
        token_ids = inputs["token_ids"]
        shape = ops.shape(token_ids)
        return self.step_of(
            labels=labels,
            logits=logits,
            forward=lambda offset=None: self(inputs, embedding_offset=offset, training=True),
            loss_of=loss_of,
            value_and_gradient=_value_and_gradient,
            embedding_shape=(shape[0], shape[1], self.encoder.hidden),
            padding_mask=ops.not_equal(token_ids, self.pad_id),
        )


def _value_and_gradient(function, at):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(at)
        value = function(at)
    return value, tape.gradient(value, at)
