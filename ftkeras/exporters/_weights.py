"""Store a model's weights for an export: unchanged, in half precision, or as 8-bit integers.

In half precision, the model may also be computed.
"""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from ftkeras.exporters._int8 import quantize
from ftkeras.support.keras_compat import all_layers, is_autocast
from ftkeras.training.finetuner import FineTuner

DTYPES = ("float32", "bfloat16", "float16")


class Whole(tf.Module):
    """A weight that is stored unchanged.

    Args:
        value: float32, of any shape.
    """

    def __init__(self, value: tf.Tensor):
        super().__init__()
        self.stored = tf.Variable(value, trainable=False)

    def value(self) -> tf.Tensor:
        """Return the weight as float32."""
        return tf.convert_to_tensor(self.stored)

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Return rows of a table, float32 [*ids, width]."""
        return tf.gather(self.stored, ids)


class Half(Whole):
    """A weight that is rounded to half precision.

    Args:
        value: float32, of any shape.
        dtype: float16 or bfloat16.
        compute: The type of `value`: float32 or `dtype`.
    """

    def __init__(self, value: tf.Tensor, dtype: str, compute: str = "float32"):
        super().__init__(tf.cast(value, dtype))
        self._compute = compute

    def value(self) -> tf.Tensor:
        """Return the weight as it is computed with."""
        return tf.cast(tf.convert_to_tensor(self.stored), self._compute)

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Return rows of a table, float32 [*ids, width]; no others are cast."""
        return tf.cast(tf.gather(self.stored, ids), tf.float32)


class Int8(Whole):
    """A matrix that is stored as 8-bit integers, with a scale for each channel; see `quantize`.

    Args:
        value: float32 [rows, columns].
        by_row: Whether the channels are the rows.
    """

    def __init__(self, value: tf.Tensor, *, by_row: bool):
        integers, scale = quantize(np.asarray(value), by_row=by_row)
        super().__init__(tf.constant(integers))
        self.scale = tf.Variable(tf.constant(scale), trainable=False)

    def value(self) -> tf.Tensor:
        """Return the matrix as float32 [rows, columns]."""
        return tf.cast(self.stored, tf.float32) * self.scale

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Return rows of a table stored by row, float32 [*ids, columns]; no others are computed."""
        return tf.cast(tf.gather(self.stored, ids), tf.float32) * tf.gather(self.scale, ids)


class Weights(tf.Module):
    """All weights of a finished model, and the model called with them.

    Args:
        model: Its weights are copied; it stays unchanged.
        dtype: The type that weights are stored in: float32, bfloat16 or float16.
        quantization: "int8" to store all matrices as 8-bit integers, or None.
        compute: The type that the model is computed in: float32; or `dtype`, if that is half
            precision.
    """

    def __init__(
        self,
        model: FineTuner,
        *,
        dtype: str = "float32",
        quantization: str | None = None,
        compute: str = "float32",
    ):
        super().__init__(name="weights")
        self._compute = compute
        variables, table = list(model.saved_variables), model.encoder.embeddings.token
        # In a function, as tf.Module would track an attribute and save the Keras model as well.
        self._model = lambda: (model, variables)

        def stored(variable: keras.Variable) -> Whole:
            value = tf.cast(tf.convert_to_tensor(variable.value), tf.float32)
            if compute != "float32" and not (variable is table or is_autocast(variable)):
                return Whole(value)  # a layer uses it in float32
            if quantization and len(variable.shape) == 2:
                return Int8(value, by_row=variable.path.endswith("_embedding"))
            return Whole(value) if dtype == "float32" else Half(value, dtype, compute)

        self.parts = [stored(variable) for variable in variables]
        self._table = next(i for i, v in enumerate(variables) if v is table)

    def embed(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Return token embeddings, float32 [batch, length, hidden]."""
        return self.parts[self._table].rows(token_ids)

    def __call__(
        self, inputs: dict[str, tf.Tensor], embedding_offset: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return logits, float32 [batch, classes], and the head's input, float32 [batch, hidden].

        If the head answers tokens, they are [batch, length, classes] and [batch, length, hidden].

        Args:
            inputs: `token_ids` and maybe `segment_ids`, int32 [batch, length].
            embedding_offset: Added to the embeddings, float32 [batch, length, hidden], or None.
        """
        (model, _), token_ids = self._model(), inputs["token_ids"]
        mask = tf.not_equal(token_ids, model.pad_id)
        with self._substituted(token_ids) as row_numbers:
            features = model.encoder(
                row_numbers,
                padding_mask=mask,
                segment_ids=inputs.get("segment_ids"),
                embedding_offset=embedding_offset,
                every_token=model.head.needs_every_token,
                training=False,
            )
            logits = model.head(features, mask, training=False)
            states = model.head.states(features, mask)
        return tf.cast(logits, tf.float32), tf.cast(states, tf.float32)

    @contextlib.contextmanager
    def _substituted(self, token_ids: tf.Tensor) -> Iterator[tf.Tensor]:
        """Let the model's layers use the stored weights; yield the ids to call them with.

        The table of token embeddings is replaced by the rows that are looked up, one after the
        other, so that no other rows need to be cast. The ids count those rows.
        """
        model, variables = self._model()
        flat, scope = tf.reshape(token_ids, [-1]), keras.StatelessScope()
        for number, (variable, part) in enumerate(zip(variables, self.parts, strict=True)):
            # Not through the scope's argument, which casts to float32, and checks the shape: this
            # table has fewer rows.
            is_table = number == self._table
            scope.state_mapping[id(variable)] = part.rows(flat) if is_table else part.value()
        with scope, _computed_in(self._compute, model):
            yield tf.reshape(tf.range(tf.size(flat)), tf.shape(token_ids))


@contextlib.contextmanager
def _computed_in(dtype: str, model: FineTuner) -> Iterator[None]:
    """Let all layers compute in a type; what needs float32, such as a softmax, keeps it."""
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    before = [(layer, layer.dtype_policy) for layer in all_layers(model)]
    try:
        for layer, _ in before:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, own in before:
            layer.dtype_policy = own
