"""A short run that reaches a high accuracy, so that tests notice swapped rows or lost weights."""

import json
import math
import pathlib

import numpy as np

from tests.running import FLAGS, run_ftkeras

TRAIN, VALIDATION, TEST, EPOCHS, BATCH = 200, 100, 60, 4, 32
STEPS = EPOCHS * math.ceil(TRAIN / BATCH)
ENCODER = pathlib.Path(__file__).parent / "fixtures" / "reviews_encoder"
COMMAND = [
    f"--flagfile={FLAGS / 'quickstart.cfg'}",
    f"--encoder={ENCODER}",
    f"--train_examples={TRAIN}",
    f"--validation_examples={VALIDATION}",
    f"--test_examples={TEST}",
    f"--epochs={EPOCHS}",
    f"--batch_size={BATCH}",
    "--learning_rate=2e-3",
    "--noreport",
]


def make(folder: pathlib.Path) -> None:
    """Run it as a user does, leaving what it wrote to standard output and error beside it."""
    done = run_ftkeras(
        *COMMAND,
        "--run_dir=run",
        "--export=saved_model",
        "--export=huggingface",
        "--tensorboard",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    _check(folder / "run")


def predictions(run: pathlib.Path) -> list[dict]:
    """Read the predictions that a run left, one for each example of test."""
    return [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]


def texts(run: pathlib.Path) -> list[str]:
    """Return the texts of test in the order of the run's predictions."""
    from ftkeras.tasks.quickstart import Quickstart

    test = list(Quickstart().splits()["test"].as_numpy_iterator())
    ids = [prediction["id"].removeprefix("test-") for prediction in predictions(run)]
    return [test[int(number)]["text"].decode() for number in ids]


def _check(run: pathlib.Path) -> None:
    """Check that it has learned and that its answers differ from text to text."""
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] >= 0.9
    positive = np.array([p["probabilities"][1] for p in predictions(run)])
    assert positive.std() > 0.3
    # Neighboring rows differ by more than any tolerance that a test uses.
    assert np.median(np.abs(np.diff(positive))) > 0.01
