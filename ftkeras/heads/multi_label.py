"""The multi-label head."""

import keras

from ftkeras.heads._dense import Dense


@keras.saving.register_keras_serializable(package="ftkeras")
class MultiLabel(Dense):
    """Dropout and one dense layer with one logit per label.

    logits = dropout(vector) · kernel + bias,     p = sigmoid(logits)

    The vector is the encoder's pooler output (`pooled`), the last hidden state of [CLS] (`cls`), or
    the mean of the last hidden states of all tokens except padding (`mean`).
    Source: transformers' sequence classifiers with problem_type="multi_label_classification".

    Args:
        outputs: the number of labels; at least 1.
        dropout: dropout rate of the vector in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: as `Regression`; the logits are [batch, outputs], before the sigmoid.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = MultiLabel(outputs=5, pooling="cls", seed=1)
    >>> head({"first": np.zeros((3, 8), "float32")}, np.ones((3, 5))).shape
    TensorShape([3, 5])
    """
