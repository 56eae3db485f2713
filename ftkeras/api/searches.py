"""Cross-validations and searches, as notebooks show them."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftkeras.api import tables
from ftkeras.runs import crossvalidation, layout, problem

if TYPE_CHECKING:
    import pandas

    from ftkeras.search.results import Result


class CrossValidation:
    """A finished cross-validation.

    Args:
        folder: its folder.
        result: what crossvalidation.json has.

    Attributes:
        folder, result: those.
    """

    def __init__(self, folder: pathlib.Path, result: Mapping[str, Any]):
        self.folder, self.result = folder, dict(result)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs, such as the labels in the order of their ids."""
        return problem.read_labels(crossvalidation.fold_path(self.folder, 0, 0))

    def predictions(self) -> "pandas.DataFrame":
        """Return the prediction of each example by the run that did not train on it.

        The columns are those of `Run.predictions`, and `repeat` and `fold`.

        Raises:
            UserError: if pandas is not installed.
        """
        return tables.read_predictions(self.folder / layout.OUT_OF_FOLD_PREDICTIONS, self.labels)

    def __repr__(self) -> str:
        return f"CrossValidation({str(self.folder)!r})"


class Search:
    """A finished search.

    Args:
        folder: its folder.
        trials: the results of all trials.
        best: the best of them; None if none was completed.

    Attributes:
        folder: that folder.
        recipe: the best settings as a flagfile for `ftkeras train --flagfile=`.
        best: the best values by flag; None if no trial was completed.
        score: the mean objective on validation with them; None if no trial was completed.
    """

    def __init__(self, folder: pathlib.Path, trials: "Sequence[Result]", best: "Result | None"):
        self.folder, self.recipe = folder, folder / layout.BEST_RECIPE
        self.best: dict[str, Any] | None = None if best is None else dict(best.settings)
        self.score: float | None = None if best is None else best.score
        self._trials = tuple(trials)

    @property
    def trials(self) -> "pandas.DataFrame":
        """The trials: their number, status, score, seconds and values.

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
        return tables.frame(rows, instead=f"read {self.folder / layout.TABLE}")

    def __repr__(self) -> str:
        return f"Search({str(self.folder)!r}, score={self.score}, best={self.best})"
