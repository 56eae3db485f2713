"""Train a run again in a new process, and compare what comes of it bit by bit."""

import dataclasses
import pathlib
import tempfile
from typing import Any

import numpy as np

from ftkeras.checkpoints import tensor_file
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.processes import child_run
from ftkeras.runs import layout
from ftkeras.support import files


def prove(config: Config, run_dir: pathlib.Path) -> dict[str, Any]:
    """Return how the weights and the answers of a second training differ from a run's.

    It runs on this machine, in a temporary folder, and takes as long as the first training.

    Args:
        config: the run's.
        run_dir: the run's folder, which is only read.

    Returns:
        "identical": whether all weights have the same bits; "tensors" and "different_tensors": how
        many there are, and how many differ; "largest_difference" of a weight; "predictions" and
        "different_predictions": how many there are on "split", which is validation if the run was
        not tested, and how many lines differ; "seconds".

    Raises:
        UserError: if the run kept no weights, or the second training fails.
    """
    before = _weights(run_dir / layout.WEIGHTS)
    again = dataclasses.replace(config, export=("none",), report=False, track=())
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        folder = pathlib.Path(name) / "run"
        outcome = child_run.train(again, folder)
        if outcome.reason is not None:
            raise UserError(f"prove: the second training failed: {outcome.reason}")
        differences = compare(before, _weights(folder / layout.WEIGHTS))
        split = "test" if (run_dir / layout.PREDICTIONS["test"]).is_file() else "validation"
        lines = [_predictions(one / layout.PREDICTIONS[split]) for one in (run_dir, folder)]
    different = sum(one != other for one, other in zip(*lines, strict=False))
    return {
        **differences,
        "split": split,
        "predictions": len(lines[0]),
        "different_predictions": different + abs(len(lines[0]) - len(lines[1])),
        "seconds": round(outcome.seconds, 1),
    }


def compare(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return how tensors differ, by their names.

    Raises:
        UserError: if they have other names or shapes.

    >>> one = {"a": np.zeros(2, "float32"), "b": np.ones(2, "float32")}
    >>> compare(one, {**one, "b": np.array([1, 1.5], "float32")})
    {'identical': False, 'tensors': 2, 'different_tensors': 1, 'largest_difference': 0.5}
    """
    shapes = [{name: tensor.shape for name, tensor in one.items()} for one in (before, after)]
    if shapes[0] != shapes[1]:
        raise UserError("prove: the second training made a model of another architecture.")
    differ = [n for n, tensor in before.items() if tensor.tobytes() != after[n].tobytes()]
    largest = [
        np.abs(before[n].astype(np.float64) - after[n].astype(np.float64)).max() for n in differ
    ]
    return {
        "identical": not differ,
        "tensors": len(before),
        "different_tensors": len(differ),
        "largest_difference": float(max(largest, default=0.0)),
    }


def _weights(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        return tensor_file.read(path)[0]
    except (FileNotFoundError, tensor_file.DamagedError):
        raise UserError(f"prove: {path} can't be read; the run kept no weights.") from None


def _predictions(path: pathlib.Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return files.read_json_lines(path)
