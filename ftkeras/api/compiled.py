"""Losses and metrics that a model is compiled with: what they take, and whether it fits."""

import inspect
from typing import Any

import keras

from ftkeras.losses.binary_cross_entropy import BinaryCrossEntropy
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.losses.focal import Focal
from ftkeras.losses.span_cross_entropy import SpanCrossEntropy

_OF_LOGITS = BinaryCrossEntropy | CrossEntropy | Focal | SpanCrossEntropy
# Metrics of Keras that compare a matrix with a matrix, in lower case without underscores.
_OF_MATRICES = (
    *("auc", "binaryaccuracy", "categoricalaccuracy", "topkcategoricalaccuracy"),
    *("categoricalcrossentropy", "f1score", "fbetascore", "r2score", "precision", "recall"),
    *("precisionatrecall", "recallatprecision", "sensitivityatspecificity"),
    *("specificityatsensitivity", "truepositives", "truenegatives", "falsepositives"),
    "falsenegatives",
)
# Activations whose outputs are known to be logits or probabilities. After a log_softmax, for
# example, a loss of logits is right, too.
_ACTIVATIONS = ("linear", "softmax", "sigmoid")


def name_of(loss: Any) -> str:
    """Return the name of a loss, which may be a name, a function or an object; '' of None."""
    loss = _only(loss)
    if loss is None or isinstance(loss, str):
        return loss or ""
    return getattr(loss, "name", None) or getattr(loss, "__name__", "")


def is_of_keras(loss: Any) -> bool:
    """Return whether Keras defines a loss; all but the sparse ones compare arrays of a shape."""
    kind = _kind(_found(loss))
    return getattr(keras.losses, kind.__name__, None) is kind


def takes_numbers(loss: Any) -> bool:
    """Return whether a loss of Keras or of this package takes the numbers of classes."""
    if isinstance(_found(loss), CrossEntropy | Focal):
        return True
    return is_of_keras(loss) and "sparse" in _kind(_found(loss)).__name__.lower()


def check_activation(loss: Any, activation: Any) -> None:
    """Raise ValueError if a loss takes logits and the outputs are probabilities, or the reverse.

    Args:
        loss: what the model is compiled with, or None.
        activation: that of the outputs; empty if they are neither.
    """
    logits, is_linear = _takes_logits(loss), activation == "linear"
    if logits is None or logits == is_linear or activation not in _ACTIVATIONS:
        return
    takes, returns = ("logits", "probabilities") if logits else ("probabilities", "logits")
    remedy = (
        "make the model with activation='linear'" if logits else "use a loss with from_logits=True"
    )
    raise ValueError(
        f"`loss` {name_of(loss)!r} takes {takes}, but the model returns {returns}; {remedy}. "
        f"Received: activation={activation!r}."
    )


def check_metrics(loss: Any, *metrics: Any) -> None:
    """Raise ValueError if a metric needs a matrix, and the loss takes the numbers of classes."""
    if not takes_numbers(loss):
        return
    for metric in filter(None, keras.tree.flatten(metrics)):
        name = metric if isinstance(metric, str) else _name_in_keras(metric)
        if name.replace("_", "").lower() in _OF_MATRICES:
            raise ValueError(
                f"`metrics` must compare numbers of labels, as the loss {name_of(loss)!r} does; "
                f"for {name!r}, use the loss 'categorical_crossentropy' and "
                "pandas.get_dummies(labels)."
            )


def _name_in_keras(metric: Any) -> str:
    """Return the name of a metric's class or function; '' if Keras does not define it."""
    kind = _kind(metric)
    return kind.__name__ if getattr(keras.metrics, kind.__name__, None) is kind else ""


def _takes_logits(loss: Any) -> bool | None:
    """Return whether a loss takes logits; None if it is not known, or takes other numbers."""
    found = _found(loss)
    if isinstance(found, _OF_LOGITS):
        return True
    if not inspect.isfunction(found):
        return getattr(found, "from_logits", None)
    parameter = inspect.signature(found).parameters.get("from_logits")
    return None if parameter is None else bool(parameter.default)


def _only(loss: Any) -> Any:
    """Return a loss, which may be the only one in a list or a dict."""
    losses = keras.tree.flatten(loss)
    return losses[0] if len(losses) == 1 else loss


def _found(loss: Any) -> Any:
    """Return a loss by its name, or as it is."""
    loss = _only(loss)
    return keras.losses.get(loss) if isinstance(loss, str) else loss


def _kind(loss: Any) -> Any:
    """Return a function, or the class of an object."""
    return loss if hasattr(loss, "__name__") else type(loss)
