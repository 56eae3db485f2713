"""Verify that a SavedModel predicts what its run has measured, in a process without ftkeras."""

import json
import os
import pathlib
import subprocess
import sys

from ftkeras.errors import UserError
from ftkeras.exporters._comparison import Bounds, first_rows
from ftkeras.problems import Comparison, Problem
from ftkeras.text.layer import TextLayer

SCRIPT = pathlib.Path(__file__).with_name("_run_saved_model.py")
# On a CPU, whatever trained: a process that uses a GPU takes all of its memory.
ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "GRPC_VERBOSITY": "ERROR"}
SIGNATURE_SAMPLES = 4  # every signature is run on the first few samples
# How far two signatures may differ, relative to the scale of their outputs, by the type that the
# model is computed in.
SIGNATURE_TOLERANCES = {"float32": 1e-4, "float16": 5e-3, "bfloat16": 5e-2}


class Verifier:
    """A process that loads TensorFlow while the model is still being written, and then checks it.

    Use it as a context manager; it verifies one model, and ends with the block.
    """

    def __enter__(self) -> "Verifier":
        self._process = subprocess.Popen(
            # -P: the script's folder has modules named like libraries, which must not be imported.
            [sys.executable, "-P", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:  # the model could not be written
            self._process.kill()
            self._process.communicate()

    def verify(
        self,
        folder: pathlib.Path,
        *,
        samples: list[dict],
        problem: Problem,
        text_layer: TextLayer,
        bounds: Bounds,
        compute: str,
        run_dir: pathlib.Path,
    ) -> tuple[Comparison, dict[str, float]]:
        """Run a SavedModel in the process, and compare its predictions with the run's.

        Args:
            folder: The SavedModel's folder.
            samples: Texts with the outputs that the run has measured.
            problem: Compares the answers.
            text_layer: Makes the ids for the signature that takes ids.
            bounds: How far the predictions may differ.
            compute: The type that the model is computed in.
            run_dir: The run's folder.

        Returns:
            The comparison, and the milliseconds of a batch by batch size.

        Raises:
            UserError: It does not load, a signature fails, or its predictions differ.
        """
        few = first_rows(samples[:SIGNATURE_SAMPLES], text_layer)
        findings = self._run(
            {
                "folder": str(folder.absolute()),
                "samples": samples,
                "labels": list(problem.names),
                "output": problem.output,
                "tolerance": SIGNATURE_TOLERANCES[compute] * problem.scale,
                "count": min(SIGNATURE_SAMPLES, len(samples)),
                "ids": {name: value.tolist() for name, value in few.ids.items()},
                "whole": few.is_whole.tolist(),
            }
        )
        comparison = problem.compare_served(samples, findings["rows"])
        bounds.check(comparison, "saved_model", run_dir, problem.unit)
        if wrong := findings["disagreements"]:
            raise UserError(f"export=saved_model: the written model is not usable: {wrong[0]}.")
        return comparison, findings["latency_ms"]

    def _run(self, request: dict) -> dict:
        output, errors = self._process.communicate(json.dumps(request))
        if code := self._process.returncode:
            last = (errors.strip().splitlines() or [f"exit code {code}"])[-1]
            raise UserError(
                f"export=saved_model: TensorFlow alone can't run the written model: {last[:300]}"
            )
        return json.loads(output)
