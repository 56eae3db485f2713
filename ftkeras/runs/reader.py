"""Read finished runs for `compare`: their settings, and what they predicted for which examples."""

import csv
import dataclasses
import hashlib
import pathlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.runs import layout
from ftkeras.runs import problem as recorded_problem
from ftkeras.runs.crossvalidation import fold_configs, fold_folder
from ftkeras.statistics.bootstrap import Predictions
from ftkeras.support import files

# Settings that do not make another recipe: the seed, and where token ids are cached.
NOT_IN_RECIPE = ("seed", "cache_dir")
_QUOTED = re.compile(r"'[^']+'")
_DIGITS = 8


@dataclass(frozen=True)
class FinishedRun:
    """A run, or one repeat of a cross-validation.

    Attributes:
        folder: as the user wrote it.
        config: its settings; of a cross-validation, those of its first fold.
        ids: of the examples, sorted by split and row.
        predictions: for these examples, in the order of `ids`.
        answers: the true answer to each example, as predictions.jsonl has it.
        problem: what was asked.
        curves: the rows of each history.csv, one for each run.
        repeat: the number of the repeat, from 0; None for a run.
        folds: integer [examples], the fold of each example, in the order of `ids`; None for a run.
    """

    folder: str
    config: Config
    ids: tuple[str, ...]
    predictions: Predictions
    answers: tuple[dict, ...]
    problem: Problem
    curves: tuple[list[dict], ...]
    repeat: int | None = None
    folds: np.ndarray | None = None

    @property
    def seed_and_repeat(self) -> str:
        """Return the seed and the repeat, which distinguish runs of a recipe, such as "seed 1"."""
        repeat = "" if self.repeat is None else f", repeat {self.repeat}"
        return f"seed {self.config.seed}{repeat}"


def read(folder: str, *, split: str) -> list[FinishedRun]:
    """Return the run in a folder, or the repeats of the cross-validation in it.

    Args:
        folder: of a run or a cross-validation.
        split: test or validation, whose predictions to read; a cross-validation has out-of-fold
            predictions instead.

    Raises:
        UserError: the folder holds neither, or it is not finished.
    """
    home = pathlib.Path(folder)
    if (home / layout.CROSSVALIDATION_SETTINGS).is_file():
        return _read_repeats(folder, home)
    if not (home / layout.SETTINGS).is_file():
        raise UserError(
            f"{folder} is not the folder of a run or of a cross-validation: it has neither "
            f"{layout.SETTINGS} nor {layout.CROSSVALIDATION_SETTINGS}."
        )
    rows = _read_predictions(home / layout.PREDICTIONS[split], f"split={split}: ")
    config, problem = flagfile.read(home / layout.SETTINGS, Config), recorded_problem.of_run(home)
    curves = (_read_history(home),)
    return [FinishedRun(folder, config, *_ids_and_predictions(rows, problem), problem, curves)]


def check_comparable(runs: Sequence[FinishedRun]) -> None:
    """Raise UserError unless all runs predicted the same labels for the same examples.

    Raises:
        UserError: saying in one line what differs.
    """
    first = runs[0]
    for other in runs[1:]:
        both = f"{first.folder} and {other.folder}"
        if first.problem.kind != other.problem.kind:
            raise UserError(
                f"{both} can't be compared: a {first.problem.kind} and a {other.problem.kind}."
            )
        if first.problem.names != other.problem.names:
            raise UserError(
                f"{both} have different labels: {first.problem.names} and {other.problem.names}."
            )
        if first.ids != other.ids:
            common = len(set(first.ids) & set(other.ids))
            raise UserError(
                f"{both} were evaluated on different examples ({len(first.ids):,} and "
                f"{len(other.ids):,}, {common:,} in common), so their predictions can't be "
                "paired; `test_examples`, `data_seed` and `task` decide which examples are used."
            )
        differ = first.predictions.truth != other.predictions.truth
        if (differ := differ.reshape(len(first.ids), -1).any(axis=1)).any():
            raise UserError(
                f"{both} were evaluated on different data: {first.ids[differ.argmax()]} and "
                f"{differ.sum() - 1:,} more examples have another label."
            )


def group_by_recipe(runs: Sequence[FinishedRun]) -> list[list[FinishedRun]]:
    """Group the runs whose settings differ only in the seed, in the order they were given.

    Raises:
        UserError: a run was given twice.
    """
    recipes = {}
    for run in runs:
        recipes.setdefault(tuple(_settings(run).items()), []).append(run)
    for group in recipes.values():
        folders = {}
        for run in group:
            if run.seed_and_repeat in folders:
                raise UserError(
                    f"{folders[run.seed_and_repeat]} and {run.folder} are the same run: they have "
                    f"the same settings and {run.seed_and_repeat}."
                )
            folders[run.seed_and_repeat] = run.folder
    return list(recipes.values())


def recipe_differences(recipes: Sequence[Sequence[FinishedRun]]) -> list[dict[str, object]]:
    """Return each recipe's values of the settings that are not the same in all recipes."""
    settings = [_settings(runs[0]) for runs in recipes]
    names = [name for name in settings[0] if len({one[name] for one in settings}) > 1]
    return [{name: one[name] for name in names} for one in settings]


def _settings(run: FinishedRun) -> dict[str, object]:
    """Return the settings that make a recipe."""
    found = {
        field.name: getattr(run.config, field.name)
        for field in dataclasses.fields(Config)
        if field.metadata["group"] != "Output" and field.name not in NOT_IN_RECIPE
    }
    home = pathlib.Path(run.folder).resolve()
    return {**found, "task": _QUOTED.sub(lambda path: _by_content(path[0], home), run.config.task)}


def _by_content(quoted: str, home: pathlib.Path) -> str:
    """Return the name of a file in a task; by its content, if the run has its own copy of it.

    These are examples that were given in memory: two runs on the same have different copies.
    """
    path = pathlib.Path(quoted[1:-1])
    own = home / layout.DATA / path.name
    if path.parts[-3:] != own.parts[-3:] or not own.is_file():
        return quoted
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    return f"'{own.stem}-{digest[:_DIGITS]}'"


def _read_repeats(folder: str, home: pathlib.Path) -> list[FinishedRun]:
    config = flagfile.read(home / layout.CROSSVALIDATION_SETTINGS, CrossvalidateConfig)
    folds = fold_configs(config, repeats=config.repeats)
    rows = _read_predictions(home / layout.OUT_OF_FOLD_PREDICTIONS, "")
    problem = recorded_problem.of_run(fold_folder(home, folds[0]))
    repeats = []
    for repeat in range(config.repeats):
        own = sorted((row for row in rows if row["repeat"] == repeat), key=_split_and_row)
        if not own:
            raise UserError(
                f"{folder} is not finished: it has no predictions of repeat {repeat + 1} of "
                f"{config.repeats}; repeat its `crossvalidate` command."
            )
        of_repeat = [fold for fold in folds if fold.fold_repeat == repeat]
        repeats.append(
            FinishedRun(
                folder,
                folds[0],
                *_ids_and_predictions(own, problem),
                problem,
                curves=tuple(_read_history(fold_folder(home, fold)) for fold in of_repeat),
                repeat=repeat,
                folds=np.array([row["fold"] for row in own]),
            )
        )
    return repeats


def _ids_and_predictions(
    rows: list[dict], problem: Problem
) -> tuple[tuple[str, ...], Predictions, tuple[dict, ...]]:
    rows = sorted(rows, key=_split_and_row)
    answers = tuple(map(problem.truth, rows))
    return tuple(row["id"] for row in rows), problem.predictions(rows), answers


def _split_and_row(prediction: dict) -> tuple[str, int]:
    split, _, row = prediction["id"].rpartition("-")
    return split, int(row)


def _read_predictions(path: pathlib.Path, prefix: str) -> list[dict]:
    try:
        return files.read_json_lines(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{prefix}{path.parent} is not finished, or was not evaluated on this split: "
            f"{path.name} can't be read ({getattr(error, 'strerror', error)})."
        ) from None


def _read_history(run_dir: pathlib.Path) -> list[dict]:
    """Return the rows of history.csv as numbers; none if there is no such file."""
    path = run_dir / layout.HISTORY
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
