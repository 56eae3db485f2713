"""Verify exported models in this process, which has TensorFlow loaded already.

A process of its own, as users have it, takes 6 seconds of CPU for each export.
"""

import json
from typing import Any

import pytest

from ftkeras.exporters import _run_saved_model, _verification, saved_model


class Verifier(_verification.Verifier):
    """Run the models here: the same checks, with fewer timed runs."""

    def __enter__(self) -> "Verifier":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _run(self, request: dict) -> dict[str, Any]:
        import tensorflow_text  # noqa: F401  registers the ops of the text layer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_run_saved_model, "SECONDS", 0.0)
            patch.setattr(_run_saved_model, "FEWEST_RUNS", 1)
            # Through JSON, as between two processes.
            findings = _run_saved_model.find(json.loads(json.dumps(request)))
        return json.loads(json.dumps(findings))


def apply(patch: pytest.MonkeyPatch) -> None:
    """Make all exports of this process use it."""
    patch.setattr(saved_model, "Verifier", Verifier)
