"""The base class of Keras models of texts, or pairs of texts, with one row each."""

from collections.abc import Mapping
from typing import Any

import keras

from ftkeras.api.string_model import StringModel, activated
from ftkeras.text.preprocessor import Preprocessor

# What a model of pairs is called with.
COLUMNS = ("text", "pair")


class TextModel(StringModel):
    """The base class of Keras models that take texts, or pairs of texts, and read each in a row.

    It is a functional model of three layers, `preprocessor`, `encoder` and `head`, so `compile`,
    `fit`, `evaluate`, `predict`, `save`, `export` and callbacks work as usual. In addition, texts
    may be a list, an array or a column of a DataFrame.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into the outputs, before the activation.
        pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
        activation: of the outputs.
        name: the model's name.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        pairs: bool,
        activation: str,
        name: str,
    ):
        answer = activated(activation)
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            reads="texts",
            columns=COLUMNS if pairs else COLUMNS[:1],
            answer=lambda outputs, _: answer(outputs),
            name=name,
        )
        self.pairs, self.activation = pairs, activation

    def on_tokens(self) -> keras.Model:
        """Return a model of the same encoder and head that takes token ids instead of texts.

        It trains on batches of `ftkeras.bucketed_batches` or `ftkeras.packed_batches`, and this
        model with it, because the weights are the same. Save and export this model.
        """
        return _OnTokens(self.encoder, self.head, self.activation, name=f"{self.name}_on_tokens")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pairs": self.pairs}


class _OnTokens(keras.Model):
    """An encoder and a head, called with the encoder's arguments.

    It is no functional model: Keras cannot have a layer in two of them that returns more tensors in
    one than in the other, as the encoder does for packed rows.
    """

    def __init__(self, encoder: Any, head: Any, activation: str, *, name: str):
        super().__init__(name=name)
        self.encoder, self.head = encoder, head
        self.answer = activated(activation)

    def get_config(self) -> dict[str, Any]:
        raise ValueError(
            f"{self.name!r} can't be saved as a whole: save the model on texts that it was made "
            "from, which has the same weights; of a ModelCheckpoint, use save_weights_only=True."
        )

    def call(self, tokens: Mapping[str, Any], training: bool | None = None) -> Any:
        # Under a strategy, Keras builds the model with the mean of the replicas' ids.
        given = {name: keras.ops.cast(ids, "int32") for name, ids in tokens.items()}
        mask = given["padding_mask"] = keras.ops.cast(tokens["padding_mask"], "bool")
        every_token = self.head.needs_every_token
        features = self.encoder(**given, every_token=every_token, training=training)
        return self.answer(self.head(features, mask, training=training))
