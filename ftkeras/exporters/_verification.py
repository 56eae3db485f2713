"""Whether a SavedModel says what its run has said, found out in a process without ftkeras."""

import json
import os
import pathlib
import subprocess
import sys

from ftkeras.errors import UserError
from ftkeras.exporters._sample_ids import padded_ids

CHECK = pathlib.Path(__file__).with_name("_check.py")
# On a CPU, whatever trained: a process that holds a GPU holds all of its memory.
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR"}
TEXTS_TOKENIZED = 4  # as many as `_check.py` runs every signature with


def verify(
    folder: pathlib.Path, *, samples: list[dict], labels, text_layer, tolerance: float
) -> dict:
    """Runs `_check.py` on a SavedModel.

    Args:
        folder: the SavedModel's.
        samples: texts, and the probabilities that the run has given them.
        labels: a class's name by its index.
        text_layer: makes the ids for the signature that takes ids.
        tolerance: how far a served probability may be from the run's.

    Returns:
        samples, largest_difference, same_label, accuracy, latency_ms.

    Raises:
        UserError: it does not load, a signature fails, or what is served differs.
    """
    ids = padded_ids(samples[:TEXTS_TOKENIZED], text_layer)
    told = {
        "folder": str(folder.absolute()),
        "samples": samples,
        "labels": list(labels),
        "ids": {name: value.tolist() for name, value in ids.items()},
        "tolerance": tolerance,
    }
    found = _run(told)
    wrong = found.pop("disagreements")
    if found["largest_difference"] > tolerance:
        wrong.insert(0, _differs(found, tolerance))
    if wrong:
        raise UserError(f"`export`: the SavedModel was checked and is not served: {wrong[0]}.")
    return found


def _run(told: dict) -> dict:
    done = subprocess.run(
        # -P: a part of ours may be named as a library is, and must not stand in its place.
        [sys.executable, "-P", str(CHECK)],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(f"`export`: the SavedModel can't be run by TensorFlow alone: {last[:300]}")
    return json.loads(done.stdout)


def _differs(found: dict, tolerance: float) -> str:
    return (
        f"a probability is {found['largest_difference']:.1e} from what the run has measured, over "
        f"{tolerance:g}; {found['same_label']:.0%} of {found['samples']} texts keep their label"
    )
