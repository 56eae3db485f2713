"""Similarity: how alike two texts are, as the cosine of their vectors."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.parts import Part
from ftkeras.problems import _digits, _numbers, _numbers_page
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._collation import per_example
from ftkeras.problems._page import Texts
from ftkeras.problems._sentence_vectors import SentenceVectors, cosines
from ftkeras.statistics.number_predictions import NumberPredictions
from ftkeras.support.vector_pairs import halves

if TYPE_CHECKING:
    import keras

Tensor = Any


class Similarity(SentenceVectors):
    """Give each pair of texts a cosine similarity that follows its score.

    An answer is a score in the data's own unit. The model is trained on scores from 0 to 1,

        t = (score - low) / (high - low),

    and its answer to a pair is the cosine of the two texts' vectors, from -1 to 1.

    Args:
        labels: the name of the answer.
        low: the score of texts that have nothing in common; None for the lowest of training.
        high: the score of texts that mean the same; None for the highest of training.
    """

    loss = "cosine_regression"
    losses = ("cosine_regression",)
    regularizer_arguments: ClassVar = {"temperature": "cosines have none"}
    metric = "spearman"
    measures = (
        *(Measure(name, limits=(-1.0, 1.0)) for name in ("spearman", "pearson")),
        Measure("mae", lower_is_better=True, limits=(0.0, math.inf)),
        LOSS,
    )
    columns = ("spearman", "pearson", "mae", "loss")
    reported: ClassVar = {"mae": "mae"}
    target_dtype = "float64"
    hub_metrics: ClassVar = {"spearman": "spearmanr", "pearson": "pearsonr"}

    def __init__(
        self, *, labels: Sequence[str], low: float | None = None, high: float | None = None
    ):
        super().__init__(labels=labels)
        self.low, self.high = low, high

    def fit(self, targets: np.ndarray) -> None:
        """Learn the lowest and the highest score, unless they are given.

        Raises:
            UserError: one of them is given and is on the wrong side of the other.
        """
        self.low = float(targets.min()) if self.low is None else self.low
        self.high = float(targets.max()) if self.high is None else self.high
        if self.low >= self.high:
            raise UserError(
                f"`low` must be below `high`, the scores of training are from {targets.min():g} to "
                f"{targets.max():g}. Received: {self.low:g} and {self.high:g}."
            )

    def state(self) -> dict:
        return {"problem": "similarity", "low": self.low, "high": self.high}

    def restore_state(self, state: dict) -> None:
        self.low, self.high = state["low"], state["high"]

    def collate(self, targets: np.ndarray, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the scaled scores of a batch, and its "example_mask"."""
        return per_example(self._scaled(targets).astype(np.float32), positions)

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return the mean absolute difference of cosine and scaled score."""
        import keras
        from keras import ops

        def error(targets: Tensor, outputs: Tensor) -> Tensor:
            first, second = halves(ops.cast(outputs, "float32"))
            return ops.abs(ops.sum(first * second, axis=-1) - ops.cast(targets, "float32"))

        return [keras.metrics.MeanMetricWrapper(error, name="mae")]

    def columns_of_teacher(self, names: Sequence[str]) -> list[int]:
        """Return the only column: a cosine is one, whatever the scores are called."""
        return [0]

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """Return the squared difference of the cosines; it needs no temperature."""
        from ftkeras.losses.cosine_regression import CosineRegression

        return CosineRegression().call(answers[..., 0], outputs)

    def shortcoming(self, targets: np.ndarray) -> str | None:
        if (targets != targets[0]).any():
            return None
        return f"have the score {targets[0]:g}; nothing can be learned from or evaluated on one"

    def summarize(self, targets: np.ndarray) -> dict:
        """Return the number of pairs, and the mean, sd, lowest and highest score."""
        return _numbers.summarize(targets[:, None])

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the correlations, the loss, and the mean difference from the scaled scores."""
        import keras

        scaled = self._scaled(targets)
        measured = _numbers.measure(scaled, cosines(outputs))
        value = loss(scaled.astype(np.float32), outputs)
        return {
            **{name: measured[name] for name in ("spearman", "pearson", "mae")},
            "loss": float(keras.ops.convert_to_numpy(value)),
        }

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each pair's score, the same from 0 to 1, and the cosine."""
        rows = zip(targets, self._scaled(targets), cosines(outputs), strict=True)
        return [
            {"score": float(score), "target": float(scaled), "cosine": _digits.nine(cosine)}
            for score, scaled, cosine in rows
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> NumberPredictions:
        columns = (np.array([[row[name]] for row in rows], float) for name in ("target", "cosine"))
        return NumberPredictions(*columns)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"score": row["score"]}

    def page_parts(
        self, rows: Sequence[Mapping[str, Any]], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return the cosine against the scaled score, the residuals, and the error by score."""
        predictions = self.predictions(rows)
        return _numbers_page.plots("score", predictions.targets[:, 0], predictions.values[:, 0])

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the cosines of TF-IDF vectors."""
        truth = np.array([[row["target"]] for row in data.rows])
        cosines = data.features.cosines(data.texts)[:, np.newaxis]
        return [Baseline("TF-IDF vectors", NumberPredictions(truth, cosines))]

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        return _numbers.correlation_doubt(metrics)

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        lines = ["| split | pairs | Spearman | Pearson |", "|---|---|---|---|"]
        for split in splits:
            measured = metrics[split]
            cells = ("-" if measured[n] is None else f"{measured[n]:.4f}" for n in self.columns[:2])
            lines.append(f"| {split} | {measured['examples']:,} | {' | '.join(cells)} |")
        note = f"Trained on scores from {self.low:g} (cosine 0) to {self.high:g} (cosine 1)."
        return "\n".join([*lines, "", note])

    def _scaled(self, targets: np.ndarray) -> np.ndarray:
        assert self.low is not None
        assert self.high is not None
        return (targets - self.low) / (self.high - self.low)
