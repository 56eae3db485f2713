"""Find examples of a cross-validation whose label is probably wrong."""

import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.config.selection import SelectConfig
from ftkeras.errors import UserError
from ftkeras.prediction import answers
from ftkeras.prediction.inputs import Inputs, Item
from ftkeras.problems import Problem
from ftkeras.runs import crossvalidation, example_texts, layout
from ftkeras.runs import problem as recorded
from ftkeras.runs.example_texts import Place
from ftkeras.selection.table import Table
from ftkeras.statistics.confident_learning import Doubts, doubt
from ftkeras.support import files

log = logging.getLogger(__name__)

COLUMNS = {
    **{"file": str, "line": int, "rank": int, "suggested": str, "probability_of_label": float},
    **{"probability_of_suggested": float, "reason": str},
}


def choose(config: SelectConfig) -> Table:
    """Return the most doubtful examples, with the label that is more probable.

    Args:
        config: with the folder of a cross-validation.

    Raises:
        UserError: if it is none, its data can't be read, or its answers are no labels.
    """
    home = pathlib.Path(str(config.run_dir))
    rows, problem = _read(home)
    given = problem.given(rows)
    if given is None:
        raise UserError(
            f"run_dir={home}: a {problem.kind} has no labels that `doubtful` could check."
        )
    labels, probabilities = given
    doubts = [doubt(labels[:, n], probabilities[:, n]) for n in range(labels.shape[1])]
    examples, decisions = _ranked(doubts)
    log.info(
        f"{len(np.unique(examples)):,} of {len(rows):,} examples have a doubtful label, "
        f"{len(np.unique(examples)) / len(rows):.1%}"
    )
    examples, decisions = examples[: config.count], decisions[: config.count]
    ids = [rows[at]["id"] for at in examples]
    settings = flagfile.read(home / layout.CROSSVALIDATION_SETTINGS, CrossvalidateConfig)
    texts = example_texts.read(settings, ids)
    columns, places = _places(settings, problem, [rows[at] for at in examples], texts)
    inputs = Inputs(columns, iter(()))
    if config.output is not None:
        answers.check_output(config.output, inputs, example_texts.files(settings), COLUMNS)
    items = [Item(texts[one], None, places[one].row) for one in ids]
    numbers = zip(examples, decisions, strict=True)
    about = [_row(problem, labels, probabilities, doubts, at, n) for at, n in numbers]
    ranked = [
        {"file": places[one].file, "line": places[one].line, "rank": rank, **row}
        for rank, (one, row) in enumerate(zip(ids, about, strict=True), start=1)
    ]
    return Table(inputs, items, COLUMNS, ranked)


def _places(
    settings: Config,
    problem: Problem,
    rows: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
) -> tuple[tuple[str, ...], Mapping[str, Place]]:
    """Return the columns of the data, and where each example is in it.

    Of data that is no table, the columns are the text and its label, and the file is the split.
    """
    if (known := example_texts.places(settings, texts)) is not None:
        return known
    found, places = example_texts.split_and_row(settings, texts), {}
    for row in rows:
        split, number = found[row["id"]]
        (label,) = problem.truth(row).values()
        places[row["id"]] = Place(split, number + 1, (texts[row["id"]], label))
    return ("text", "label"), places


def _read(home: pathlib.Path) -> tuple[list[dict[str, Any]], Problem]:
    """Return the out-of-fold predictions, the mean over repeats, and the problem."""
    path = home / layout.OUT_OF_FOLD_PREDICTIONS
    try:
        lines = files.read_json_lines(path)
    except OSError:
        raise UserError(
            f"run_dir={home} is not the folder of a finished cross-validation: it has no "
            f"{path.name}; make one with: python -m ftkeras.main crossvalidate"
        ) from None
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in lines:
        by_id.setdefault(row["id"], []).append(row)
    rows = [_mean(rows_of_text) for rows_of_text in by_id.values()]
    return rows, recorded.of_run(crossvalidation.fold_path(home, 0, 0))


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a prediction with the mean of the probabilities of all repeats."""
    if "probabilities" not in rows[0]:
        return dict(rows[0])
    mean = np.mean([row["probabilities"] for row in rows], axis=0)
    return {**rows[0], "probabilities": mean.tolist()}


def _ranked(outputs: Sequence[Doubts]) -> tuple[np.ndarray, np.ndarray]:
    """Return the example and the decision of each doubtful label, the most doubtful first."""
    is_doubtful = np.stack([doubts.is_doubtful for doubts in outputs], axis=1)
    margins = np.stack([doubts.margin for doubts in outputs], axis=1)
    examples, decisions = np.nonzero(is_doubtful)
    order = np.argsort(margins[examples, decisions], kind="stable")
    return examples[order], decisions[order]


def _row(
    problem: Problem,
    labels: np.ndarray,
    probabilities: np.ndarray,
    doubts: Sequence[Doubts],
    example: int,
    number: int,
) -> dict[str, Any]:
    """Return the facts about a doubtful label."""
    label, suggested = labels[example, number], doubts[number].suggested[example]
    p = probabilities[example, number]
    names = problem.names
    if labels.shape[1] > 1 or len(names) != len(p):
        names = (f"not {problem.names[number]}", problem.names[number])
    threshold = doubts[number].thresholds[suggested]
    return {
        "suggested": names[suggested],
        "probability_of_label": float(p[label]),
        "probability_of_suggested": float(p[suggested]),
        "reason": (
            f"{names[label]} {p[label]:.2f}, {names[suggested]} {p[suggested]:.2f}, at least the "
            f"{threshold:.2f} that is usual for it"
        ),
    }
