"""Finished runs as `compare` sees them: settings, and what each said of which examples."""

import csv
import dataclasses
import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.runs.crossvalidation import fold_configs, fold_folder
from ftkeras.statistics.bootstrap import Predictions

# Settings that do not make another way: the draw, where things go, and what comes after training.
BESIDE = ("seed", "cache_dir")


@dataclass(frozen=True)
class Finished:
    """A run, or one repeat of a cross-validation.

    Attributes:
        folder: as it was named.
        config: its settings; of a cross-validation, its first fold's.
        ids: of the examples, sorted.
        predictions: for these examples, in the order of `ids`.
        names: of the labels, in the order of their ids.
        curves: the rows of each history.csv, one a run.
        repeat: of a cross-validation.
        folds: the fold of each example, in the order of `ids`; None of a run.
    """

    folder: str
    config: Config
    ids: tuple[str, ...]
    predictions: Predictions
    names: tuple[str, ...]
    curves: tuple[list[dict], ...]
    repeat: int | None = None
    folds: np.ndarray | None = None

    @property
    def draw(self) -> str:
        """What tells it from others of its way."""
        repeat = "" if self.repeat is None else f", repeat {self.repeat}"
        return f"seed {self.config.seed}{repeat}"


def read(folder: str, *, split: str) -> list[Finished]:
    """What lies in a folder: a run, or the repeats of a cross-validation.

    Raises:
        UserError: neither does, or it is not finished.
    """
    home = pathlib.Path(folder)
    if (home / layout.CROSSVALIDATION_SETTINGS).is_file():
        return _repeats(folder, home)
    if not (home / layout.SETTINGS).is_file():
        raise UserError(
            f"{folder} holds neither {layout.SETTINGS} nor {layout.CROSSVALIDATION_SETTINGS}, so "
            "it is not the folder of a run or of a cross-validation."
        )
    lines = _lines(home / layout.PREDICTIONS[split], f"--split={split}: ")
    config, names = flagfile.read(home / layout.SETTINGS, Config), _names(home)
    return [Finished(folder, config, *_said(lines, names), names, (_curve(home),))]


def must_match(finished: Sequence[Finished]) -> None:
    """Refuses runs whose answers can't be paired.

    Raises:
        UserError: saying in one line what differs.
    """
    first = finished[0]
    for other in finished[1:]:
        both = f"{first.folder} and {other.folder}"
        if first.names != other.names:
            raise UserError(f"{both} have other labels: {first.names} and {other.names}.")
        if first.ids != other.ids:
            common = len(set(first.ids) & set(other.ids))
            raise UserError(
                f"{both} were measured on other examples ({len(first.ids):,} and "
                f"{len(other.ids):,}, {common:,} in common), so their answers can't be paired; "
                "`test_examples`, `data_seed` and `task` decide which those are."
            )
        if (differ := first.predictions.labels != other.predictions.labels).any():
            raise UserError(
                f"{both} were measured on other data: {first.ids[differ.argmax()]} and "
                f"{differ.sum() - 1:,} more have another label."
            )


def ways(finished: Sequence[Finished]) -> list[list[Finished]]:
    """The runs that differ in nothing but the draw, together, in the order they were named.

    Raises:
        UserError: there is but one way, or a run stands twice.
    """
    found = {}
    for one in finished:
        found.setdefault(tuple(_settings(one.config).items()), []).append(one)
    for runs in found.values():
        draws = {}
        for one in runs:
            if (before := draws.setdefault(one.draw, one.folder)) != one.folder:
                raise UserError(
                    f"{before} and {one.folder} are one run twice: the same settings and "
                    f"{one.draw}."
                )
    if len(found) == 1:
        raise UserError(
            f"{', '.join(dict.fromkeys(one.folder for one in finished))} differ in nothing but "
            "the draw, so there is one way only, and nothing to compare it with."
        )
    return list(found.values())


def differences(found: Sequence[Sequence[Finished]]) -> list[dict[str, object]]:
    """The settings of each way that are not those of all."""
    settings = [_settings(runs[0].config) for runs in found]
    named = [name for name in settings[0] if len({one[name] for one in settings}) > 1]
    return [{name: one[name] for name in named} for one in settings]


def _settings(config: Config) -> dict[str, object]:
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(Config)
        if field.metadata["group"] != "Output" and field.name not in BESIDE
    }


def _repeats(folder: str, home: pathlib.Path) -> list[Finished]:
    config = flagfile.read(home / layout.CROSSVALIDATION_SETTINGS, CrossvalidateConfig)
    folds = fold_configs(config, repeats=config.repeats)
    lines = _lines(home / layout.OUT_OF_FOLD_PREDICTIONS, "")
    names, found = _names(fold_folder(home, folds[0])), []
    for repeat in range(config.repeats):
        own = sorted((line for line in lines if line["repeat"] == repeat), key=_place)
        runs = [fold for fold in folds if fold.fold_repeat == repeat]
        curves = tuple(_curve(fold_folder(home, fold)) for fold in runs)
        fold_of = np.array([line["fold"] for line in own])
        found.append(Finished(folder, folds[0], *_said(own, names), names, curves, repeat, fold_of))
    return found


def _said(lines: list[dict], names: tuple[str, ...]) -> tuple[tuple[str, ...], Predictions]:
    lines = sorted(lines, key=_place)
    labels = np.array([names.index(line["label"]) for line in lines])
    probabilities = np.array([line["probabilities"] for line in lines])
    return tuple(line["id"] for line in lines), Predictions(labels, probabilities)


def _place(line: dict) -> tuple[str, int]:
    split, _, row = line["id"].rpartition("-")
    return split, int(row)


def _lines(path: pathlib.Path, flag: str) -> list[dict]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise UserError(
            f"{flag}{path.parent} is not finished, or was not measured there: {path.name} can't be "
            f"read ({getattr(error, 'strerror', error)})."
        ) from None


def _names(run_dir: pathlib.Path) -> tuple[str, ...]:
    path = run_dir / layout.LABELS
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise UserError(f"{path} can't be read, so {run_dir} is no finished run.") from None


def _curve(run_dir: pathlib.Path) -> list[dict]:
    """The rows of history.csv as numbers; none where it is not there."""
    path = run_dir / layout.HISTORY
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
