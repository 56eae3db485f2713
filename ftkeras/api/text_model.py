"""The base class of Keras models of texts, or pairs of texts, with one row each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.checked_model import CheckedModel
from ftkeras.api.columns import columns_of, numbers_or_names, received
from ftkeras.api.string_model import StringModel, activated
from ftkeras.support import bounds
from ftkeras.support.in_keras import share
from ftkeras.text.preprocessor import Preprocessor

# What a model of pairs is called with.
COLUMNS = ("text", "pair")
# What a model on tokens is called with; it needs the first two.
SEGMENTS = "segment_ids"
_TOKENS = ("token_ids", "padding_mask", SEGMENTS, "starts")


class TextModel(StringModel):
    """The base class of Keras models that take texts, or pairs of texts, and read each in a row.

    It is a functional model, so `compile`, `fit`, `evaluate`, `predict`, `save`, `export` and
    callbacks work as usual. Its parts are the attributes `preprocessor`, `encoder` and `head`;
    `get_layer` finds the encoder under the name that Keras gives it, such as "bert_1". In addition,
    texts may be a list, an array or a column of a DataFrame.

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
        bounds.boolean(pairs=pairs)
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
        self.pairs, self.activation = bool(pairs), activation

    def on_tokens(self) -> keras.Model:
        """Return a model of the same encoder and head that takes token ids instead of texts.

        It trains on batches of `ftkeras.bucketed_batches` or `ftkeras.packed_batches`, and this
        model with it, because the weights are the same. Save and export this model.
        """
        return _OnTokens(
            self.encoder,
            self.head,
            self.activation,
            pairs=self.pairs,
            segments=bool(self.preprocessor.segments),
            numbers=self._numbers,
            classes=self.classes,
            name=f"{self.name}_on_tokens",
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "pairs": self.pairs}

    def _check_names(self, names: Sequence[str]) -> None:
        if "pair" in names and not self.pairs:
            raise ValueError(
                "`x` must have 'text' alone, because the model was made with pairs=False. "
                "Received: also 'pair'."
            )
        if "token_ids" in names:
            raise ValueError(
                "`x` must be texts; token ids are for the model that `on_tokens` returns. "
                "Received: 'token_ids'."
            )
        super()._check_names(names)


class _OnTokens(CheckedModel, keras.Model):
    """An encoder and a head, called with the encoder's arguments.

    It is no functional model: Keras cannot have a layer in two of them that returns more tensors in
    one than in the other, as the encoder does for packed rows.
    """

    def __init__(
        self,
        encoder: Any,
        head: Any,
        activation: str,
        *,
        pairs: bool,
        segments: bool,
        numbers: Callable[[Any, Any, Any], Numbers],
        classes: Sequence[str] | None,
        name: str,
    ):
        super().__init__(name=name)
        self.encoder, self.head = encoder, head
        share(self, encoder)
        self.answer, self.activation = activated(activation), activation
        self.pairs, self.segments = pairs, segments
        self._numbers, self._classes = numbers, classes

    @property
    def classes(self) -> Sequence[str] | None:
        return self._classes

    def get_config(self) -> dict[str, Any]:
        raise ValueError(
            f"{self.name!r} can't be saved as a whole: save the model that `on_tokens` was called "
            "on, which takes texts and has the same weights; with ModelCheckpoint, use "
            "save_weights_only=True."
        )

    def call(self, tokens: Mapping[str, Any], training: bool | None = None) -> Any:
        # Under a strategy, Keras builds the model with the mean of the replicas' ids.
        given = {name: keras.ops.cast(ids, "int32") for name, ids in tokens.items()}
        mask = given["padding_mask"] = keras.ops.cast(tokens["padding_mask"], "bool")
        every_token = self.head.needs_every_token
        features = self.encoder(**given, every_token=every_token, training=training)
        return self.answer(self.head(features, mask, training=training))

    def __call__(self, tokens: Any, *args: Any, **kwargs: Any) -> Any:
        return super().__call__(self._tokens(tokens), *args, **kwargs)

    def _examples(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        answers = None if y is None else numbers_or_names(y, "y", "answers")
        return self._batch(x, answers, sample_weight)

    def _batch(self, x: Any, y: Any = None, sample_weight: Any = None) -> tuple:
        x = self._tokens(x)
        if y is None:
            return (x,)
        answers = self._numbers(None, y, self._compiled_loss()).checked(y)
        return (x, answers) if sample_weight is None else (x, answers, sample_weight)

    def _tokens(self, x: Any) -> Mapping[str, Any]:
        """Return the tokens of texts.

        Raises:
            ValueError: if they are something else.
        """
        names = set(columns_of(x) or ())
        if not set(_TOKENS[:2]) <= names <= set(_TOKENS):
            given = ", ".join(map(repr, sorted(names))) or received(x)
            raise ValueError(
                "`x` must be batches that `ftkeras.bucketed_batches` or `ftkeras.packed_batches` "
                "makes; texts are for the model on which `on_tokens` was called. "
                f"Received: {given}."
            )
        if (SEGMENTS in names) != (self.pairs and self.segments):
            wanted, given = ("pairs of texts", "texts") if self.pairs else ("texts", "pairs")
            raise ValueError(
                f"`x` must be batches of {wanted}, because the model was made with "
                f"pairs={self.pairs}. Received: batches of {given}."
            )
        return x
