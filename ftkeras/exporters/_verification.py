"""Verify that a SavedModel predicts what its run has measured, in a process without ftkeras."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np

from ftkeras.errors import UserError
from ftkeras.exporters._comparison import Bounds, padded_ids
from ftkeras.problems import Comparison, Problem
from ftkeras.text.layer import TextLayer

SCRIPT = pathlib.Path(__file__).with_name("_run_saved_model.py")
# On a CPU, whatever trained: a process that uses a GPU takes all of its memory.
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR"}
SIGNATURE_SAMPLES = 4  # every signature is run on the first few samples


def verify(
    folder: pathlib.Path,
    *,
    samples: list[dict],
    problem: Problem,
    text_layer: TextLayer,
    bounds: Bounds,
) -> tuple[Comparison, dict[str, float]]:
    """Run a SavedModel in its own process, and compare its predictions with the run's.

    Args:
        folder: The SavedModel's folder.
        samples: Texts with the outputs that the run has measured.
        problem: Compares the answers.
        text_layer: Makes the ids for the signature that takes ids.
        bounds: How far the predictions may differ.

    Returns:
        The comparison, and the milliseconds of a batch by batch size.

    Raises:
        UserError: It does not load, a signature fails, or its predictions differ.
    """
    ids = padded_ids(samples[:SIGNATURE_SAMPLES], text_layer)
    findings = _run(
        {
            "folder": str(folder.absolute()),
            "samples": samples,
            "labels": list(problem.names),
            "output": problem.output,
            "scale": problem.scale,
            "ids": {name: value.tolist() for name, value in ids.items()},
        }
    )
    found = problem.compare(samples, np.array(findings["outputs"]))
    bounds.check(found, "saved_model", problem.unit)
    if wrong := findings["disagreements"]:
        raise UserError(f"export=saved_model: the written model is not usable: {wrong[0]}.")
    return found, findings["latency_ms"]


def _run(request: dict) -> dict:
    done = subprocess.run(
        # -P: the script's folder has modules named like libraries, which must not be imported.
        [sys.executable, "-P", str(SCRIPT)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **ENVIRONMENT},
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UserError(
            f"export=saved_model: TensorFlow alone can't run the written model: {last[:300]}"
        )
    return json.loads(done.stdout)
