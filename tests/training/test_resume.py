"""A run that is killed and resumed writes the same bytes as one that is not."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.running import QUICK, succeed

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = [
    *QUICK,
    "--encoder=bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')",
    *("--run_dir=run", "--epochs=3", "--checkpoint_every=5", "--average=ema(decay=0.9)"),
]
# The calls at which a run is killed, one after the other; it is resumed each time.
DEATHS = [
    ("ftkeras.training.progress:Progress.on_train_batch_end", 8),  # between two checkpoints
    ("safetensors.numpy:save_file", 1),  # while a checkpoint is written
    ("os:replace", 2),  # when it is written, and not yet there
    ("ftkeras.training.best:BestEpoch.remove_unneeded", 2),
    ("ftkeras.training.history:History.on_epoch_end", 1),  # at an epoch's end, before it is kept
    ("ftkeras.experiment.evaluation:evaluate", 1),
    ("tensorflow:saved_model.save", 1),
]


def _outcome(folder: pathlib.Path) -> dict:
    """Return a run's results without its times and its memory."""
    rows = list(csv.DictReader((folder / "run" / "history.csv").open()))
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    return {
        "weights": (folder / "run" / "weights.safetensors").read_bytes(),
        "predictions": (folder / "run" / "predictions.jsonl").read_bytes(),
        "history": [{k: v for k, v in row.items() if k != "seconds"} for row in rows],
        "metrics": {k: v for k, v in metrics.items() if k != "train"},
        "trained": {k: metrics["train"][k] for k in ("steps", "best_epoch")},
    }


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return the folder of a run that was not killed."""
    folder = tmp_path_factory.mktemp("unbroken")
    succeed(*RUN, "--export=none", cwd=folder)
    return folder


@pytest.mark.parametrize(
    ("deaths", "export"),
    [
        (DEATHS[1:2], "--export=none"),
        pytest.param(DEATHS, "--export=saved_model", marks=pytest.mark.process),
    ],
    ids=["one", "all"],
)
def test_killed_run_ends_as_one_that_was_not(unbroken, tmp_path, deaths, export):
    run = [*RUN, export]
    for function, number in deaths:
        command = [sys.executable, "-m", "tests.dying", function, str(number), *run]
        options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
        died = subprocess.run(command, **options, capture_output=True, check=False)
        assert died.returncode == -signal.SIGKILL, (function, died.stderr)
    succeed(*run, cwd=tmp_path)
    expected, outcome = _outcome(unbroken), _outcome(tmp_path)
    for figure in expected:
        assert outcome[figure] == expected[figure], figure
    assert not [*(tmp_path / "run").rglob("*.partial")]
    if export != "--export=none":
        exported = tmp_path / "saved_models" / "quickstart"
        assert [path.name for path in exported.iterdir()] == ["1"]
