"""Finished runs and their evaluations."""

import functools
import html
import importlib
import json
import os
import pathlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ftkeras.api import tables
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout, problem
from ftkeras.support import bounds
from ftkeras.support.files import from_here

if TYPE_CHECKING:
    import pandas

    from ftkeras.api.model import Model
    from ftkeras.explanations.explanation import Explanation
    from ftkeras.problems import Problem


def run_folder(folder: str | os.PathLike[str]) -> pathlib.Path:
    """Return the path of a run's folder, with `~` expanded.

    Raises:
        UserError: if the folder has no run.
    """
    path = pathlib.Path(folder).expanduser()
    if not (path / layout.SETTINGS).is_file():
        raise UserError(f"{folder} is not the folder of a run: it has no {layout.SETTINGS}.")
    return path


class Evaluation:
    """The metrics and predictions of a run, on its own data or on other data.

    A notebook displays it as a table of the metrics.

    Args:
        folder: the run's folder.
        name: the name of an evaluation on other data, such as `later` for
            `metrics-later.json`; None for the run's own data.

    Attributes:
        folder: the run's folder.
        name: the name of the evaluation, or None.

    Raises:
        UserError: if there is no such run or evaluation.
    """

    def __init__(self, folder: str | os.PathLike[str], name: str | None = None):
        self.folder, self.name = run_folder(folder).absolute(), name  # also after `os.chdir`
        if not self._file(layout.METRICS).is_file():
            path = from_here(self._file(layout.METRICS))
            raise UserError(f"{path} is missing: {folder} is not finished.")

    @functools.cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`: metrics by split and name, and facts about the run."""
        return json.loads(self._file(layout.METRICS).read_text(encoding="utf-8"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs, such as the labels in the order of their ids."""
        return problem.read_labels(self.folder)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that were evaluated."""
        return tuple(split for split in layout.PREDICTIONS if split in self.metrics)

    def predictions(self, split: str = "test") -> "pandas.DataFrame":
        """Return the true answer, the prediction and the probabilities of each example.

        For question answering, `predicted` is None or a dict with the `text`, `start`, `end` and
        `score` of the best answer, and `n_best` is a list of such dicts.

        Args:
            split: "test" or "validation".

        Raises:
            UserError: if the split was not evaluated, or pandas is not installed.
        """
        path = self._file(layout.PREDICTIONS[self._checked(split)])
        return tables.read_predictions(path, self.labels)

    def confusion(self) -> "pandas.DataFrame":
        """Return the confusion matrix: one row per true label, one column per predicted label.

        Raises:
            UserError: if the problem has no confusion matrix, or pandas is not installed.
        """
        if (counts := self.metrics.get("confusion")) is None:
            raise UserError(
                f"{from_here(self.folder)}: a {self._problem.kind} has no confusion matrix."
            )
        pandas = tables.require_pandas("read `metrics['confusion']`")
        rows = pandas.Index(self.labels, name="label")
        return pandas.DataFrame(counts, rows, pandas.Index(self.labels, name="predicted"))

    @property
    def _problem(self) -> "Problem":
        return problem.of_run(self.folder)

    def _checked(self, split: str) -> str:
        if split not in self.splits:
            known = ", ".join(self.splits) or "none"
            raise UserError(
                f"`split` must be one that was evaluated ({known}). Received: {split!r}."
            )
        return split

    def _file(self, name: str) -> pathlib.Path:
        return self.folder / (name if self.name is None else layout.of_evaluation(self.name, name))

    def _table(self) -> list[list[str]]:
        """Return the cells of the table of metrics, its header first."""
        names = (*self._problem.columns, "examples")
        rows = [["", *names]]
        for split in reversed(self.splits):
            rows.append([split, *(_cell(self.metrics[split].get(name)) for name in names)])
        return rows

    def __repr__(self) -> str:
        table = self._table()
        width = max(11, *(len(name) + 2 for name in table[0]))  # such as exact_match
        lines = "\n".join(
            f"  {row[0]:12}" + "".join(f"{c:>{width}}" for c in row[1:]) for row in table
        )
        about = "" if self.name is None else f", {self.name!r}"
        return f"{type(self).__name__}({str(from_here(self.folder))!r}{about})\n{lines}"

    def _repr_html_(self) -> str:
        header, *rows = self._table()
        about = "" if self.name is None else f" on {html.escape(self.name)}"
        cells = "".join(f"<th>{html.escape(name)}</th>" for name in header)
        body = "".join(
            f"<tr><th>{row[0]}</th>{''.join(f'<td>{cell}</td>' for cell in row[1:])}</tr>"
            for row in rows
        )
        return (
            f"<p><code>{html.escape(str(from_here(self.folder)))}</code>{about}</p>"
            f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"
        )


class Run(Evaluation):
    """A finished run: its metrics, predictions, history, exports and model.

    `ftkeras.train` returns one. A notebook displays it as a table of the metrics.

    Args:
        folder: the run's folder, such as `runs/reviews/20261128-054215-18417`.

    Raises:
        UserError: if the folder has no finished run.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        super().__init__(folder)
        # Where exports are looked up that are recorded relative to the current folder.
        self._started_in = pathlib.Path.cwd()

    @functools.cached_property
    def config(self) -> Config:
        """The settings of the run, with the values that were chosen for `auto`."""
        return flagfile.read(self.folder / layout.SETTINGS, Config)

    @property
    def command(self) -> str:
        """The command line that repeats the run in a new folder."""
        return flagfile.shortest_command("train", self.config)

    @property
    def exports(self) -> tuple[pathlib.Path, ...]:
        """The paths of the exported models."""
        from ftkeras.runs import folder

        if not (self.folder / layout.EXPORTS).exists():
            return ()
        return tuple(self._started_in / path for path in folder.read_exports(self.folder))

    @property
    def history(self) -> "pandas.DataFrame":
        """The loss and metrics of each epoch: one row per epoch, counted from 1.

        Raises:
            UserError: if pandas is not installed.
        """
        path = self.folder / layout.HISTORY
        return tables.require_pandas(f"read {from_here(path)}").read_csv(path, index_col="epoch")

    def plot(self) -> Any:
        """Return a matplotlib figure of the validation loss and metric over the epochs.

        Raises:
            UserError: if matplotlib is not installed, or there was no validation.
        """
        from ftkeras.reports import learning_curves
        from ftkeras.runs import reader

        (run,) = reader.read(str(self.folder), split=self._checked(self.splits[0]))
        if (figure := learning_curves.figure([[run]], [self.folder.name])) is None:
            raise UserError(f"{from_here(self.folder)} has no learning curve.")
        _show_in_notebooks(type(figure))
        return figure

    def report(self, **settings: Any) -> pathlib.Path:
        """Write the report of the run and return its path; see `ftkeras.report`."""
        from ftkeras.api import verbs

        return verbs.report(self, **settings)

    def dossier(self, **settings: Any) -> pathlib.Path:
        """Write the compliance dossier of the run and return its path; see `ftkeras.dossier`."""
        from ftkeras.api import dossiers

        return dossiers.dossier(self, **settings)

    @functools.cached_property
    def model(self) -> "Model":
        """The exported SavedModel of the run.

        Raises:
            UserError: if the run was not exported as a SavedModel.
        """
        from ftkeras.api.model import load

        return load(self)

    def predict(
        self, texts: Iterable[str], pairs: Iterable[str] | None = None
    ) -> "pandas.DataFrame":
        """Predict texts with the exported model; see `Model.predict`."""
        return self.model.predict(texts, pairs)

    def explain(
        self,
        texts: Iterable[str],
        pairs: Iterable[str] | None = None,
        *,
        method: str = "integrated_gradients",
        labels: Sequence[str] = (),
        steps: int = 32,
        batch_size: int = 32,
    ) -> "list[Explanation]":
        """Explain answers of the run; no export is needed. See `Model.explain`.

        Args:
            texts: the texts.
            pairs: the second text of each pair, if the model takes pairs.
            method: "integrated_gradients" or "occlusion".
            labels: the outputs to explain. Default: the model's answer to each text.
            steps: the number of points at which integrated gradients are computed.
            batch_size: the maximum number of texts in a batch.

        Raises:
            UserError: if an argument is wrong, the answers can't be explained, or the run kept no
                weights.
        """
        from ftkeras.api.model import read_texts
        from ftkeras.experiment.explaining import open_run
        from ftkeras.explanations import explaining

        try:
            bounds.integer(1, steps=steps, batch_size=batch_size)
        except ValueError as error:
            raise UserError(str(error)) from None
        model = open_run(self.folder, steps=steps, batch_size=batch_size)
        return explaining.explain(model, read_texts(texts, pairs), method=method, labels=labels)


def _show_in_notebooks(figure: type) -> None:
    """Let a notebook show figures that pyplot has not made."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is None or (shell := ipython.get_ipython()) is None:
        return
    try:
        shell.display_formatter.formatters["image/png"].lookup_by_type(figure)
    except KeyError:  # the notebook has not chosen how to show figures
        importlib.import_module("IPython.core.pylabtools").select_figure_formats(shell, {"png"})


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
