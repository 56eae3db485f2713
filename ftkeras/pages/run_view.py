"""Read-only access to a finished run, for the sections of a report."""

import csv
import functools
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.explanations.explanation import Explanation
from ftkeras.problems import Problem
from ftkeras.runs import layout, naming
from ftkeras.runs import metrics as run_metrics
from ftkeras.runs import problem as recorded_problem
from ftkeras.statistics.bootstrap import Predictions
from ftkeras.support import commands, files
from ftkeras.trackers import csv as steps_csv

Rows = Sequence[dict[str, Any]]


class Texts(Protocol):
    """The texts of a run, read from its data."""

    def read(self, split: str, most: int | None = None) -> tuple[list[dict[str, str]], Any]:
        """Return the texts of a split's examples, and the answers as the problem stores them.

        Args:
            split: train, validation or test.
            most: read only this many examples, evenly spread over the split; None for all.

        Returns:
            The texts, each as {"text"} or {"text", "pair"}, in the order of the predictions; and
            the targets, [examples, …].
        """
        ...

    def column(self, split: str, name: str) -> list[str]:
        """Return the values of a column of the data, in the order of the predictions.

        Raises:
            UserError: if there is no such column.
        """
        ...

    def near_duplicates(self, split: str, most: int) -> tuple[int, list[tuple[str, int, float]]]:
        """Return how many examples of a split nearly repeat one of train, and the most similar.

        Args:
            split: validation or test.
            most: of these.

        Returns:
            The count; and of the most similar, the text of train, the position in the split, and
            the resemblance.
        """
        ...


class NoTexts:
    """A stand-in for texts that can't be read: each method raises UserError.

    Args:
        reason: why they can't.
    """

    def __init__(self, reason: str):
        self.reason = reason

    def read(self, split: str, most: int | None = None) -> tuple[list[dict[str, str]], Any]:
        """Raise UserError, which says why there are no texts."""
        raise UserError(self.reason)

    def column(self, split: str, name: str) -> list[str]:
        """Raise UserError, which says why there are no texts."""
        raise UserError(self.reason)

    def near_duplicates(self, split: str, most: int) -> tuple[int, list[tuple[str, int, float]]]:
        """Raise UserError, which says why there are no texts."""
        raise UserError(self.reason)


@dataclass(frozen=True)
class RunView:
    """A finished run, read-only.

    Attributes:
        folder: the run's.
        config: its configuration.
        problem: what is asked about a text.
        metrics: the content of metrics.json; empty if it is missing.
        texts: reads the texts; `NoTexts` if they are not available or not wanted.
        with_texts: whether the page may show texts.
        baseline: whether to fit a baseline.
        slices: columns of the data, each value of which is a slice.
        patterns: name=pattern, each a slice of the texts in which the pattern is found.
        explain: explains the answers to texts; None if nothing is to be explained.
        explanations: texts to explain for the section about words.
        name: what the files of an evaluation on other data are called after; None for the run's
            own data.
    """

    folder: pathlib.Path
    config: Config
    problem: Problem
    metrics: dict[str, Any]
    texts: Texts
    with_texts: bool = True
    baseline: bool = True
    slices: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    explain: Callable[[Sequence[Mapping[str, str]]], list[Explanation]] | None = None
    explanations: int = 0
    name: str | None = None

    @property
    def title(self) -> str:
        """The name of the run's task or data."""
        return naming.run_name(self.config)

    @property
    def split(self) -> str:
        """The split that the report is about: test, or validation if test was not evaluated."""
        return (
            "test" if "test" in self.metrics or "validation" not in self.metrics else "validation"
        )

    @property
    def measured(self) -> dict[str, Any]:
        """The metrics of that split; empty if it was not evaluated."""
        return self.metrics.get(self.split, {})

    @functools.cached_property
    def rows(self) -> Rows:
        """The lines of predictions.jsonl of that split.

        Raises:
            UserError: if the file is missing or damaged.
        """
        path = self._file(layout.PREDICTIONS[self.split])
        try:
            return files.read_json_lines(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UserError(
                f"{path.name} can't be read ({reason}); write it with: "
                f"{commands.line('evaluate', run_dir=self.folder)}"
            ) from None

    @functools.cached_property
    def predictions(self) -> Predictions:
        """The predictions of that split as columns, for statistics.

        Raises:
            UserError: if the file is missing or damaged.
        """
        return self.problem.predictions(self.rows)

    @functools.cached_property
    def split_texts(self) -> list[dict[str, str]]:
        """The texts of `rows`, in their order.

        Raises:
            UserError: if they can't be read, or are not those of the predictions.
        """
        texts, _ = self.texts.read(self.split)
        if len(texts) != len(self.rows):
            raise UserError(
                f"the data has {len(texts):,} texts in {self.split} now, but the run has "
                f"{len(self.rows):,} predictions"
            )
        return texts

    @property
    def known_texts(self) -> list[dict[str, str]] | None:
        """`split_texts`, or None if they can't be read."""
        try:
            return self.split_texts
        except UserError:
            return None

    @functools.cached_property
    def history(self) -> list[dict[str, float]]:
        """The rows of history.csv, one for each epoch; none if there is no such file."""
        return _numbers(self.folder / layout.HISTORY)

    @functools.cached_property
    def evaluations(self) -> list[dict[str, float]]:
        """The rows of evaluations.csv, one for each validation within an epoch; may be empty."""
        return _numbers(self.folder / layout.EVALUATIONS)

    @functools.cached_property
    def steps(self) -> list[dict[str, float]]:
        """The rows of steps.csv, which `track=csv` writes; may be empty."""
        return _numbers(self.folder / steps_csv.FILE)

    @functools.cached_property
    def exports(self) -> list[pathlib.Path]:
        """The folders of the exports; empty if there are none."""
        path = self.folder / layout.EXPORTS
        try:
            return [pathlib.Path(name) for name in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError):
            return []

    def _file(self, name: str) -> pathlib.Path:
        return self.folder / (name if self.name is None else layout.of_evaluation(self.name, name))


def read(folder: pathlib.Path, texts: Texts, *, name: str | None = None, **options: Any) -> RunView:
    """Return the view of a finished run.

    Args:
        folder: the run's.
        texts: reads the texts.
        name: what the files of an evaluation on other data are called after; None for none.
        **options: what the page has, by the name of the view's attribute, such as `baseline`.

    Raises:
        UserError: if the folder is not that of a run.
    """
    config = flagfile.read(folder / layout.SETTINGS, Config)
    problem = recorded_problem.of_run(folder)
    metrics = run_metrics.read_metrics(folder)
    if name is not None:
        other = files.read_json(folder / layout.of_evaluation(name, layout.METRICS))
        own = {key: metrics[key] for key in ("train", "versions") if key in metrics}
        # The run's other splits, and what they share with train, are not those that are shown.
        of_train = {key: _only_train(metrics.get(key, {})) for key in ("read", "data")}
        data = {**of_train["data"], **other["data"]}
        metrics = {**own, **of_train, **other, "data": data}
    return RunView(folder, config, problem, metrics, texts, name=name, **options)


def _only_train(by_split: Mapping[str, Any]) -> dict[str, Any]:
    return {split: value for split, value in by_split.items() if split == "train"}


def _numbers(path: pathlib.Path) -> list[dict[str, float]]:
    """Return the rows of a table of numbers, without the empty cells."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [{k: float(v) for k, v in row.items() if k and v} for row in csv.DictReader(stream)]
