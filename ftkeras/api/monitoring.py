"""Detect drift of a served model from Python."""

import html
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ftkeras.api import arguments, tables
from ftkeras.api.configuring import AnyRun, path_of
from ftkeras.api.results import run_folder
from ftkeras.api.session import AnyReporter
from ftkeras.config.drift import DriftConfig
from ftkeras.reports import drift as shown
from ftkeras.support import messages

if TYPE_CHECKING:
    import pandas


class Drift:
    """The result of `ftkeras.drift`. Notebooks show it as a table.

    Args:
        result: the content of the JSON file that `output` names.

    Attributes:
        result: the same, as a dictionary.
        verdict: the conclusion in one sentence.
        drifted: the names of the tests that found drift; empty if none did.
    """

    def __init__(self, result: Mapping[str, Any]):
        self.result = dict(result)
        self.verdict: str = result["verdict"]
        self.drifted = tuple(test["name"] for test in result["tests"] if test["drift"])

    @property
    def tests(self) -> "pandas.DataFrame":
        """The tests, a row each, indexed by what they compare.

        The columns are:

        - `test`: the kind of test.
        - `reference`, `observed`: the number of texts on each side.
        - `effect`: the size of the difference, from 0 to 1.
        - `p_value`, `adjusted`: the p-value before and after Holm's correction. Both are missing
          if there are too few texts.
        - `largest`: the largest difference, in words.
        - `drift`: whether the test found drift.

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
    reporter: AnyReporter = "auto",
    **settings: Any,
) -> Drift:
    """Test whether the texts and answers of a served model still match the run's test split.

    TensorFlow is not imported.

    Args:
        run: the run that trained the model, or its folder.
        statistics: the file that `serve --log_statistics` wrote.
        verbose: 0 shows warnings only.
        reporter: as in `train`.
        **settings: the flags of `drift`: `split`, `version`, `last`, `alpha`, `min_effect`,
            `min_texts`, `require` and `output`.

    Raises:
        UserError: if the run or the file can't be read, or a value is wrong.
        Blocked: with `require`, if something has drifted. It is a subclass of `UserError`.
        TypeError: if `settings` has a name that is no flag of `drift`.
    """
    given = {"run_dir": run_folder(path_of(run)), "statistics": statistics, **settings}
    expanded = arguments.expand_names("drift", DriftConfig, given)
    config = arguments.configuration(DriftConfig, expanded)
    with messages.shown(bool(verbose), reporter):
        from ftkeras.verbs import drift as verb

        return Drift(verb.run(config))
