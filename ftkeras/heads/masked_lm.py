"""The head that predicts masked tokens."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ftkeras.heads._head import Head
from ftkeras.support import bounds
from ftkeras.support.seeds import as_integer

Tensor = Any

ACTIVATIONS = {
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "gelu_new": ops.gelu,
    "gelu_pytorch_tanh": ops.gelu,
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
}


@keras.saving.register_keras_serializable(package="ftkeras")
class MaskedLm(Head):
    """Transform the state of each masked token, and multiply it by all token embeddings.

    logits = norm(activation(state W + b)) E' + c

    E is the encoder's own token embedding, so it is trained both as input and as output. Only W, b,
    c and the normalization are weights of the head. Logits are computed only for the masked tokens.
    If the checkpoint has such a head, it is used.
    Source: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805.

    Args:
        activation: a key of `ACTIVATIONS`; None for that of the encoder's family.
        epsilon: added to the variance; positive, or None for the encoder's.
        biases: whether b and a bias of the normalization exist; None to follow the encoder.
        seed: integer that determines the new kernel, or None.
        name: the name of the layer.
        **kwargs: other arguments of `keras.layers.Layer`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    Call: features, padding_mask -> logits [slots, vocabulary]. The features are "sequence" [batch,
        length, hidden]; "places" [slots], the positions of the masked tokens, counted through
        all rows; and "vocabulary" [vocabulary, embedding].

    >>> import numpy as np
    >>> head = MaskedLm(activation="gelu", epsilon=1e-12, biases=True, seed=1)
    >>> features = {"sequence": np.zeros((2, 3, 8), "float32"), "places": np.array([1, 5])}
    >>> features["vocabulary"] = np.zeros((30, 4), "float32")
    >>> head(features, np.ones((2, 3))).shape
    TensorShape([2, 30])
    """

    needs_pooler, needs_every_token = False, True
    per_token, needs_vocabulary = True, True

    def __init__(
        self,
        *,
        activation: str | None = None,
        epsilon: float | None = None,
        biases: bool | None = None,
        seed: int | None = None,
        name: str = "head",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if activation is not None:
            bounds.choice(ACTIVATIONS, activation=activation)
        if epsilon is not None:
            bounds.positive(epsilon=epsilon)
        if biases is not None:
            bounds.boolean(biases=biases)
        self.activation, self.epsilon, self.biases = activation, epsilon, biases
        self.seed = as_integer(seed)

    def match(self, encoder: Any) -> None:
        """Use the encoder's settings where none were given.

        Args:
            encoder: below the head.
        """
        if self.activation is None:
            names = encoder.family.masked_lm
            self.activation = encoder.activation if names.activation is None else names.activation
        self.epsilon = encoder.epsilon if self.epsilon is None else self.epsilon
        self.biases = encoder.switches.biases if self.biases is None else self.biases

    def build(self, features_shape: Mapping[str, tuple], padding_mask_shape: Any = None) -> None:
        hidden, (rows, width) = features_shape["sequence"][-1], features_shape["vocabulary"]
        normal = keras.initializers.TruncatedNormal(stddev=0.02, seed=self.seed)
        self.kernel = self.add_weight(
            shape=(hidden, width), initializer=normal, name="transform_kernel"
        )
        self.scale = self.add_weight(
            shape=(width,), initializer="ones", name="norm_scale", autocast=False
        )
        self.transform_bias = self.shift = None
        if self.biases:
            zeros = {"shape": (width,), "initializer": "zeros"}
            self.transform_bias = self.add_weight(**zeros, name="transform_bias")
            self.shift = self.add_weight(**zeros, name="norm_bias", autocast=False)
        self.bias = self.add_weight(shape=(rows,), initializer="zeros", name="bias")

    def call(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        states = self.states(features, padding_mask)
        table = ops.cast(features["vocabulary"], states.dtype)
        return ops.add(ops.matmul(states, ops.transpose(table)), self.bias)

    def states(self, features: Mapping[str, Tensor], padding_mask: Tensor) -> Tensor:
        """Return the transformed state of each masked token, [slots, embedding]."""
        sequence = features["sequence"]
        flat = ops.reshape(sequence, (-1, sequence.shape[-1]))
        x = ops.matmul(ops.take(flat, features["places"], axis=0), self.kernel)
        x = x if self.transform_bias is None else ops.add(x, self.transform_bias)
        # Half precision is too coarse for the variance, and for GELU far below 0.
        wide = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        wide = ACTIVATIONS[str(self.activation)](wide)
        mean, variance = ops.moments(wide, axes=-1, keepdims=True)
        wide = (wide - mean) * ops.rsqrt(variance + self.epsilon) * self.scale
        return ops.cast(wide if self.shift is None else wide + self.shift, x.dtype)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("activation", "epsilon", "biases", "seed")}
        return {**super().get_config(), **own}
