"""Terms that depend on the examples, in the loss of any Keras model."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from ftkeras.regularizers._movable_embeddings import MovableEmbeddings
from ftkeras.support import divergence, keras_compat
from ftkeras.support.gradients import value_and_gradient
from ftkeras.support.in_keras import in_keras

if TYPE_CHECKING:
    from ftkeras.regularizers._base import Regularizer

Tensor = Any


def add_to_loss(
    regularizer: "Regularizer",
    make_step: Callable[..., Any],
    model: keras.Model,
    *,
    activation: str | None,
    teacher: keras.Model | None,
) -> None:
    """Add a regularizer's term to the training loss of a Keras model, or replace the loss by it.

    Args:
        regularizer: called with a step in each training step.
        make_step: builds, from keyword arguments, what the regularizer is called with.
        model: has one output, [batch, outputs].
        activation: what the output is, one of `OUTPUTS`; None for the activation of the last layer.
        teacher: a model of the same inputs and outputs; None if the regularizer reads none.

    Raises:
        ValueError: if the activation is another, or the last layer has none; if the teacher's
            outputs are of another kind; if the regularizer acts on embeddings, and the model has no
            encoder of ours. In the first training step: if linear outputs are to be compared, and
            may be no logits of classes.
    """
    own, term = model.compute_loss, _Term(regularizer, make_step, model, activation, teacher)

    def compute_loss(
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        loss: Any = own(x, y, y_pred, sample_weight, training=training)
        if not training:
            return loss
        if regularizer.replaces_loss:  # what remains are the penalties of layers
            loss -= keras_compat.compiled_loss(model, y, y_pred, sample_weight)
        return loss + ops.cast(term(x, y, y_pred, sample_weight), loss.dtype)

    model.compute_loss = compute_loss
    model.train_function = None


class _Term:
    """The term of a regularizer in a training step of a Keras model; see `add_to_loss`."""

    def __init__(
        self,
        regularizer: "Regularizer",
        make_step: Callable[..., Any],
        model: keras.Model,
        activation: str | None,
        teacher: keras.Model | None,
    ):
        self.regularizer, self.make_step, self.model = regularizer, make_step, model
        self.activation, self.outputs = activation, _outputs(model, activation)
        self.teacher, self.taught = teacher, None
        if teacher is not None:
            self.taught = _taught(teacher, activation, self.outputs, model.name)
        self.embeddings = MovableEmbeddings(in_keras(model)) if regularizer.by_row else None
        self.averaged = _Mean(name="mean")

    def __call__(self, x: Any, y: Any, y_pred: Tensor, sample_weight: Any) -> Tensor:
        logits = self.outputs.to_logits(y_pred)

        def mean(values: Tensor) -> Tensor:
            # As the task's loss: its values are summed over replicas, and masked ones do not count.
            values = keras_compat.with_mask_of(values, y_pred)
            return self.averaged(ops.zeros_like(values), values, sample_weight)

        def forward(offset: Tensor = None) -> Tensor:
            if offset is None or self.embeddings is None:
                return self.outputs.to_logits(self.model(x, training=True))
            with self.embeddings.moved(offset):
                return self.outputs.to_logits(self.model(x, training=True))

        def loss_of(logits: Tensor) -> Tensor:
            outputs = keras_compat.with_mask_of(self.outputs.from_logits(logits), y_pred)
            return keras_compat.compiled_loss(self.model, y, outputs, sample_weight)

        step = self.make_step(
            targets=y,
            logits=logits,
            mean=mean,
            forward=forward,
            loss_of=loss_of,
            value_and_gradient=partial(
                value_and_gradient, scale_loss=self.model.optimizer.scale_loss
            ),
            divergence=self._checked(self.outputs.divergence, y),
            entropy=self._checked(self.outputs.entropy, y),
            soft_loss=self._checked(self.outputs.soft_loss, y),
            **self._of_embeddings(),
            **self._of_teacher(x, logits),
        )
        try:
            return self.regularizer(step)
        finally:
            if self.embeddings is not None:
                self.embeddings.forget()

    def _checked(self, compare: Callable[..., Tensor], targets: Any) -> Callable[..., Tensor]:
        """Return a comparison that refuses linear outputs which may be no logits of classes.

        Softmax would make a single output 1, and compare labels or numbers as if they were classes.
        """
        if self.outputs is not OUTPUTS["linear"]:
            return compare

        def checked(logits: Tensor, *others: Any) -> Tensor:
            is_told = self.activation is not None or _of_classes(targets, logits, self.model.loss)
            if logits.shape[-1] == 1 or not is_told:
                raise ValueError(
                    f"`activation` must tell what the linear outputs of {self.model.name!r} are: "
                    "sigmoid_logits (of labels), numbers, or linear (logits of two classes or "
                    f"more). Received: {self.activation!r}, for outputs {tuple(logits.shape)}."
                )
            return compare(logits, *others)

        return checked

    def _of_embeddings(self) -> dict[str, Any]:
        if self.embeddings is None:
            return {"embedding_shape": None, "padding_mask": None}
        shape = self.embeddings.shape
        return {"embedding_shape": shape, "padding_mask": self.embeddings.padding_mask}

    def _of_teacher(self, x: Any, logits: Tensor) -> dict[str, Tensor]:
        if self.teacher is None or self.taught is None:
            return {}
        answers = self.taught.to_logits(self.teacher(x, training=False))
        probabilities = ops.stop_gradient(self.taught.to_probabilities(answers))
        return {"teacher": probabilities, "taught": ops.ones(ops.shape(logits)[:1])}


class _Mean(keras.losses.Loss):
    """The mean of values, weighted and divided among replicas as Keras's losses are.

    It needs a name: Keras would open a name scope __mean, which TensorFlow refuses.
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return y_pred


@dataclass(frozen=True)
class _Outputs:
    """A kind of outputs of a model, and the functions that compare predictions of that kind."""

    to_logits: Callable[[Tensor], Tensor]
    from_logits: Callable[[Tensor], Tensor]
    kind: str
    to_probabilities: Callable[[Tensor], Tensor]
    divergence: Callable[[Tensor, Tensor], Tensor]
    entropy: Callable[[Tensor], Tensor]
    soft_loss: Callable[[Tensor, Tensor, float], Tensor]


def _outputs(model: keras.Model, activation: str | None) -> _Outputs:
    """Return the kind of the outputs of a model with this activation; None for its last layer's.

    Raises:
        ValueError: the activation is none of `OUTPUTS`, or the last layer has none.
    """
    if activation is None:
        activation = _last_activation(model)
    if activation is None:
        raise ValueError(
            f"`activation` must be one of {', '.join(OUTPUTS)}, because the last layer of "
            f"{model.name!r} doesn't tell what its outputs are. Received: None."
        )
    if activation not in OUTPUTS:
        raise ValueError(
            f"`activation` must be one of {', '.join(OUTPUTS)}. Received: {activation!r}."
        )
    return OUTPUTS[activation]


def _taught(
    teacher: keras.Model, activation: str | None, outputs: _Outputs, student: str
) -> _Outputs:
    """Return the kind of a teacher's outputs, whose last layer may differ from the student's.

    Raises:
        ValueError: the student's are of another kind, or nothing tells what the teacher's are.
    """
    own = _last_activation(teacher)
    if own == "linear" or outputs.kind == "numbers":
        return replace(outputs, to_logits=_same)
    taught = OUTPUTS[own] if own in OUTPUTS else _outputs(teacher, activation)
    if taught.kind != outputs.kind:
        raise ValueError(
            f"`teacher` must have outputs of the same kind as {student!r}: {outputs.kind}; else "
            f"name that model's by `activation`. Received: {taught.kind}, of {teacher.name!r}."
        )
    return taught


def _last_activation(model: keras.Model) -> str | None:
    """Return the activation of the last layer, or of the operation behind it; None for none."""
    operations = getattr(model, "operations", None) or model.layers
    operation = type(operations[-1]).__name__.lower() if operations else ""
    if operation in ("softmax", "sigmoid"):
        return operation
    function = getattr(model.layers[-1], "activation", None) if model.layers else None
    return None if function is None else getattr(function, "__name__", str(function))


def _of_classes(targets: Any, logits: Tensor, loss: Any) -> bool:
    """Return whether the targets are numbers of classes, or one-hot by the loss."""
    shape: tuple[Any, ...] = tuple(getattr(targets, "shape", ()))
    if len(shape) < len(logits.shape) or shape[-1] != logits.shape[-1]:
        return True
    return all(_is_of_one_hot(part) for part in keras.tree.flatten(loss))  # of the one output


def _is_of_one_hot(loss: Any) -> bool:
    function = getattr(loss, "fn", loss)  # of Keras's own, whose name one may choose
    name = getattr(function, "__name__", None) or getattr(function, "name", function)
    return str(name).lower().startswith("categorical")


def _same(outputs: Tensor) -> Tensor:
    return outputs


def _log(p: Tensor) -> Tensor:
    return ops.log(ops.maximum(p, divergence.LEAST))


def _logit(p: Tensor) -> Tensor:
    p = ops.clip(p, divergence.LEAST, 1 - divergence.LEAST)
    return ops.log(p) - ops.log1p(-p)


def _squared_difference(numbers: Tensor, others: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the mean squared difference, [batch], as of a run's numbers; without a temperature."""
    difference = ops.cast(numbers, "float32") - ops.cast(others, "float32")
    return ops.mean(ops.square(difference), axis=-1)


def _no_entropy(numbers: Tensor) -> Tensor:
    raise ValueError(
        "`activation` must be linear, softmax, sigmoid or sigmoid_logits, because numbers have no "
        "entropy. Received: 'numbers'."
    )


CLASSES = {
    "kind": "classes",
    "to_probabilities": ops.softmax,
    "divergence": divergence.symmetric_divergence,
    "entropy": divergence.entropy,
    "soft_loss": divergence.soft_cross_entropy,
}
LABELS = {
    "kind": "labels",
    "to_probabilities": ops.sigmoid,
    "divergence": divergence.symmetric_divergence_of_labels,
    "entropy": divergence.entropy_of_labels,
    "soft_loss": divergence.soft_cross_entropy_of_labels,
}
NUMBERS = {
    "kind": "numbers",
    "to_probabilities": _same,
    "divergence": _squared_difference,
    "entropy": _no_entropy,
    "soft_loss": _squared_difference,
}
OUTPUTS = {
    "linear": _Outputs(_same, _same, **CLASSES),
    "softmax": _Outputs(_log, ops.softmax, **CLASSES),
    "sigmoid": _Outputs(_logit, ops.sigmoid, **LABELS),
    "sigmoid_logits": _Outputs(_same, _same, **LABELS),
    "numbers": _Outputs(_same, _same, **NUMBERS),
}
