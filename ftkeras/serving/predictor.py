"""Classify texts with an exported model in this process."""

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the ops of the text layer

from ftkeras.errors import UserError


@dataclass(frozen=True)
class Prediction:
    """A model's prediction for a text.

    Attributes:
        label: the most probable class.
        score: its probability.
        probabilities: of all classes, in the order of the labels.
    """

    label: str
    score: float
    probabilities: list[float]


class Predictor:
    """An exported model that classifies texts or pairs of texts.

    Args:
        folder: a SavedModel that ftkeras exported.

    Attributes:
        model: the loaded SavedModel.
        takes_pairs: whether the model classifies pairs of texts.

    Raises:
        UserError: if the folder cannot be loaded or its inputs are not texts.
    """

    def __init__(self, folder: pathlib.Path):
        try:
            # The signature holds the model's variables weakly, so the model must be kept as well.
            self.model = tf.saved_model.load(str(folder))
            self._signature = self.model.signatures["serving_default"]
            inputs = set(self._signature.structured_input_signature[1])
        except Exception as error:  # TensorFlow raises many types for a broken folder
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"model={folder} can't be loaded: {reason}") from error
        if inputs not in ({"text"}, {"text", "pair"}):
            raise UserError(
                f"model={folder} takes {', '.join(sorted(inputs))}; exports of ftkeras take text."
            )
        self.takes_pairs = "pair" in inputs

    def predict(self, texts: Sequence[str], *, batch_size: int = 32) -> list[Prediction]:
        """Classify each text; texts of similar length share a batch.

        Args:
            texts: to classify; for a model of pairs, the two texts of each with a tab between.
            batch_size: the most texts in a batch; positive.

        Returns:
            One prediction per text, in the order of `texts`.

        Raises:
            UserError: if a line for a model of pairs is not a pair.
        """
        columns = self._columns(texts)
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        predictions: dict[int, Prediction] = {}
        for start in range(0, len(order), batch_size):
            positions = order[start : start + batch_size]
            batch = {name: [column[n] for n in positions] for name, column in columns.items()}
            predictions.update(zip(positions, self._run(batch), strict=True))
        return [predictions[position] for position in range(len(texts))]

    def _run(self, batch: dict[str, list[bytes]]) -> list[Prediction]:
        outputs = self._signature(**{name: tf.constant(texts) for name, texts in batch.items()})
        columns = (outputs[name].numpy() for name in ("label", "score", "probabilities"))
        return [
            Prediction(label.decode(), float(score), [float(p) for p in probabilities])
            for label, score, probabilities in zip(*columns, strict=True)
        ]

    def _columns(self, texts: Sequence[str]) -> dict[str, list[bytes]]:
        """Return the signature's inputs."""
        if not self.takes_pairs:
            return {"text": [_encode(text) for text in texts]}
        pairs = [text.split("\t") for text in texts]
        for text, pair in zip(texts, pairs, strict=True):
            if len(pair) != 2:
                raise UserError(
                    "`model` classifies pairs: write two texts per line with one tab between. "
                    f"Received: {text!r}."
                )
        return {
            "text": [_encode(first) for first, _ in pairs],
            "pair": [_encode(second) for _, second in pairs],
        }


def _encode(text: str) -> bytes:
    # A str may hold a lone surrogate; it becomes invalid UTF-8, which the text layer replaces.
    return text.encode("utf-8", "surrogatepass")
