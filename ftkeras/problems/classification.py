"""Classification: one of several labels for each text, or pair of texts."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ftkeras.problems import _class_report, _digits
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._classes_page import ClassesPage
from ftkeras.problems._comparison import Comparison, compare_choices
from ftkeras.problems._one_of_several import OneOfSeveral, doubt, softmax
from ftkeras.problems._temperature import TemperatureScaled
from ftkeras.statistics import classifier_metrics, imbalance
from ftkeras.statistics.calibration import Forecasts
from ftkeras.statistics.class_predictions import ClassPredictions
from ftkeras.statistics.significance import wilson

Tensor = Any


class Classification(ClassesPage, TemperatureScaled, OneOfSeveral):
    """Assign one of several labels.

    An answer is the id of a label. The outputs are logits, [examples, classes], whose softmax gives
    the probabilities, after a division by the temperature if `calibrate` was called.

    Args:
        labels: the labels' names, in the order of their ids.
    """

    kind = "text classifier"
    head = "classification"
    loss = "cross_entropy"
    losses = ("cross_entropy", "focal", "mean_squared_error", "binary_cross_entropy")
    metric = "accuracy"
    measures = (
        Measure("accuracy"),
        LOSS,
        *map(Measure, ("precision", "recall", "f1", "auc", "macro_f1")),
        Measure("mcc", limits=(-1.0, 1.0)),
        Measure("balanced_accuracy"),
    )
    columns = ("accuracy", "loss", "precision", "recall", "f1", "auc")
    reported: ClassVar = {"accuracy": "acc"}
    output, unit = "probabilities", "a probability"
    has_classes = True
    one_label = True
    pipeline = "text-classification"
    hub_metrics: ClassVar = {n: n for n in ("accuracy", "f1", "precision", "recall")}

    def __init__(self, *, labels: Sequence[str]):
        self.names = tuple(labels)
        self.loss_settings = {"classes": len(self.names)}

    def state(self) -> dict:
        return self.calibration_state()

    def restore_state(self, state: dict) -> None:
        self.restore_calibration(state)

    def negative_log_likelihood(self, targets: np.ndarray, logits: np.ndarray) -> float:
        from scipy.special import log_softmax

        return -float(log_softmax(logits, axis=1)[np.arange(len(targets)), targets].mean())

    def forecast(self, targets: np.ndarray, logits: np.ndarray) -> Forecasts:
        return Forecasts.of_classes(targets, softmax(logits))

    def weigh(self, spec: str, targets: np.ndarray) -> np.ndarray:
        """Return the weight of each example's class; see `imbalance.class_weights`."""
        return imbalance.class_weights(spec, targets, self.names)[targets]

    def single_class(self, targets: np.ndarray) -> np.ndarray:
        return targets

    def imbalance(self, targets: np.ndarray) -> list[str]:
        rare = imbalance.rare_class_warnings(targets, self.names)
        return [f"{line} (see `class_weights` and `oversample`)" for line in rare]

    def shortcoming(self, targets: np.ndarray) -> str | None:
        classes = np.unique(targets)
        if len(classes) > 1:
            return None
        return (
            f"are {self.names[classes[0]]!r}; one class is not enough to train or evaluate a "
            "classifier"
        )

    def stratum(self, targets: np.ndarray) -> np.ndarray:
        return targets

    def summarize(self, targets: np.ndarray) -> dict:
        return {"labels": np.bincount(targets, minlength=len(self.names)).tolist()}

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the metrics of all classes and of each; see `classifier_metrics`."""
        import keras

        outputs = self.scaled(outputs)
        probabilities = softmax(outputs)
        measured = classifier_metrics.measure(targets, probabilities)
        return {
            "accuracy": measured["accuracy"],
            "loss": float(keras.ops.convert_to_numpy(loss(targets, outputs))),
            **measured,
            **classifier_metrics.per_class(targets, probabilities, self.names),
        }

    def details(self, targets: np.ndarray, outputs: np.ndarray) -> dict:
        """Return the confusion matrix: a row for each label, a column for each prediction."""
        from sklearn.metrics import confusion_matrix

        classes = np.arange(outputs.shape[1])
        confusion = confusion_matrix(targets, outputs.argmax(axis=1), labels=classes)
        return {"confusion": confusion.tolist()}

    def distributions(self, answers: np.ndarray) -> np.ndarray:
        return answers[:, None]

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each text's label, predicted label and probabilities."""
        return [
            {
                "label": self.names[label],
                "predicted": self.names[int(best)],
                "probabilities": [_digits.nine(p) for p in probabilities],
            }
            for label, best, probabilities in zip(
                targets, outputs.argmax(axis=1), softmax(self.scaled(outputs)), strict=True
            )
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> ClassPredictions:
        labels = np.array([self.names.index(row["label"]) for row in rows])
        return ClassPredictions(labels, np.array([row["probabilities"] for row in rows]))

    def given(self, rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
        predictions = self.predictions(rows)
        return predictions.labels[:, None], self.distributions(predictions.probabilities)

    def forecasts(self, rows: Sequence[Mapping[str, Any]]) -> Forecasts:
        predictions = self.predictions(rows)
        return Forecasts.of_classes(predictions.labels, predictions.probabilities)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"label": row["label"]}

    def activate(self, outputs: Tensor) -> Tensor:
        import tensorflow as tf

        return tf.nn.softmax(self.scaled(outputs))

    def served(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return `label` string [batch], its probability `score`, and `probabilities`."""
        import tensorflow as tf

        probabilities = self.activate(outputs)
        best = tf.argmax(outputs, axis=-1)
        return {
            "label": tf.gather(tf.constant(list(self.names)), best),
            "score": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }

    def evidence(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """Return log p / (1 - p): the label's logit minus the log-sum-exp of the others."""
        import tensorflow as tf

        outputs = self.scaled(outputs)
        own = tf.one_hot(chosen, tf.shape(outputs)[-1], on_value=True, off_value=False)
        others = tf.where(own, tf.constant(-np.inf, outputs.dtype), outputs)
        return tf.gather(outputs, chosen, batch_dims=1) - tf.reduce_logsumexp(others, axis=-1)

    def evidence_served(self, outputs: Mapping[str, Any], chosen: int) -> float:
        p = np.array(outputs["probabilities"], np.float64)
        return float(np.log(p[chosen]) - np.log(np.delete(p, chosen).sum()))

    def classes(self, outputs: Tensor) -> dict[str, Tensor]:
        import tensorflow as tf

        labels = tf.constant([list(self.names)])
        return {
            "classes": tf.repeat(labels, tf.shape(outputs)[0], axis=0),
            "scores": self.activate(outputs),
        }

    def onnx(self, graph: Any, logits: str) -> str:
        return graph.add("Softmax", self.scaled_onnx(graph, logits), axis=-1)

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's probabilities with the run's; see `compare_choices`."""
        measured = np.array([sample["probabilities"] for sample in samples])
        truth = np.array([self.names.index(sample["label"]) for sample in samples])
        compared = compare_choices(measured, outputs, truth, unit="label")
        changed, *others = compared.details.items()
        same = "same_label", 1 - changed[1] / len(samples)
        return dataclasses.replace(compared, details=dict([changed, same, *others]))

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        label, score = outputs["label"].decode(), outputs["score"]
        return {"label": label, "score": score, "probabilities": outputs["probabilities"]}

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the label and its probability."""
        return f"{answer['label']}\t{answer['score']:.4f}"

    def answer_columns(self) -> dict[str, type]:
        return {"predicted": str, **{f"probability_{name}": float for name in self.names}}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        return (answer["label"], *map(_digits.seven, answer["probabilities"]))

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return the metrics of each class, and the confusion matrix."""
        lines = []
        if "per_class" in metrics[split]:  # runs of earlier versions lack it
            lines += ["", _class_report.table(metrics[split], split)]
        if "confusion" in metrics:
            confusion = _class_report.confusion(metrics["confusion"], self.names, split, file)
            lines += ["", *confusion]
        return lines

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return a note if the model always predicts a label that not all examples have."""
        confusion = np.array(metrics["confusion"])
        present, used = (np.flatnonzero(confusion.sum(axis=axis)) for axis in (1, 0))
        if len(used) != 1 or np.array_equal(present, used):
            return []
        return [f"the model always predicts {self.names[used[0]]!r}"]

    def chance_loss(self, summary: Mapping[str, Any]) -> tuple[float, str]:
        """Return the entropy of the labels, -Σ p log p: the loss of their frequencies."""
        return entropy(summary["labels"]), "label frequencies alone give"

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        return doubt(metrics)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        kind = config.get("problem_type")
        is_other = kind not in (None, "single_label_classification")
        return f"its problem_type is {kind}" if is_other else None

    def huggingface_config(self) -> dict:
        return {
            "id2label": {str(index): label for index, label in enumerate(self.names)},
            "label2id": {label: index for index, label in enumerate(self.names)},
        }

    def describe(self) -> str:
        labels = ", ".join(f"`{label}`" for label in self.names)
        return f"predicts one of {len(self.names)} labels: {labels}"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        lines = [
            "| split | examples | accuracy (95 % interval) | F1 | area under ROC | loss |",
            "|---|---|---|---|---|---|",
            *(_card_row(split, metrics[split]) for split in splits),
        ]
        f1 = f"for `{self.names[1]}`" if len(self.names) == 2 else "the mean over the labels"
        note = f"The interval is Wilson's. F1 is {f1}."
        if "confusion" in metrics:
            note += (
                f" Confusion matrix on {splits[-1]}, one row per label and one column per "
                f"prediction, in the order above: `{metrics['confusion']}`."
            )
        return "\n".join([*lines, "", note])


def entropy(counts: Sequence[int]) -> float:
    """Return the entropy of a label's distribution, in nats.

    >>> round(entropy([5, 5, 0]), 4)
    0.6931
    """
    total = sum(counts)
    return -sum(count / total * math.log(count / total) for count in counts if count)


def _card_row(split: str, measured: Mapping[str, Any]) -> str:
    low, high = wilson(measured["accuracy"], measured["examples"])
    auc = "-" if measured["auc"] is None else f"{measured['auc']:.4f}"
    return (
        f"| {split} | {measured['examples']:,} | {measured['accuracy']:.4f} ({low:.4f} to "
        f"{high:.4f}) | {measured['f1']:.4f} | {auc} | {measured['loss']:.4f} |"
    )
