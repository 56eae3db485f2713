"""Regression: one or several numbers for each text, or pair of texts."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ftkeras.problems import _digits, _numbers, _tables
from ftkeras.problems._base import LOSS, Loss, Measure, Problem
from ftkeras.problems._collation import per_example
from ftkeras.problems._comparison import Comparison
from ftkeras.problems._numbers_page import NumbersPage
from ftkeras.statistics.number_predictions import NumberPredictions

if TYPE_CHECKING:
    import keras

Tensor = Any
SCALES = ("standard", "none")
# A model whose predictions spread less than this share of the answers predicts nearly a constant.
LEAST_SPREAD = 0.05


class Regression(NumbersPage, Problem):
    """Predict one or several numbers.

    An answer is a vector of numbers in the data's own unit, [outputs]. With scale='standard', the
    model is trained on standardized answers,

        z = (answer - mean) / sd,

    with the mean and the standard deviation of each output in the training split. Its outputs are
    converted back in predictions, metrics and exports.

    Args:
        labels: the names of the outputs, in their order.
        scale: standard, or none to train on the answers as they are.
    """

    kind = "text regression model"
    head = "regression"
    loss = "mean_squared_error"
    losses = ("mean_squared_error", "mean_absolute_error", "huber")
    regularizers: ClassVar = {"confidence_penalty": "it needs probabilities"}
    regularizer_arguments: ClassVar = {"temperature": "numbers have none"}
    metric = "spearman"
    measures = (
        *(Measure(name, limits=(-1.0, 1.0)) for name in ("spearman", "pearson")),
        *(Measure(n, lower_is_better=True, limits=(0.0, math.inf)) for n in ("rmse", "mae")),
        Measure("r2", limits=(-math.inf, 1.0)),
        LOSS,
    )
    columns = ("spearman", "pearson", "rmse", "mae", "r2", "loss")
    reported: ClassVar = {"mae": "mae"}
    output, unit = "values", "a prediction, in standard deviations,"
    target_dtype = "float64"
    pipeline = "text-classification"
    hub_metrics: ClassVar = {"spearman": "spearmanr", "pearson": "pearsonr", "mae": "mae"}

    def __init__(self, *, labels: Sequence[str], scale: str = "standard"):
        self.names, self.scaling = tuple(labels), scale
        self.target_shape = (len(self.names),)
        self._mean, self._sd = np.zeros(len(self.names)), np.ones(len(self.names))

    @property
    def scale(self) -> float:
        """The largest standard deviation of an output."""
        return float(self._sd.max())

    def fit(self, targets: np.ndarray) -> None:
        """Learn the mean and the standard deviation of each output; that of a constant is 1."""
        if self.scaling == "standard":
            varies = np.ptp(targets, axis=0) > 0  # the sd of a constant may be above 0 by rounding
            self._mean = targets.mean(axis=0)
            self._sd = np.where(varies, targets.std(axis=0), 1.0)

    def state(self) -> dict:
        scale = {"mean": self._mean.tolist(), "sd": self._sd.tolist()}
        return {"problem": "regression", "scale": self.scaling, **scale}

    def restore_state(self, state: dict) -> None:
        self.scaling = state["scale"]
        self._mean, self._sd = np.array(state["mean"]), np.array(state["sd"])

    def collate(self, targets: np.ndarray, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the standardized targets of a batch, and its "example_mask"."""
        return per_example(self._standardized(targets), positions)

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return the mean absolute error, in the data's own unit."""
        import keras
        from keras import ops

        def error(targets: Tensor, outputs: Tensor) -> Tensor:
            difference = ops.cast(targets, "float32") - ops.cast(outputs, "float32")
            return ops.mean(ops.abs(difference) * self._sd.astype(np.float32), axis=-1)

        # In float64 the sums are exact, so a resumed run has the same mean.
        return [keras.metrics.MeanMetricWrapper(error, name="mae", dtype="float64")]

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Return the mean squared difference."""
        from keras import ops

        difference = ops.cast(outputs, "float32") - ops.cast(others, "float32")
        return ops.mean(ops.square(difference), axis=-1)

    def soft_targets(self, answers: np.ndarray) -> np.ndarray:
        """Return a teacher's numbers, standardized as the targets are."""
        return self._standardized(answers).astype(np.float32)

    def soft_loss(self, outputs: Tensor, answers: Tensor, temperature: float) -> Tensor:
        """Return the mean squared difference; it needs no temperature."""
        return self.divergence(outputs, answers)

    def shortcoming(self, targets: np.ndarray) -> str | None:
        if (targets != targets[:1]).any():
            return None
        numbers = ", ".join(f"{number:g}" for number in targets[0])
        return f"have the answer {numbers}; nothing can be learned from or evaluated on a constant"

    def summarize(self, targets: np.ndarray) -> dict:
        """Return the number of examples, and each output's mean, sd, lowest and highest answer."""
        return _numbers.summarize(targets)

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return each metric, the mean over the outputs, and of several outputs those of each.

        The mean of a metric that constant answers leave undefined is that over the other outputs.
        But one whose predictions alone are constant leaves the mean undefined: without it, a model
        would gain by giving up the output that it knows least.
        """
        import keras

        answers = self._in_unit(outputs)
        rows = [
            {"name": name, **_numbers.measure(targets[:, n], answers[:, n])}
            for n, name in enumerate(self.names)
        ]
        means = {key: _mean(rows, key) for key in rows[0] if key != "name"}
        mean_loss = loss(self._standardized(targets), outputs)
        return {
            **means,
            "loss": float(keras.ops.convert_to_numpy(mean_loss)),
            **({"per_output": rows} if len(rows) > 1 else {}),
        }

    def details(self, targets: np.ndarray, outputs: np.ndarray) -> dict:
        """Return the standard deviations of answers and predictions, by output."""
        answers = self._in_unit(outputs)
        return {
            "spread": {
                "targets": targets.std(axis=0).tolist(),
                "values": answers.std(axis=0).tolist(),
            }
        }

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each text's answers and predictions, in the data's own unit."""
        values = self._in_unit(outputs).astype(np.float32)
        return [
            {"targets": answer.tolist(), "values": [_digits.nine(n) for n in row]}
            for answer, row in zip(targets, values, strict=True)
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> NumberPredictions:
        columns = (np.array([row[name] for row in rows], float) for name in ("targets", "values"))
        return NumberPredictions(*columns)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"targets": row["targets"]}

    def activate(self, outputs: Tensor) -> Tensor:
        """Return the predictions in the data's own unit."""
        import tensorflow as tf

        sd, mean = (tf.constant(values, tf.float32) for values in (self._sd, self._mean))
        return tf.cast(outputs, tf.float32) * sd + mean

    def served(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return `values` float32 [batch, outputs], and their `names`, string of that shape."""
        import tensorflow as tf

        names = tf.repeat(tf.constant([list(self.names)]), tf.shape(outputs)[0], axis=0)
        return {"values": self.activate(outputs), "names": names}

    def evidence(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """Return the chosen output's prediction, in the data's own unit."""
        import tensorflow as tf

        return tf.gather(self.activate(outputs), chosen, batch_dims=1)

    def evidence_served(self, outputs: Mapping[str, Any], chosen: int) -> float:
        return float(outputs["values"][chosen])

    def explained_outputs(self, outputs: Mapping[str, Any]) -> Sequence[int]:
        """Return all of them."""
        return range(len(self.names))

    def onnx(self, graph: Any, logits: str) -> str:
        scaled = graph.add("Mul", logits, graph.constant(self._sd))
        return graph.add("Add", scaled, graph.constant(self._mean))

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's predictions with the run's, in standard deviations of the answers.

        The change of the logits is max |y' - y| / sd(y), over texts and outputs. If the predictions
        are nearly constant, it is relative to a share of the standard deviation of the answers.
        """
        measured = np.array([sample["values"] for sample in samples], float)
        truth = np.array([sample["targets"] for sample in samples], float)
        moved = np.abs(outputs - measured)
        least = np.maximum(LEAST_SPREAD * truth.std(axis=0), np.finfo(np.float32).tiny)
        spread = np.maximum(measured.std(axis=0), least)
        return Comparison(
            samples=len(samples),
            largest_difference=float((moved / self._sd).max()),
            logit_change=float((moved / spread).max()),
            changes=f"predictions move by at most {moved.max():.2g}",
            details={
                "largest_move": float(moved.max()),
                "mae": float(np.abs(outputs - truth).mean()),
            },
            moves="outputs move by {} of their spread",
        )

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        names = [name.decode() for name in outputs["names"]]
        return {"values": dict(zip(names, outputs["values"], strict=True))}

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the numbers."""
        return "\t".join(f"{value:.4f}" for value in answer["values"].values())

    def answer_columns(self) -> dict[str, type]:
        if len(self.names) == 1:
            return {"predicted": float}
        return {f"predicted_{name}": float for name in self.names}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        return tuple(map(_digits.seven, answer["values"].values()))

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return the metrics of each output, if there are several, and which count in no mean."""
        rows = metrics[split].get("per_output", ())
        if not rows:
            return []
        shown = [name for name in self.columns if name != "loss"]
        table = _tables.aligned(f"on {split}", shown, rows, key="name", least=12)
        return ["", *table, *_left_out(metrics)]

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return a note if the model predicts nearly the same number for every text."""
        spread = metrics["spread"]
        pairs = zip(spread["values"], spread["targets"], strict=True)
        if any(values >= LEAST_SPREAD * targets for values, targets in pairs):
            return []
        return ["the model predicts nearly the same number for every text"]

    def chance_loss(self, summary: Mapping[str, Any]) -> tuple[float, str]:
        """Return the mean squared error of the training mean."""
        variance = 1.0 if self.scaling == "standard" else float(np.square(summary["sd"]).mean())
        return variance, "always answering with the mean gives"

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        return _numbers.correlation_doubt(metrics)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return "its numbers are on another scale"

    def huggingface_config(self) -> dict:
        return {
            "problem_type": "regression",
            "id2label": {str(index): name for index, name in enumerate(self.names)},
            "label2id": {name: index for index, name in enumerate(self.names)},
        }

    def huggingface_classifier(
        self, kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias with the scale of the answers folded in."""
        return (kernel * self._sd).astype(kernel.dtype), (bias * self._sd + self._mean).astype(
            bias.dtype
        )

    def huggingface_problem(self) -> Self:
        """Return the problem of outputs in the data's own unit."""
        plain = copy.copy(self)
        plain._mean, plain._sd = np.zeros_like(self._mean), np.ones_like(self._sd)
        return plain

    def describe(self) -> str:
        names = ", ".join(f"`{name}`" for name in self.names)
        return f"predicts {'the number' if len(self.names) == 1 else 'the numbers'} {names}"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        titles = ("Spearman", "Pearson", "RMSE", "MAE", "R²")
        shown = dict(zip(self.columns, titles, strict=False))
        lines = [
            f"| split | examples | {' | '.join(shown.values())} |",
            f"|{'---|' * (len(shown) + 2)}",
        ]
        for split in splits:
            measured = metrics[split]
            cells = ("-" if measured[n] is None else f"{measured[n]:.4f}" for n in shown)
            lines.append(f"| {split} | {measured['examples']:,} | {' | '.join(cells)} |")
        of = "" if len(self.names) == 1 else " Each metric is the mean over the outputs."
        return "\n".join([*lines, "", f"RMSE and MAE are in the data's own unit.{of}"])

    def _standardized(self, targets: np.ndarray) -> np.ndarray:
        return ((targets - self._mean) / self._sd).astype(np.float32)

    def _in_unit(self, outputs: np.ndarray) -> np.ndarray:
        return outputs.astype(np.float64) * self._sd + self._mean


def _is_constant(row: Mapping[str, Any]) -> bool:
    """Return whether an output has the same answer in its whole split, by its metrics."""
    return row["r2"] is None  # which constant predictions do not leave undefined


def _mean(rows: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the mean of a metric over the outputs, or None if it is undefined."""
    values = [row[key] for row in rows if row[key] is not None or not _is_constant(row)]
    return sum(values) / len(values) if values and None not in values else None


def _left_out(metrics: Mapping[str, Any]) -> list[str]:
    """Return a line about each split in which outputs are constant."""
    lines = []
    for split in ("validation", "test"):
        rows = metrics.get(split, {}).get("per_output", ())
        if constant := [row["name"] for row in rows if _is_constant(row)]:
            lines.append(
                f"the answers to {_tables.few(constant)} are all the same in {split}: spearman, "
                "pearson and r2 are means over the other outputs"
            )
    return lines
