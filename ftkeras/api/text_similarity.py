"""A Keras model that says how alike two texts are."""

import functools
import os
from typing import Any

import keras
import numpy as np
from keras import ops

from ftkeras.api import columns
from ftkeras.api.answer_numbers import Numbers
from ftkeras.api.string_model import StringModel, activated, encode
from ftkeras.api.text_model import COLUMNS
from ftkeras.heads.similarity import Similarity
from ftkeras.support import bounds
from ftkeras.support.in_keras import share
from ftkeras.support.vector_pairs import halves
from ftkeras.text.preprocessor import Preprocessor

# What a model may return for a pair.
RETURNS = ("cosine", "vectors")


@keras.saving.register_keras_serializable(package="ftkeras")
class CosineSimilarity(keras.layers.Layer):
    """Compute the cosine similarity of two vectors of length 1.

    Call: both vectors, [pairs, 2 * hidden] -> [pairs, 1].
    """

    def call(self, vectors: Any) -> Any:
        first, second = halves(vectors)
        return ops.sum(first * second, axis=-1, keepdims=True)


@keras.saving.register_keras_serializable(package="ftkeras")
class TextSimilarity(StringModel):
    """A Keras model that takes pairs of raw strings and returns their cosine similarity.

    It is used like `ftkeras.TextClassifier`, with pairs, {"text": …, "pair": …}. The encoder turns
    each text into a vector on its own, so `embed` returns the vectors of single texts, which can be
    stored and compared with those of any other text. Answers are similarities from 0 to 1 (or -1 to
    1); divide other scores by the highest first. To start from a checkpoint, use `from_pretrained`.

    Args:
        preprocessor: layer that turns texts into token ids, made with reads="each_text".
        encoder: layer that turns token ids into hidden states.
        head: layer that turns hidden states into the vectors of both texts.
        returns: "cosine" to return the similarity of each pair; or "vectors" to return both
            vectors, as the losses `CosineRegression` and `InBatchNegatives` of `ftkeras.losses`
            require.
        name: the model's name.

    Attributes:
        preprocessor, encoder, head: the layers.

    Call: a dict of two columns of strings [pairs] -> float32 [pairs, 1]; or with
        returns="vectors", [pairs, 2 * hidden]: both vectors, one after the other.

    Raises:
        ValueError: if an argument is wrong. The message names it.
    """

    def __init__(
        self,
        *,
        preprocessor: Preprocessor,
        encoder: Any,
        head: Any,
        returns: str = "cosine",
        name: str = "text_similarity",
    ):
        bounds.choice(RETURNS, returns=returns)
        is_cosine = returns == "cosine"
        answer = (
            CosineSimilarity(dtype="float32", name="answer") if is_cosine else activated("linear")
        )
        super().__init__(
            preprocessor=preprocessor,
            encoder=encoder,
            head=head,
            reads="each_text",
            columns=COLUMNS,
            answer=lambda outputs, _: answer(outputs),
            name=name,
        )
        self.returns = returns
        # In a closure, because Keras would save a model that is an attribute.
        self._embedder = functools.cache(self._make_embedder)

    @classmethod
    def from_pretrained(
        cls,
        encoder: str | os.PathLike[str],
        *,
        max_length: int = 128,
        returns: str = "cosine",
        seed: int | None = None,
        name: str = "text_similarity",
        **kwargs: Any,
    ) -> "TextSimilarity":
        """Return a model with the encoder and tokenizer of a checkpoint. The head has no weights.

        Args:
            encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
                `sentence-transformers/all-MiniLM-L6-v2`, which is downloaded unless it is in the
                cache.
            max_length: the maximum number of tokens per text, including special tokens.
            returns: "cosine" to return the similarity of each pair, or "vectors"; see
                `TextSimilarity`.
            seed: integer that determines dropout, or None.
            name: the model's name.
            **kwargs: `truncation` and `fixed_length` of `ftkeras.text.Preprocessor`.

        Raises:
            UserError: if the checkpoint does not exist or is not supported.
            ValueError: if an argument is wrong. The message names it.
        """
        reads = {"reads": "each_text", **kwargs}
        parts = cls.read(encoder, max_length=max_length, pooler=False, seed=seed, **reads)
        return cls(**parts, head=Similarity(), returns=returns, name=name)

    def embedder(self) -> keras.Model:
        """Return the Keras model of single texts. It shares this model's layers and weights.

        Its `export` writes a SavedModel that turns strings [texts] into vectors, float32 [texts,
        hidden].
        """
        return self._embedder()

    def embed(self, texts: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """Return the vectors of texts, of length 1, float32 [texts, hidden].

        The product of two vectors is the cosine similarity of their texts.

        Args:
            texts: strings: a list, an array or a column.
            batch_size: how many texts to read at once.
            verbose: 1 to show a progress bar, as in `predict`.
        """
        column = columns.texts(texts, "texts")
        return self.embedder().predict(column, batch_size=batch_size, verbose=verbose)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "returns": self.returns}

    def _make_embedder(self) -> keras.Model:
        texts = keras.Input((), dtype="string", name="text")
        features, tokens = encode(self.preprocessor, self.encoder, texts, head=self.head)
        vectors = self.head.states(features, tokens["padding_mask"])
        return share(keras.Model(texts, vectors, name=f"{self.name}_embedder"), self.encoder)

    def _numbers(self, x: Any, y: Any, loss: Any) -> Numbers:
        of = "similarities from -1 to 1; divide other scores, such as those from 0 to 5, by 5"
        return Numbers(of, low=-1, high=1)
