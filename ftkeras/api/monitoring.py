"""Drift of a served model, from Python."""

import html
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ftkeras.api import arguments, tables
from ftkeras.api.configuring import AnyRun, path_of
from ftkeras.api.results import run_folder
from ftkeras.config.drift import DriftConfig
from ftkeras.reports import drift as shown
from ftkeras.support import messages

if TYPE_CHECKING:
    import pandas


class Drift:
    """What `ftkeras.drift` found, as notebooks show it.

    Args:
        result: what the file `output` of `drift` has.

    Attributes:
        result: that.
        verdict: the conclusion in one sentence.
        drifted: the names of what has drifted; empty if no drift is shown.
    """

    def __init__(self, result: Mapping[str, Any]):
        self.result = dict(result)
        self.verdict: str = result["verdict"]
        self.drifted = tuple(test["name"] for test in result["tests"] if test["drift"])

    @property
    def tests(self) -> "pandas.DataFrame":
        """The tests, indexed by what they compare.

        The columns are the kind of `test`; how many texts the `reference` and the `observed` have;
        the `effect`, from 0 to 1; its `p_value`, and the same `adjusted` by Holm's method, both
        missing if there are too few texts; the `largest` difference, in words; and `drift`.

        Raises:
            UserError: if pandas is not installed.
        """
        return tables.frame(self.result["tests"], instead="read `result`").set_index("name")

    def __repr__(self) -> str:
        return f"Drift: {self.verdict}\n{shown.table(self.result['tests'])}"

    def _repr_html_(self) -> str:
        header = "".join(f"<th>{name}</th>" for name in shown.HEADER)
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
            for row in shown.rows(self.result["tests"])
        )
        return (
            f"<p>{html.escape(self.verdict)}</p>"
            f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
        )


def drift(
    run: AnyRun,
    statistics: str | os.PathLike[str],
    *,
    verbose: bool | int = 1,
    **settings: Any,
) -> Drift:
    """Test whether what a served model is asked and answers has drifted from the run's test split.

    TensorFlow is not imported.

    Args:
        run: the run that trained the model, or its folder.
        statistics: the file that `serve --log_statistics` wrote.
        verbose: 0 for warnings only.
        **settings: the flags of `drift`: `split`, `version`, `last`, `alpha`, `least_effect`,
            `least_texts`, `require` and `output`.

    Raises:
        UserError: if the run or the file can't be read, or a value is wrong. Its subclass
            `Blocked`, with `require`: something has drifted.
        TypeError: if there is no such argument.
    """
    given = {"run_dir": run_folder(path_of(run)), "statistics": statistics, **settings}
    expanded = arguments.expand_names("drift", DriftConfig, given)
    config = arguments.configuration(DriftConfig, expanded)
    with messages.shown(bool(verbose)):
        from ftkeras.verbs import drift as verb

        return Drift(verb.run(config))
