"""Folders of finished runs with made-up predictions, written without training anything."""

import json
import pathlib

import numpy as np

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.pages.run_view import NoTexts, RunView, read
from ftkeras.runs import layout

HOSTILE = "</td><script>alert('x')</script> & \"quoted\" $x$"
HISTORY = """epoch,accuracy,loss,val_accuracy,val_loss,learning_rate,seconds
1,0.71,0.62,0.75,0.51,1e-5,3.5
2,0.82,0.41,0.84,0.35,5e-6,3.4
3,0.91,0.22,0.83,0.38,1e-6,3.4
"""
TRAIN = {"seconds": 10.3, "steps": 30, "best_epoch": 2, "last_loss": 0.22}


class TextsInMemory:
    """The texts of a split, and those that a model was trained on.

    Args:
        test: the texts of the predictions.
        train: those that the model was trained on, and their targets.
        columns: the values of further columns of test.
    """

    def __init__(self, test, train=((), ()), columns=None):
        self._columns = columns or {}
        self._splits = {"test": (test, ()), "train": train}

    def read(self, split, most=None):
        texts, targets = self._splits[split]
        if not len(texts):
            raise UserError(f"there is no {split}")
        return [{"text": text} for text in texts[:most]], np.array(targets)[:most]

    def near_duplicates(self, split, most):
        texts, known = self._splits[split][0], list(self._splits["train"][0])
        found = [(text, n, 1.0) for n, text in enumerate(texts) if text in known]
        return len(found), found[:most]

    def column(self, split, name):
        return self._columns[name]


def write(folder: pathlib.Path, labels, rows, metrics, *, task="imdb", state=None) -> None:
    """Write the files of a finished run that a report reads."""
    folder.mkdir(parents=True, exist_ok=True)
    config = Config(task=task, learning_rate=1e-5, epochs=3)
    (folder / layout.SETTINGS).write_text(flagfile.render(config))
    (folder / layout.LABELS).write_text(json.dumps(labels))
    if state:
        (folder / layout.PROBLEM).write_text(json.dumps(state))
    data = {"train": 60, "validation": 20, "test": len(rows), "in_train_and_test": 0}
    (folder / layout.METRICS).write_text(json.dumps({"train": TRAIN, "data": data, **metrics}))
    (folder / layout.HISTORY).write_text(HISTORY)
    lines = [json.dumps({"id": f"test-{n}", **row}) for n, row in enumerate(rows)]
    (folder / layout.PREDICTIONS["test"]).write_text("\n".join(lines) + "\n")


def classes(folder: pathlib.Path, labels, *, examples: int = 80, texts=None, truth=None) -> RunView:
    """Return a view of a classifier that is right about four times in five."""
    rng = np.random.default_rng(0)
    truth = np.arange(examples) % len(labels) if truth is None else np.array(truth)
    scores = rng.normal(size=(examples, len(labels)))
    scores[np.arange(examples), truth] += 2
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    rows = [
        {
            "label": labels[label],
            "predicted": labels[int(share.argmax())],
            "probabilities": [round(float(p), 7) for p in share],
        }
        for label, share in zip(truth, shares, strict=True)
    ]
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (truth, shares.argmax(axis=1)), 1)
    measured = {"accuracy": float((shares.argmax(axis=1) == truth).mean()), "examples": examples}
    write(folder, labels, rows, {"test": measured, "confusion": confusion.tolist()})
    return read(folder, texts or NoTexts("no texts"))
