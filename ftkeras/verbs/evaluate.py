"""Measures a model on validation and test: metrics, confusion, and a prediction a text."""

import json
import pathlib

import keras
import numpy as np

from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.feed import OrderedFeed
from ftkeras.data.splits import Splits, opened
from ftkeras.errors import UserError
from ftkeras.experiment import build
from ftkeras.experiment.build import Experiment
from ftkeras.runs import metrics as report
from ftkeras.runs import samples
from ftkeras.support import files
from ftkeras.training import weights
from ftkeras.training.sharding import shard

TEST_PREDICTIONS, VALIDATION_PREDICTIONS = "predictions.jsonl", "predictions_validation.jsonl"


def run(config: Config) -> None:
    """`evaluate`: measures a finished run again and writes the figures into its folder."""
    run_dir = files.must_be_writable(config.run_dir, "--run_dir")
    experiment = build.experiment(config, run_dir=run_dir)
    if experiment.task.labels != experiment.labels:
        raise UserError(
            f"task={config.task}: its labels are now {experiment.task.labels}, but the run in "
            f"{run_dir} learnt {experiment.labels}."
        )
    weights.load(experiment.model.kept, run_dir / build.WEIGHTS_FILE)
    build.compile_to_measure(experiment)
    with opened(config, experiment.task, experiment.text_layer) as splits:
        measured, counts = evaluate(experiment, splits, run_dir), splits.counts()
    trained = report.read_metrics(run_dir).get("train", {})
    metrics = {**measured, "train": trained, "data": counts, "versions": report.versions()}
    if experiment.devices.is_chief:
        report.write_metrics(run_dir, metrics)
        report.show_metrics(measured, experiment.labels)


def evaluate(experiment: Experiment, splits: Splits, run_dir: pathlib.Path) -> dict:
    """Measures validation and test, writes a prediction a text, returns what metrics.json says."""
    parts, measured = {}, {}
    if splits.validation is not None:
        parts["validation"] = splits.validation, VALIDATION_PREDICTIONS
    if experiment.config.test:
        parts["test"] = splits.test, TEST_PREDICTIONS
    for name, (examples, file) in parts.items():
        logits = predict_logits(experiment, examples)
        said = predictions(examples, logits, experiment.labels)
        if experiment.devices.is_chief:
            _write_predictions(run_dir / file, said)
        figures = metrics(examples.own_labels, logits, experiment.model.loss)
        measured[name] = {**figures, "examples": len(examples)}
    if experiment.devices.is_chief:  # of the last split, which is test where there is one
        kept = samples.positions(len(examples))
        samples.write(run_dir, [said[at] for at in kept], splits.texts(examples, kept))
    return {**measured, "confusion": confusion(examples.own_labels, logits)}


def predict_logits(experiment: Experiment, examples: Examples) -> np.ndarray:
    """Logits of every example in the split's own order, float32 [examples, classes]."""
    pad_id = experiment.model.pad_id
    feed = OrderedFeed(examples, build.batching(experiment.config, pad_id=pad_id))
    held = shard(experiment.devices.strategy, feed.dataset)
    rows = experiment.model.predict(held.dataset, steps=held.steps, verbose=0)
    return feed.restored(rows).astype(np.float32)


def metrics(labels: np.ndarray, logits: np.ndarray, loss: keras.losses.Loss) -> dict[str, float]:
    """Accuracy, loss, precision, recall, F1 and area under the ROC curve.

    Of two classes, precision, recall and F1 are the second class's; of more, the unweighted mean
    over classes, and the area is one class against the rest.

    Args:
        labels: integer [examples].
        logits: [examples, classes].
        loss: labels, logits -> mean loss.
    """
    from sklearn import metrics as measure

    predicted = logits.argmax(axis=1)
    probabilities = softmax(logits)
    two = logits.shape[1] == 2
    classes = np.arange(logits.shape[1])
    # Without their names, classes that a split lacks would drop out of the mean over all.
    averaged = {"average": "binary"} if two else {"average": "macro", "labels": classes}
    precision, recall, f1, _ = measure.precision_recall_fscore_support(
        labels, predicted, zero_division=0.0, **averaged
    )
    scores = probabilities[:, 1] if two else probabilities
    complete = set(classes) == set(labels)  # the area is defined only where each class occurs
    auc = (
        measure.roc_auc_score(labels, scores, **({} if two else {"multi_class": "ovr"}))
        if complete
        else None
    )
    return {
        "accuracy": float(measure.accuracy_score(labels, predicted)),
        "loss": float(loss(labels, logits)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auc": None if auc is None else float(auc),
    }


def confusion(labels: np.ndarray, logits: np.ndarray) -> list[list[int]]:
    """Counts of examples: a row for each label, a column for each prediction."""
    from sklearn.metrics import confusion_matrix

    classes = np.arange(logits.shape[1])
    return confusion_matrix(labels, logits.argmax(axis=1), labels=classes).tolist()


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities [examples, classes]."""
    from scipy.special import softmax

    return softmax(logits, axis=1)


def predictions(examples: Examples, logits: np.ndarray, labels) -> list[dict]:
    """Of each text its id, its label, the prediction and the probabilities."""
    rows = zip(examples.rows, examples.own_labels, softmax(logits), strict=True)
    return [
        {
            "id": f"{examples.name}-{row}",
            "label": labels[label],
            "predicted": labels[int(probabilities.argmax())],
            "probabilities": [round(float(p), 7) for p in probabilities],
        }
        for row, label, probabilities in rows
    ]


def _write_predictions(path: pathlib.Path, said: list[dict]) -> None:
    """One JSON object a line."""
    lines = [json.dumps(prediction, ensure_ascii=False) for prediction in said]
    files.write_text(path, "\n".join(lines) + "\n")
