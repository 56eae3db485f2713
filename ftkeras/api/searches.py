"""Finished cross-validations and searches."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftkeras.api import tables
from ftkeras.runs import crossvalidation, layout, problem
from ftkeras.support.files import from_here

if TYPE_CHECKING:
    import pandas

    from ftkeras.search.results import Result


class CrossValidation:
    """A finished cross-validation. `ftkeras.crossvalidate` returns one.

    Args:
        folder: the folder of the cross-validation.
        result: the content of `crossvalidation.json`.

    Attributes:
        folder: the folder of the cross-validation.
        result: the content of `crossvalidation.json`.
    """

    def __init__(self, folder: pathlib.Path, result: Mapping[str, Any]):
        self.folder, self.result = folder.absolute(), dict(result)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs, such as the labels in the order of their ids."""
        return problem.read_labels(crossvalidation.fold_path(self.folder, 0, 0))

    def predictions(self) -> "pandas.DataFrame":
        """Return a prediction for each example, by a run that was not trained on it.

        The columns are those of `Run.predictions`, plus `repeat` and `fold`.

        Raises:
            UserError: if pandas is not installed.
        """
        return tables.read_predictions(self.folder / layout.OUT_OF_FOLD_PREDICTIONS, self.labels)

    def __repr__(self) -> str:
        return f"CrossValidation({str(from_here(self.folder))!r})"


class Search:
    """A finished search. `ftkeras.tune` returns one.

    Args:
        folder: the folder of the search.
        trials: the results of all trials.
        best: the result of the best trial; None if no trial was completed.

    Attributes:
        folder: the folder of the search.
        recipe: the path of the best settings, a flagfile for `ftkeras train --flagfile=`.
        best: the best settings, a dict from flags to values; None if no trial was completed.
        score: their mean objective on validation; None if no trial was completed.
    """

    def __init__(self, folder: pathlib.Path, trials: "Sequence[Result]", best: "Result | None"):
        self.folder = folder.absolute()
        self.recipe = self.folder / layout.BEST_RECIPE
        self.best: dict[str, Any] | None = None if best is None else dict(best.settings)
        self.score: float | None = None if best is None else best.score
        self._trials = tuple(trials)

    @property
    def trials(self) -> "pandas.DataFrame":
        """One row per trial: its number, status, score, seconds and settings.

        Raises:
            UserError: if pandas is not installed.
        """
        rows = [
            {
                "trial": result.trial,
                "status": result.status,
                "score": result.score,
                "seconds": result.seconds,
                **result.values,
            }
            for result in self._trials
        ]
        return tables.frame(rows, instead=f"read {from_here(self.folder / layout.TABLE)}")

    def __repr__(self) -> str:
        return f"Search({str(from_here(self.folder))!r}, score={self.score}, best={self.best})"
