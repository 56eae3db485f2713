"""A finished model's weights as an export stores them: whole, in half precision, or in bytes."""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

DTYPES = ("float32", "bfloat16", "float16")
LARGEST = 127  # symmetric: -128 is not used


class Whole(tf.Module):
    """A weight as it is."""

    def __init__(self, value: tf.Tensor):
        super().__init__()
        self.stored = tf.Variable(value, trainable=False)

    def value(self) -> tf.Tensor:
        """float32, shaped as the weight."""
        return tf.convert_to_tensor(self.stored)

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Rows of a table, float32 [*ids, width]."""
        return tf.gather(self.stored, ids)


class Half(Whole):
    """A weight rounded to a half precision type, cast back where it is used."""

    def __init__(self, value: tf.Tensor, dtype: str):
        super().__init__(tf.cast(value, dtype))

    def value(self) -> tf.Tensor:
        """float32, shaped as the weight."""
        return tf.cast(self.stored, tf.float32)

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Rows of a table, float32 [*ids, width]; only these are cast."""
        return tf.cast(tf.gather(self.stored, ids), tf.float32)


class Int8(Whole):
    """A matrix in bytes, with a scale for each channel.

    q = round(w / s),  s = max |w| / 127 over the channel;  w ~ q s

    Symmetric, so that 0 stays 0. A channel is an output of a kernel, and a row of a table, which is
    looked up by rows. Source: Jacob et al., 2018, https://arxiv.org/abs/1712.05877; Krishnamoorthi,
    2018, https://arxiv.org/abs/1806.08342, section 2.

    Args:
        value: float32 [rows, columns].
        by_row: whether the channels are the rows.
    """

    def __init__(self, value: tf.Tensor, *, by_row: bool):
        most = tf.reduce_max(tf.abs(value), axis=1 if by_row else 0, keepdims=True)
        scale = tf.where(most > 0, most / LARGEST, tf.ones_like(most))
        super().__init__(tf.cast(tf.round(value / scale), tf.int8))
        self.scale = tf.Variable(scale, trainable=False)

    def value(self) -> tf.Tensor:
        """float32 [rows, columns]."""
        return tf.cast(self.stored, tf.float32) * self.scale

    def rows(self, ids: tf.Tensor) -> tf.Tensor:
        """Rows of a table stored by row, float32 [*ids, columns]; only these are computed."""
        return tf.cast(tf.gather(self.stored, ids), tf.float32) * tf.gather(self.scale, ids)


class Weights(tf.Module):
    """All weights of a finished model, and the model called with them.

    Args:
        model: a `FineTuner`; its weights are copied, itself is left as it is.
        dtype: float32, bfloat16 or float16: what weights are stored in.
        quantization: "int8", which has all matrices stored in bytes, or None.
    """

    def __init__(self, model, *, dtype: str = "float32", quantization: str | None = None):
        super().__init__(name="weights")
        kept, table = list(model.saved_variables), model.encoder.embeddings.token
        # Held by a function, not by attributes: tracked, the Keras model would be saved as well.
        self._whole = lambda: (model, kept)

        def stored(variable: keras.Variable) -> Whole:
            value = tf.cast(tf.convert_to_tensor(variable.value), tf.float32)
            if quantization and len(variable.shape) == 2:
                return Int8(value, by_row="embedding" in variable.path)
            return Whole(value) if dtype == "float32" else Half(value, dtype)

        self.parts = [stored(variable) for variable in kept]
        self._table = next(i for i, v in enumerate(kept) if v is table)

    def embedded(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Token embeddings, float32 [batch, length, hidden]."""
        return self.parts[self._table].rows(token_ids)

    def __call__(self, inputs: dict[str, tf.Tensor], embedding_offset=None) -> tuple:
        """Logits, float32 [batch, classes], and what the head read, float32 [batch, hidden].

        Args:
            inputs: "token_ids" and maybe "segment_ids", int32 [batch, length].
            embedding_offset: added to the embeddings, float32 [batch, length, hidden], or None.
        """
        (model, _), token_ids = self._whole(), inputs["token_ids"]
        mask = tf.not_equal(token_ids, model.pad_id)
        with self._in_use(token_ids) as numbers:
            features = model.encoder(
                numbers,
                padding_mask=mask,
                segment_ids=inputs.get("segment_ids"),
                embedding_offset=embedding_offset,
                every_token=model.head.needs_every_token,
                training=False,
            )
            vectors = (
                features["pooled"]
                if model.head.needs_pooler
                else model.head.text_vectors(features, mask)
            )
            return model.head(features, mask, training=False), vectors

    @contextlib.contextmanager
    def _in_use(self, token_ids: tf.Tensor) -> Iterator[tf.Tensor]:
        """Has the model's layers use what is stored; gives the ids to call them with.

        In the place of the token embeddings' table stand the rows that are looked up, one after the
        other, so that what is not looked up need not be cast. Ids then count those rows.
        """
        _, kept = self._whole()
        others = [
            (variable, part.value())
            for i, (variable, part) in enumerate(zip(kept, self.parts, strict=True))
            if i != self._table
        ]
        scope = keras.StatelessScope(state_mapping=others)
        flat = tf.reshape(token_ids, [-1])
        # Not through `state_mapping`, which wants the table whole.
        scope.state_mapping[id(kept[self._table])] = self.parts[self._table].rows(flat)
        with scope:
            yield tf.reshape(tf.range(tf.size(flat)), tf.shape(token_ids))
