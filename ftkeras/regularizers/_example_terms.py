"""Terms that depend on the examples, in the loss of any Keras model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from ftkeras.support import divergence, keras_compat

if TYPE_CHECKING:
    from ftkeras.regularizers._base import Regularizer

Tensor = Any


def add_to_loss(
    regularizer: "Regularizer",
    make_step: Callable[..., Any],
    model: keras.Model,
    activation: str | None,
) -> None:
    """Add a regularizer's term to the training loss of a Keras model.

    Args:
        regularizer: reads the logits, the loss, further passes, divergences and entropies.
        make_step: builds, from keyword arguments, what the regularizer is called with.
        model: has one output, [batch, outputs].
        activation: of the output: "linear", if these are logits, "softmax" or "sigmoid"; None for
            that of the last layer.

    Raises:
        ValueError: if the activation is another, or the last layer has none; or if a regularizer of
            this class was applied before.
    """
    kind = type(regularizer)
    if kind in (applied := getattr(model.compute_loss, "regularizers", ())):
        raise ValueError(
            f"{kind.__name__} was already applied to {model.name!r}, and would be added once more; "
            "make the model anew to change it."
        )
    activation = activation or _last_activation(model)
    to_logits, to_outputs = _conversions(activation)
    apart, undecided = divergence.symmetric_divergence, divergence.entropy
    if activation == "sigmoid":
        apart, undecided = divergence.symmetric_divergence_of_labels, divergence.entropy_of_labels
    own, averaged = model.compute_loss, _Mean(name="mean")

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

        def mean(values: Tensor) -> Tensor:
            # As the task's loss: its values are summed over replicas.
            return averaged(ops.zeros_like(values), values, sample_weight)

        step = make_step(
            targets=y,
            logits=to_logits(y_pred),
            mean=mean,
            forward=lambda: to_logits(model(x, training=True)),
            loss_of=lambda logits: keras_compat.compiled_loss(
                model, y, to_outputs(logits), sample_weight
            ),
            value_and_gradient=None,
            embedding_shape=None,
            padding_mask=None,
            divergence=apart,
            entropy=undecided,
        )
        return loss + ops.cast(regularizer(step), loss.dtype)

    compute_loss.regularizers = (*applied, kind)
    model.compute_loss = compute_loss
    model.train_function = None


class _Mean(keras.losses.Loss):
    """The mean of values, weighted and divided among replicas as Keras's losses are.

    It needs a name: Keras would open a name scope __mean, which TensorFlow refuses.
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return y_pred


def _last_activation(model: keras.Model) -> str:
    """Return the name of the activation of the last layer.

    Raises:
        ValueError: if it has none.
    """
    function = getattr(model.layers[-1], "activation", None) if model.layers else None
    if function is None:
        raise ValueError(
            "`activation` must be linear, softmax or sigmoid, because the last layer of "
            f"{model.name!r} doesn't tell what its outputs are. Received: None."
        )
    return getattr(function, "__name__", str(function))


def _conversions(activation: str) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Return what turns outputs into logits, and what turns these into outputs."""
    if activation == "linear":
        return (lambda outputs: outputs), (lambda logits: logits)
    if activation == "softmax":
        return (lambda p: ops.log(ops.maximum(p, divergence.LEAST))), ops.softmax
    if activation == "sigmoid":
        return _logit, ops.sigmoid
    raise ValueError(f"`activation` must be linear, softmax or sigmoid. Received: {activation!r}.")


def _logit(p: Tensor) -> Tensor:
    p = ops.clip(p, divergence.LEAST, 1 - divergence.LEAST)
    return ops.log(p) - ops.log1p(-p)
