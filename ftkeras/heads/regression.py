"""The regression head."""

import keras

from ftkeras.heads._dense import Dense


@keras.saving.register_keras_serializable(package="ftkeras")
class Regression(Dense):
    """Dropout and one dense layer on a vector that represents the text.

    outputs = dropout(vector) · kernel + bias

    The vector is the encoder's pooler output (`pooled`), the last hidden state of [CLS] (`cls`), or
    the mean of the last hidden states of all tokens except padding (`mean`).
    Source: Devlin et al., 2019, section 4.1, https://arxiv.org/abs/1810.04805.

    Args:
        outputs: how many numbers to predict; at least 1.
        dropout: dropout rate of the vector in training; at least 0, below 1.
        pooling: pooled, cls or mean.
        seed: integer that determines the new kernel and the dropout, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: features, padding_mask [batch, length] -> outputs [batch, outputs]. The features of packed
        rows, which have "membership", give [batch * texts, outputs]. Features may consist of
        "vector" [batch, hidden] alone, the result of `text_vectors`; `pooled` then also needs
        "pooled".

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> import numpy as np
    >>> head = Regression(outputs=2, pooling="cls", seed=1)
    >>> head({"first": np.zeros((3, 8), "float32")}, np.ones((3, 5))).shape
    TensorShape([3, 2])
    """
