"""Selections of texts, from Python."""

import os
from typing import Any

from ftkeras.api import arguments
from ftkeras.api.results import Run
from ftkeras.api.searches import CrossValidation
from ftkeras.api.session import AnyReporter, session
from ftkeras.config.selection import SelectConfig

Path = str | os.PathLike[str]


def select(
    run: Run | CrossValidation | Path,
    data: Path | None = None,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Any,
) -> list[dict[str, Any]]:
    """Select the texts to label next, or find labels that are probably wrong.

    Args:
        run: a finished run, or its folder; with `doubtful=True`, a cross-validation.
        data: a file of texts without labels, in any format that `predict` reads.
        verbose: 0 to show only warnings.
        reporter: as in `train`.
        **settings: the flags of `select`: `count`, `by`, `doubtful`, `seed`, `output`, and those
            that describe the file.

    Returns:
        One dict per text, the most useful text first, with the same columns as the file `output`:
        those of the data and those of the selection.

    Raises:
        UserError: if the run, the data or a setting is wrong.
        TypeError: if an argument does not exist.
    """
    folder = run.folder if isinstance(run, Run | CrossValidation) else run
    given = {"run_dir": folder, "data": data, **settings}
    config = SelectConfig(
        **arguments.values(SelectConfig, arguments.expand_names("select", SelectConfig, given))
    )
    with session(verbose, reporter):
        from ftkeras.verbs import select as verb

        return verb.run(config).records()
