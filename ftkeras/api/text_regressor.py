"""A Keras model that predicts numbers about texts."""

import os
from typing import Any

import keras

from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.text_model import TextModel
from ftkeras.heads.regression import Regression
from ftkeras.text.preprocessor import Preprocessor


@keras.saving.register_keras_serializable(package="ftkeras")
class TextRegressor(TextModel):
    """A Keras model that takes raw strings and returns one number or several about each.

    It is used like `ftkeras.TextClassifier`. To start from a checkpoint, use `from_pretrained`.
    Numbers far from the range -1 to 1 are best standardized first: the head starts near 0.

    Args:
        preprocessor: layer that turns texts into token ids.
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into numbers.
        pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.

    Call: strings [batch], or a dict of two for pairs -> float32 [batch, outputs].
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        pairs: bool = False,
        name: str = "text_regressor",
    ):
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            pairs=pairs,
            activation="linear",
            name=name,
        )

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        *,
        outputs: int = 1,
        max_length: int = 128,
        pairs: bool = False,
        dropout: float = 0.1,
        pooling: str = "pooled",
        seed: int | None = None,
        name: str = "text_regressor",
        **kwargs: Any,
    ) -> "TextRegressor":
        """Return a model with the encoder and tokenizer of a checkpoint, and a new head.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `bert-base-uncased`, which is downloaded unless it is in the cache.
            outputs: how many numbers to predict; at least 1.
            max_length: the maximum number of tokens per text, including special tokens.
            pairs: whether the model takes pairs of texts, {"text": …, "pair": …}.
            dropout: the dropout rate of the head, in [0, 1).
            pooling: the vector that the head reads: "pooled", "cls" or "mean"; see
                `ftkeras.heads.Regression`.
            seed: integer that determines new weights and dropout, or None.
            name: the model's name.
            **kwargs: `truncation` and `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        head = Regression(outputs=outputs, dropout=dropout, pooling=pooling, seed=seed)
        pooler = head.needs_pooler
        parts = cls.read(encoder, max_length=max_length, pooler=pooler, seed=seed, **kwargs)
        return cls(**parts, head=head, pairs=pairs, name=name)

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        count = self.head.outputs
        return Numbers("finite numbers", width=None if count == 1 else count)
