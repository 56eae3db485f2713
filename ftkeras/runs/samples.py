"""Sample texts of the last evaluated split, with the run's predictions, to verify exports by.

They stay in the run's folder, so that a run can be exported on a machine without its data. No
export contains them.
"""

import json
import pathlib

import numpy as np

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import commands, files

COUNT = 100


def positions(examples: int) -> np.ndarray:
    """Return the positions of the samples among the given number of examples.

    They are spread evenly, because some files are sorted by label.
    """
    return np.unique(np.linspace(0, examples - 1, min(COUNT, examples)).round().astype(int))


def write(run_dir: pathlib.Path, predictions: list[dict], texts: list[dict[str, bytes]]) -> None:
    """Write one JSON object per line: a prediction and its text.

    Args:
        run_dir: the run's folder.
        predictions: as predictions.jsonl has them.
        texts: of each prediction, "text" and for pairs "pair", as raw bytes. Bytes that are not
            valid UTF-8 become lone surrogates (Python's "surrogateescape").
    """
    lines = []
    for prediction, text in zip(predictions, texts, strict=True):
        named = {name: t.decode("utf-8", "surrogateescape") for name, t in text.items()}
        lines.append(json.dumps({**prediction, **named}))
    files.write_text(run_dir / layout.SAMPLES, "\n".join(lines) + "\n")


def read(run_dir: pathlib.Path) -> list[dict]:
    """Return the samples that `write` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    try:
        return files.read_json_lines(run_dir / layout.SAMPLES)
    except (OSError, ValueError):
        raise UserError(
            f"run_dir={run_dir} has no readable {layout.SAMPLES}, by which exports are verified; "
            "write it with: "
            f"{commands.line('evaluate', run_dir=run_dir)}"
        ) from None
