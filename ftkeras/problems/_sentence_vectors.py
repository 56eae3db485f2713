"""Shared members of the problems whose model turns each text of a pair into a vector."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ftkeras.problems import _digits
from ftkeras.problems._base import Problem
from ftkeras.problems._comparison import LEAST_SPREAD, Comparison
from ftkeras.support.vector_pairs import halves

Tensor = Any
_NO_PROBABILITIES = "it compares probabilities, and vectors have none"
_NO_HEAD = "the head has no weights, so nothing would be trained"
_ROWS = "its graph would take two rows for a pair, which this version does not write"
# The classes of sentence-transformers that a folder of vectors consists of.
_MODULES = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
_POOLING = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")


class SentenceVectors(Problem):
    """A problem whose outputs are the vectors of both texts of a pair, [examples, 2 * size].

    They have length 1, so their product is the cosine similarity, which is the answer to a pair.

    Args:
        labels: the name of the answer.
    """

    kind = "sentence embedding model"
    head = "similarity"
    regularizers: ClassVar = dict.fromkeys(
        ("confidence_penalty", "r_drop", "smart"), _NO_PROBABILITIES
    )
    batchings: ClassVar = {"packed": "each text of a pair is a row of its own"}
    policies: ClassVar = dict.fromkeys(("head_only", "gradual_unfreezing"), _NO_HEAD)
    output, unit = "cosine", "a cosine"
    explains = False
    reads = "each_text"
    exporters: ClassVar = {"onnx": _ROWS, "litert": _ROWS}
    huggingface_class = "encoder"
    pipeline = "sentence-similarity"
    library = "sentence-transformers"
    caveat = "Its cosines are no probabilities"

    def __init__(self, *, labels: Sequence[str]):
        self.names = tuple(labels)

    def activate(self, outputs: Tensor) -> Tensor:
        """Return the cosine similarity of each pair, float32 [batch]."""
        import tensorflow as tf

        first, second = halves(tf.cast(outputs, tf.float32))
        return tf.reduce_sum(first * second, axis=-1)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's cosines with the run's.

        The change of the logits is max |c' - c| / max(sd(c), LEAST_SPREAD), over pairs.
        """
        measured = np.array([sample["cosine"] for sample in samples], float)
        moved = np.abs(outputs - measured)
        return Comparison(
            samples=len(samples),
            largest_difference=float(moved.max()),
            logit_change=float(moved.max() / max(measured.std(), LEAST_SPREAD)),
            changes=f"cosines move by at most {moved.max():.2g}",
            moves="that is {} of their spread",
        )

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        return {"cosine": outputs["cosine"]}

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the cosine."""
        return f"{answer['cosine']:.4f}"

    def answer_columns(self) -> dict[str, type]:
        return {"cosine": float}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        return (_digits.seven(answer["cosine"]),)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return "the head has no weights"

    def huggingface_config(self) -> dict:
        return {}

    def huggingface_files(self, hidden: int, max_length: int) -> dict[str, Any]:
        """Return the files by which sentence-transformers computes the same vectors."""
        modules = [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{name}"}
            for n, (path, name) in enumerate(_MODULES.items())
        ]
        pooling = {f"pooling_mode_{name}": name == "mean_tokens" for name in _POOLING}
        return {
            "modules.json": modules,
            "sentence_bert_config.json": {"max_seq_length": max_length, "do_lower_case": False},
            "1_Pooling/config.json": {"word_embedding_dimension": hidden, **pooling},
            "2_Normalize/config.json": {},
        }

    def describe(self) -> str:
        return (
            "gives the cosine similarity of their vectors. The signature `embed` turns a text into "
            "its vector, of length 1: the mean of the last hidden states of its tokens"
        )


def cosines(outputs: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each pair, float64 [examples].

    >>> float(cosines(np.array([[1.0, 0.0, 0.6, 0.8]])).round(2)[0])
    0.6
    """
    first, second = halves(outputs.astype(np.float64))
    return (first * second).sum(axis=-1)
