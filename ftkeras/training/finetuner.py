"""The model that is trained: an encoder with a head."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ftkeras.optimizers import Optimizer
from ftkeras.privacy import Mechanism
from ftkeras.support import bounds, keras_compat
from ftkeras.support.gradients import value_and_gradient
from ftkeras.training._replicated import ReplicatedModel
from ftkeras.training._shared_layers import SharedLayers
from ftkeras.training.per_example import private_gradients

Tensor = Any


class FineTuner(ReplicatedModel):
    """An encoder with a head: token ids to logits.

    The answers of a batch are {"targets": [positions, …], "example_mask": bool [positions]}; or
    targets alone, if each position has an example. A position without one, as in a batch of fixed
    shape, counts in no loss and no metric. Losses are means over the examples of all replicas.
    With a teacher, they also are its answers, "teacher" [positions, …], with their weights "taught"
    [positions], and "labelled", bool [positions]: false for an example without a target, which
    counts in these means, but has no loss and no metric.

    Args:
        encoder: (token_ids, padding_mask, segment_ids) -> features.
        head: (features, padding_mask) -> logits.
        pad_id: id of [PAD]. A text never contains it, so every such token is padding.
        make_step: builds, from keyword arguments, the object that a regularizer is called with.
        condense: targets, logits -> what `predict` returns instead of logits that are too large to
            keep, [rows, …]; None for the logits.
        extra_metrics: metrics beside the loss. They take targets, logits, and a `sample_weight`
            that is 0 where there is no example.
        regularizers: called in each training step. Their terms are added to the loss (or replace
            it, if one has `replaces_loss`), also to the reported one. Validation and test losses
            are the task's alone.

    Call:
        inputs: {"token_ids"} or {"token_ids", "segment_ids"}, int32 [batch, length], gives logits
            [batch, classes]. With "starts", int32 [batch, texts], the first position of each text
            in a row, it gives logits [batch * texts, classes]. {"vector"}, float32 [texts, hidden]
            as `text_vectors` returns it, gives logits [texts, classes] without running the encoder
            (except its pooler, if the head needs it). A head that answers tokens gives logits
            [batch * length, classes]; or [texts, length, outputs], if the answer to a text is in
            the logits of all its tokens. With "places", int32 [slots], the places of masked tokens
            counted through all rows, it gives logits [slots, vocabulary].
    """

    def __init__(
        self,
        *,
        encoder: Any,
        head: Any,
        pad_id: int,
        make_step: Callable[..., Any] = dict,
        condense: Callable[[Tensor, Tensor], Tensor] | None = None,
        extra_metrics: Sequence[keras.metrics.Metric] = (),
        regularizers: Sequence[Any] = (),
        **kwargs,
    ):
        super().__init__(name="fine_tuner", **kwargs)
        self.encoder, self.head, self.pad_id = encoder, head, pad_id
        self.make_step, self.condense = make_step, condense
        # In float64 the sums are exact, so the mean does not depend on their order.
        self.mean_loss = keras.metrics.Mean(name="loss", dtype="float64")
        self.extra_metrics = list(extra_metrics)
        self.regularizers = tuple(regularizers)
        # Policies add their layers to these, because a model that was called takes no new layers.
        # `added` stays part of the model; `scaffold` is merged into it when training ends.
        self.added, self.scaffold = (keras.layers.Layer(name=n) for n in ("added", "scaffold"))
        self.added.built = self.scaffold.built = True
        # Keras would build by running the network twice.
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Create the head's variables; the encoder already has its own."""
        hidden = self.encoder.hidden
        shapes = {"first": (None, hidden), "sequence": (None, None, hidden)}
        if self.head.needs_vocabulary:
            self.head.match(self.encoder)
            shapes["vocabulary"] = tuple(self.encoder.token_embedding.shape)
        self.head.build(shapes)

    @property
    def saved_variables(self) -> list[keras.Variable]:
        """The variables of a finished model: of the encoder, the head and what policies added."""
        return [*self.encoder.weights, *self.head.weights, *self.added.weights]

    def compute_in_float32(self) -> None:
        """Make all layers compute in float32 from now on."""
        for layer in keras_compat.all_layers(self):
            layer.dtype_policy = "float32"
        self.train_function = self.test_function = self.predict_function = None

    def call(
        self, inputs: dict[str, Tensor], embedding_offset: Tensor = None, training: bool = False
    ) -> Tensor:
        features, padding_mask = self.features(inputs, embedding_offset, training)
        logits = self.head(features, padding_mask, training=training)
        is_flat = self.head.per_token and not self.head.whole_texts
        return ops.reshape(logits, (-1, logits.shape[-1])) if is_flat else logits

    def predict_step(self, data: Any) -> Tensor:
        """Return logits [rows, outputs], of tokens one after the other if the head answers them."""
        logits = super().predict_step(data)
        if self.condense is not None:
            answers = keras.utils.unpack_x_y_sample_weight(data)[1]
            logits = self.condense(targets_and_mask(answers)[0], logits)
        return ops.reshape(logits, (-1, logits.shape[-1]))

    def text_vectors(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return the vector of each text that the head or pooler reads, float32 [texts, hidden].

        Half-precision values are converted without loss.
        """
        return ops.cast(self.head.text_vectors(*self.features(inputs)), "float32")

    def features(
        self, inputs: dict[str, Tensor], embedding_offset: Tensor = None, training: bool = False
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the head's arguments: features and their padding mask."""
        if "vector" in inputs:
            vector = inputs["vector"]
            pooled = {"pooled": self.encoder.pooled(vector)} if self.head.needs_pooler else {}
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
        if self.head.needs_vocabulary:
            features["vocabulary"] = self.encoder.token_embedding
            features["places"] = inputs["places"]
        return features, padding_mask

    def compile(
        self,
        *,
        optimizer: Optimizer | None,
        loss: keras.losses.Loss,
        training_loss: keras.losses.Loss | None = None,
        accumulate: int = 1,
        private: Mechanism | None = None,
        jit_compile: bool = False,
        **kwargs,
    ) -> None:
        """Configure training and evaluation.

        Args:
            optimizer: one of `ftkeras.optimizers`; None to evaluate only.
            loss: its `call` returns one value for each example.
            training_loss: the same, minimized instead of `loss`, which is then for evaluation.
            accumulate: micro-batches in a batch, on a leading axis; at least 1.
            private: what bounds the gradient of each example, and adds noise; None for an ordinary
                step. The examples of a batch are then on a leading axis.
            jit_compile: whether XLA compiles the step.
            kwargs: Keras's other arguments.
        """
        bounds.integer(1, accumulate=accumulate)
        super().compile(optimizer=optimizer, jit_compile=False, **kwargs)
        self.set_jit_compile(jit_compile)
        # XLA would compile each step again: it takes what a function hands to its gradient, such as
        # a permutation of axes, for a number that depends on the function's inputs.
        shared = None if jit_compile else SharedLayers(self.encoder.blocks)
        self.encoder.hooks.set_runner(shared)
        self.loss, self.training_loss = loss, training_loss or loss
        self.accumulate, self.private = accumulate, private

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The metrics of an epoch, which Keras resets when the next one begins."""
        return [self.mean_loss, *self.extra_metrics]

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """Return the mean loss over the examples; in training with the regularizers' terms."""
        targets, mask = targets_and_mask(y)
        labelled = _optional(y, "labelled")

        def mean(values):
            wide = ops.cast(values, keras.backend.result_type(values.dtype, "float32"))
            count = ops.maximum(ops.sum(ops.cast(mask, wide.dtype)), 1)
            return ops.sum(ops.where(mask, wide, ops.zeros_like(wide))) / count

        loss = self.training_loss if training else self.loss

        def loss_of(logits):
            losses = loss.call(targets, logits)
            if labelled is not None:
                losses = ops.where(labelled, losses, ops.zeros_like(losses))
            return mean(losses if sample_weight is None else losses * sample_weight)

        terms = []
        if training and self.regularizers:
            step = self._step(x, y, y_pred, loss_of, mean)
            terms = [regularizer(step) for regularizer in self.regularizers]
        replaced = training and any(r.replaces_loss for r in self.regularizers)
        return sum(terms) if replaced else loss_of(y_pred) + sum(terms)

    def train_step(self, data: Any) -> dict[str, Tensor]:
        inputs, answers, weights = keras.utils.unpack_x_y_sample_weight(data)
        if self.private is not None:
            gradients = private_gradients(self, inputs, answers, self.private)
        else:
            # A batch may have no example. Then the terms beside the loss count 0, too.
            count = ops.maximum(_sum_over_replicas(_count_examples(answers)), 1)
            compute = self._gradients if self.accumulate == 1 else self._accumulated_gradients
            gradients = compute(inputs, answers, weights, count)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict[str, Tensor]:
        inputs, answers, weights = keras.utils.unpack_x_y_sample_weight(data)
        logits = self(inputs, training=False)
        loss = self.compute_loss(inputs, answers, logits, weights, training=False)
        self._update_metrics(answers, logits, loss)
        return self.get_metrics_result()

    def example_gradients(self, inputs: dict[str, Tensor], answers: Any) -> list[Any]:
        """Return the gradients of one example's mean loss; those of embeddings by their rows."""
        return self._gradients(inputs, answers, None, ops.maximum(_count_examples(answers), 1))

    def _accumulated_gradients(
        self, inputs: dict[str, Tensor], answers: Any, weights: Tensor, count: Tensor
    ) -> list[Tensor]:
        """Return the gradients of a batch, summed over the micro-batches on its leading axis.

        Each micro-batch counts by its share of the examples. So gradients, loss and metrics equal
        those of the whole batch, except for dropout, and the optimizer makes one update. The loop
        is in the graph: it needs the memory of one micro-batch, and is traced once.
        """
        batch = (inputs, answers, weights)

        def add_micro_batch(number, sums):
            x, y, w = tf.nest.map_structure(lambda x: None if x is None else x[number], batch)
            dense = [tf.convert_to_tensor(g) for g in self._gradients(x, y, w, count)]
            return number + 1, [total + part for total, part in zip(sums, dense, strict=True)]

        _, gradients = tf.while_loop(
            lambda number, _: number < self.accumulate,
            add_micro_batch,
            (0, [tf.zeros_like(v.value) for v in self.trainable_variables]),
        )
        return gradients

    def _gradients(
        self, inputs: dict[str, Tensor], answers: Any, weights: Tensor, count: Tensor
    ) -> list[Tensor]:
        """Return these examples' share of the gradients of the mean over all `count` examples.

        `count` is over all replicas and micro-batches. Terms that are no mean over examples are
        weighted by the same share, so that they count once in total.
        """
        variables = [v.value for v in self.trainable_variables]
        # Keras's own tape also watches frozen variables, which doubles the ops of a step.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            logits = self(inputs, training=True)
            loss: Tensor = self.compute_loss(inputs, answers, logits, weights, training=True)
            share = tf.cast(_count_examples(answers) / count, loss.dtype)
            scaled = self.optimizer.scale_loss(loss * share)
        self._update_metrics(answers, logits, loss)
        return tape.gradient(scaled, variables)

    def _update_metrics(self, answers: Any, logits: Tensor, loss: Tensor) -> None:
        examples = _count_examples(answers)
        if self.optimizer is not None and self.optimizer.skip_nonfinite:
            # A skipped step must not spoil an epoch's mean.
            finite = tf.math.is_finite(loss)
            loss, examples = tf.where(finite, loss, 0.0), tf.where(finite, examples, 0.0)
        self.mean_loss.update_state(loss, sample_weight=examples)
        targets, mask = targets_and_mask(answers)
        if (labelled := _optional(answers, "labelled")) is not None:
            mask = ops.logical_and(mask, labelled)
        for metric in self.extra_metrics:
            metric.update_state(targets, logits, sample_weight=ops.cast(mask, "float32"))

    def _step(
        self,
        inputs: dict[str, Tensor],
        answers: Any,
        logits: Tensor,
        loss_of: Callable[[Tensor], Tensor],
        mean: Callable[[Tensor], Tensor],
    ) -> Any:
        """Return the arguments of the regularizers."""
        token_ids = inputs.get("token_ids")  # missing if the inputs are text vectors
        has_tokens = token_ids is not None
        return self.make_step(
            targets=targets_and_mask(answers)[0],
            teacher=_optional(answers, "teacher"),
            taught=_optional(answers, "taught"),
            logits=logits,
            mean=mean,
            forward=lambda offset=None: self(inputs, embedding_offset=offset, training=True),
            loss_of=loss_of,
            value_and_gradient=partial(value_and_gradient, scale_loss=self.optimizer.scale_loss),
            embedding_shape=(*ops.shape(token_ids), self.encoder.embedding) if has_tokens else None,
            padding_mask=ops.not_equal(token_ids, self.pad_id) if has_tokens else None,
            inputs=inputs,
        )


def targets_and_mask(answers: Any) -> tuple[Tensor, Tensor]:
    """Return the targets of a batch, and a mask that is false where it holds no example."""
    if isinstance(answers, Mapping):
        return answers["targets"], answers["example_mask"]
    return answers, ops.ones(ops.shape(answers)[:1], "bool")


def _optional(answers: Any, name: str) -> Tensor:
    """Return an entry of a batch beside its targets; None if it has none of this name."""
    return answers.get(name) if isinstance(answers, Mapping) else None


def _count_examples(answers: Any) -> Tensor:
    return ops.sum(ops.cast(targets_and_mask(answers)[1], "float32"))


def _sum_over_replicas(count: Tensor) -> Tensor:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return count
    return context.all_reduce(tf.distribute.ReduceOp.SUM, count)
