"""Multi-label: any number of labels for each text, or pair of texts, each decided on its own."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ftkeras.problems import _digits, _label_report, _label_shares, _labels_page, _thresholds
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._comparison import Comparison, logit_change
from ftkeras.problems._doubt import doubt_interval
from ftkeras.problems._each_of_several import EachOfSeveral
from ftkeras.problems._temperature import TemperatureScaled
from ftkeras.problems._thresholds import TUNED, check_threshold, sigmoid
from ftkeras.statistics import imbalance, label_metrics
from ftkeras.statistics.calibration import Forecasts
from ftkeras.statistics.label_predictions import LabelPredictions
from ftkeras.statistics.significance import f1_interval

if TYPE_CHECKING:
    import keras

Tensor = Any
__all__ = ["MultiLabel", "check_threshold"]


class MultiLabel(_labels_page.LabelsPage, TemperatureScaled, EachOfSeveral):
    """Decide for each label whether a text has it.

    An answer is a vector of 0 and 1, [labels]. The outputs are logits, [examples, labels], whose
    sigmoid gives the probabilities. A label is predicted if its probability is at least its
    threshold.

    With threshold='tuned', thresholds are chosen after training: for each label the one with the
    highest F1 on validation, at the best epoch. So that few examples of a label do not decide by
    chance, 20 positive examples of all labels count as well (docs/problems.md has the formula). The
    metric that selects the epoch is computed at 0.5: thresholds of its own would reward an epoch
    for what it happens to fit in validation. If nothing is validated, all labels keep 0.5.

    Args:
        labels: the labels' names, in their order.
        threshold: tuned, or a number from 0 to 1 for all labels.
    """

    kind = "multi-label text classifier"
    head = "multi_label"
    loss = "binary_cross_entropy"
    losses = ("binary_cross_entropy", "focal")
    metric = "micro_f1"
    measures = (
        *map(Measure, ("micro_f1", "macro_f1", "micro_precision", "micro_recall")),
        *map(Measure, ("subset_accuracy", "sample_f1", "lrap", "auc")),
        LOSS,
    )
    columns = ("micro_f1", "macro_f1", "sample_f1", "lrap", "auc", "loss")
    reported: ClassVar = {"micro_f1": "f1"}
    output, unit = "probabilities", "a probability"
    has_classes = True
    pipeline = "text-classification"
    hub_metrics: ClassVar = {"micro_f1": "f1", "subset_accuracy": "accuracy"}

    def __init__(self, *, labels: Sequence[str], threshold: str | float = TUNED):
        self.names = tuple(labels)
        self.target_shape = (len(self.names),)
        self.weights: dict[str, Any] = {}
        self._threshold = threshold if threshold == TUNED else float(threshold)
        self._tuned_on = 0
        first = _thresholds.DEFAULT if threshold == TUNED else float(threshold)
        self.thresholds = [first] * len(self.names)

    @property
    def needs_tuning(self) -> bool:
        """True until `tune` was called, if thresholds are to be tuned."""
        return self._threshold == TUNED and not self._tuned_on

    def tune(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Choose the threshold of each label, see `_thresholds.tune`."""
        self.thresholds = _thresholds.tune(targets, self._probabilities(outputs))
        self._tuned_on = len(targets)

    def calibrate(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Choose the temperature; tuned thresholds move with the probabilities, so labels stay."""
        before = self.temperature or 1.0
        super().calibrate(targets, outputs)
        if self._tuned_on and self.temperature:
            self.thresholds = _thresholds.scale(self.thresholds, before / self.temperature)

    def negative_log_likelihood(self, targets: np.ndarray, logits: np.ndarray) -> float:
        return float(np.logaddexp(0, np.where(targets == 1, -logits, logits)).mean())

    def forecast(self, targets: np.ndarray, logits: np.ndarray) -> Forecasts:
        return Forecasts.of_labels(targets, sigmoid(logits))

    def state(self) -> dict:
        return {
            "problem": "multi_label",
            "threshold": self._threshold,
            "thresholds": self.thresholds,
            "tuned_on": self._tuned_on,
            **self.calibration_state(),
        }

    def restore_state(self, state: dict) -> None:
        self._threshold, self._tuned_on = state["threshold"], state["tuned_on"]
        self.thresholds = list(state["thresholds"])
        self.restore_calibration(state)

    def prior(self, targets: np.ndarray) -> np.ndarray:
        """Return the log-odds of each label, weighed as in the loss.

        From a bias of zero, a model first learns only that all labels are rare (docs/problems.md).
        """
        return _label_shares.log_odds(targets, self.weights.get("pos_weight", 1.0))

    def weigh(self, spec: str, targets: np.ndarray) -> None:
        """Weigh the positive examples of each label; see `imbalance.positive_weights`."""
        weights = imbalance.positive_weights(spec, targets, self.names)
        self.weights = {"pos_weight": weights.tolist()}

    def imbalance(self, targets: np.ndarray) -> list[str]:
        rare = imbalance.rare_label_warnings(targets, self.names)
        return [f"{line} (see `class_weights`)" for line in rare]

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return micro F1 at the thresholds that are known before training."""
        from ftkeras.problems._micro_f1 import MicroF1

        return [MicroF1(self.thresholds)]

    def shortcoming(self, targets: np.ndarray) -> str | None:
        if (targets != targets[:1]).any():
            return None
        labels = ", ".join(map(repr, self._chosen(targets[0])))
        return f"have {labels or 'no label'}; nothing can be learned from or evaluated on that"

    def stratum(self, targets: np.ndarray) -> np.ndarray:
        """Return the number of each example's rarest label here; one more if it has none.

        So splits and folds keep the share of rare labels. Of equally rare ones, the first counts.
        """
        counts = np.where(targets == 1, targets.sum(axis=0), len(targets) + 1)
        return np.where(targets.any(axis=1), counts.argmin(axis=1), len(self.names))

    def summarize(self, targets: np.ndarray) -> dict:
        """Return the number of examples with each label, with none, and of all."""
        return {
            "examples": len(targets),
            "labels": targets.sum(axis=0).tolist(),
            "unlabelled": int((~targets.any(axis=1)).sum()),
        }

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the metrics of all labels and of each; see `label_metrics`."""
        import keras

        outputs = self.scaled(outputs)
        probabilities = sigmoid(outputs)
        decisions = targets, self._decide(probabilities), probabilities
        return {
            **label_metrics.measure(*decisions),
            "loss": float(keras.ops.convert_to_numpy(loss(targets, outputs))),
            **label_metrics.per_label(*decisions, self.thresholds, self.names),
        }

    def details(self, targets: np.ndarray, outputs: np.ndarray) -> dict:
        """Return the mean number of true and of predicted labels."""
        predicted = self._decide(self._probabilities(outputs))
        means = {"targets": targets, "predicted": predicted}
        labels_per_text = {key: float(values.sum(axis=1).mean()) for key, values in means.items()}
        return {"labels_per_text": labels_per_text}

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each text's labels, predicted labels, and the probability of every label."""
        probabilities = self._probabilities(outputs)
        rows = zip(targets, self._decide(probabilities), probabilities, strict=True)
        return [
            {
                "labels": self._chosen(target),
                "predicted": self._chosen(predicted),
                "probabilities": [_digits.nine(p) for p in row],
            }
            for target, predicted, row in rows
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> LabelPredictions:
        return LabelPredictions(
            _label_report.indicators([row["labels"] for row in rows], self.names),
            _label_report.indicators([row["predicted"] for row in rows], self.names),
            np.array([row["probabilities"] for row in rows]),
        )

    def given(self, rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        predictions = self.predictions(rows)
        return predictions.targets, self.distributions(predictions.probabilities)

    def forecasts(self, rows: Sequence[Mapping[str, Any]]) -> Forecasts:
        predictions = self.predictions(rows)
        return Forecasts.of_labels(predictions.targets, predictions.probabilities)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"labels": row["labels"]}

    def activate(self, outputs: Tensor) -> Tensor:
        import tensorflow as tf

        return tf.sigmoid(self.scaled(tf.cast(outputs, tf.float32)))

    def served(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return the predicted labels, and what they follow from, all [batch, labels].

        `labels`, string, has the predicted ones first, the most probable before the others, and
        then empty strings. `names` string, `probabilities` float32 and `thresholds` float32 are in
        the labels' own order.
        """
        return _thresholds.apply_in_graph(self.activate(outputs), self.names, self.thresholds)

    def evidence(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """Return log p / (1 - p) of the chosen label: its logit."""
        import tensorflow as tf

        return tf.gather(self.scaled(outputs), chosen, batch_dims=1)

    def evidence_served(self, outputs: Mapping[str, Any], chosen: int) -> float:
        from scipy.special import logit

        return float(logit(np.clip(outputs["probabilities"][chosen], 1e-7, 1 - 1e-7)))

    def explained_outputs(self, outputs: Mapping[str, Any]) -> Sequence[int]:
        """Return the predicted labels, the most probable first; that one if none is predicted."""
        p = np.array(outputs["probabilities"])
        order = np.argsort(-p, kind="stable").tolist()
        predicted = [n for n in order if p[n] >= outputs["thresholds"][n]]
        return predicted or order[:1]

    def classes(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return every label and its probability."""
        served = self.served(outputs)
        return {"classes": served["names"], "scores": served["probabilities"]}

    def onnx(self, graph: Any, logits: str) -> str:
        return graph.add("Sigmoid", self.scaled_onnx(graph, logits))

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's probabilities and labels with the run's.

        See `logit_change` for the change of the logits.
        """
        measured = np.array([sample["probabilities"] for sample in samples])
        before, after = self._decide(measured), self._decide(outputs)
        truth = _label_report.indicators([sample["labels"] for sample in samples], self.names)
        changed = int((before != after).any(axis=1).sum())
        return Comparison(
            samples=len(samples),
            largest_difference=float(np.abs(outputs - measured).max()),
            logit_change=logit_change(measured, outputs),
            changes=f"the labels of {changed} of {len(samples)} texts change",
            details={
                "labels_changed": changed,
                "same_labels": 1 - changed / len(samples),
                "sample_f1": float(label_metrics.sample_f1(truth, after).mean()),
            },
        )

    def override_threshold(self, threshold: str) -> None:
        """Use one threshold for all labels, or others for some; see `_thresholds.read`."""
        self.thresholds = _thresholds.read(threshold, self.names, self.thresholds)

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the predicted labels, the most probable first, and all probabilities by label."""
        probabilities = dict(zip(self.names, outputs["probabilities"], strict=True))
        # In float32, as in the graph.
        given = zip(probabilities.items(), np.array(self.thresholds, np.float32), strict=True)
        labels = [name for (name, p), threshold in given if p >= threshold]
        labels.sort(key=lambda name: -probabilities[name])
        return {"labels": labels, "probabilities": probabilities}

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the labels and their probabilities; `-` if there are none."""
        shown = [f"{answer['probabilities'][name]:.4f}" for name in answer["labels"]]
        labels = _label_report.cell(answer["labels"], self.names)
        return f"{labels}\t{','.join(shown)}" if shown else "-\t-"

    def answer_columns(self) -> dict[str, type]:
        return {"predicted": str, **{f"probability_{name}": float for name in self.names}}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        """Return the labels, joined as in data that is read, and the probability of each."""
        values = map(_digits.seven, answer["probabilities"].values())
        return (_label_report.cell(answer["labels"], self.names), *values)

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return the metrics of each label, and how the thresholds were chosen."""
        table = _label_report.table(metrics[split], split)
        origin = _label_report.origin(self._threshold, self._tuned_on)
        return ["", *table, *_label_report.summary(metrics[split], split), origin]

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return a note if the model predicts no label for any text."""
        predicts = metrics["labels_per_text"]["predicted"] > 0
        return [] if predicts else ["the model predicts no label for any text"]

    def chance_loss(self, summary: Mapping[str, Any]) -> tuple[float, str]:
        """Return the mean entropy of the labels."""
        loss = _label_shares.mean_entropy(summary["labels"], summary["examples"])
        return loss, "label frequencies alone give"

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        """Return a note if the interval of micro F1 is wide."""
        if not (micro_f1 := metrics["micro_f1"]):
            return None
        positives = sum(row["support"] for row in metrics["per_label"])
        interval = f1_interval(micro_f1, round(positives * metrics["micro_recall"]))
        return doubt_interval("micro F1", micro_f1, *interval)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        kind = config.get("problem_type")
        return None if kind == "multi_label_classification" else f"its problem_type is {kind}"

    def huggingface_config(self) -> dict:
        return {
            "problem_type": "multi_label_classification",
            "id2label": {str(index): label for index, label in enumerate(self.names)},
            "label2id": {label: index for index, label in enumerate(self.names)},
            "thresholds": dict(zip(self.names, self.thresholds, strict=True)),
        }

    def describe(self) -> str:
        labels = ", ".join(f"`{label}`" for label in self.names)
        return f"predicts any number of {len(self.names)} labels: {labels}"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        table = _label_report.markdown(metrics, splits)
        origin = _label_report.origin(self._threshold, self._tuned_on)
        note = f"A label is predicted if its probability is at least its threshold; {origin}."
        return "\n".join([*table, "", note])

    def _probabilities(self, outputs: np.ndarray) -> np.ndarray:
        return sigmoid(self.scaled(outputs))

    def _decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the predicted labels, 0 or 1 [examples, labels]."""
        return (probabilities >= np.array(self.thresholds)).astype(np.int64)

    def _chosen(self, indicators: np.ndarray) -> list[str]:
        return [name for name, chosen in zip(self.names, indicators, strict=True) if chosen]
