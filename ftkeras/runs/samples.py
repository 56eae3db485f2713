"""Texts that a run was measured on, kept with what it said of them: exports are checked by them.

They stay in the run's folder, so that a run can be exported where its data is not; none of them
goes into an export.
"""

import json
import pathlib

import numpy as np

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files

COUNT = 100


def positions(examples: int) -> np.ndarray:
    """Which of so many examples are kept: evenly over all, for some files go by label."""
    return np.unique(np.linspace(0, examples - 1, min(COUNT, examples)).round().astype(int))


def write(run_dir: pathlib.Path, predictions: list[dict], texts: list[dict[str, bytes]]) -> None:
    """Writes a JSON object a line: a prediction as `predictions.jsonl` has it, and its text.

    Bytes that are no UTF-8 become lone surrogates, as Python's "surrogateescape" has it.
    """
    lines = []
    for prediction, text in zip(predictions, texts, strict=True):
        named = {name: t.decode("utf-8", "surrogateescape") for name, t in text.items()}
        lines.append(json.dumps({**prediction, **named}))
    files.write_text(run_dir / layout.SAMPLES, "\n".join(lines) + "\n")


def read(run_dir: pathlib.Path) -> list[dict]:
    """What `write` wrote.

    Raises:
        UserError: it is not there or damaged.
    """
    try:
        lines = (run_dir / layout.SAMPLES).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
    except (OSError, ValueError):
        raise UserError(
            f"run_dir={run_dir} holds no {layout.SAMPLES} to check an export by; make it with: "
            f"python -m ftkeras.main evaluate --run_dir={run_dir}"
        ) from None
