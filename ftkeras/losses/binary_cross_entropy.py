import keras
from keras import ops


@keras.saving.register_keras_serializable(package="ftkeras")
class BinaryCrossEntropy(keras.losses.Loss):
    """Cross-entropy of one sigmoid output, for two classes.

    L = -(t log y + (1 - t) log(1 - y)),     y = sigmoid(z), z = logits[1] - logits[0]

    with t the label, 0 or 1. A head gives a logit a class; their difference is the one logit of a
    sigmoid, and y what softmax gives class 1. Computed as softplus(z) - t z, which stays finite.

    Args:
        classes: how many classes the run has, as it hands in; 2.

    Call: labels, integer [batch]; logits [batch, 2] -> loss, float32 scalar (), the mean.

    Raises:
        ValueError: classes that are not two.

    >>> import numpy as np
    >>> loss = BinaryCrossEntropy()(np.array([1]), np.array([[0.0, 0.0]], "float32"))
    >>> print(f"{float(loss):.4f}")
    0.6931
    """

    def __init__(self, *, classes: int | None = None, name: str = "binary_cross_entropy"):
        if classes is not None:
            _must_be_two(classes)
        super().__init__(name=name, reduction="sum_over_batch_size")
        self.classes = classes

    def call(self, y_true, y_pred):
        _must_be_two(y_pred.shape[-1])
        logits = ops.cast(y_pred, "float32")
        z = logits[..., 1] - logits[..., 0]
        return ops.softplus(z) - ops.cast(y_true, "float32") * z

    def get_config(self):
        return {"classes": self.classes, "name": self.name}


def _must_be_two(classes):
    if classes != 2:
        raise ValueError(
            f"`classes` must be 2; cross_entropy takes any number. Received: {classes}."
        )
