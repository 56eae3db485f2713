"""Selections of texts, from Python."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

from ftkeras.api import arguments
from ftkeras.api import data as in_memory
from ftkeras.api.data_files import named_by_field
from ftkeras.api.results import Run
from ftkeras.api.searches import CrossValidation
from ftkeras.api.session import AnyReporter, session
from ftkeras.api.settings import Data
from ftkeras.config.selection import SelectConfig
from ftkeras.support.files import from_here

Path = str | os.PathLike[str]


def select(
    run: Run | CrossValidation | Path,
    data: Data = None,
    *,
    verbose: bool | int = 1,
    reporter: AnyReporter = "auto",
    **settings: Any,
) -> list[dict[str, Any]]:
    """Select the texts to label next, or find labels that are probably wrong.

    Args:
        run: a finished run, or its folder; with `doubtful=True`, a cross-validation.
        data: texts without labels: a file in any format that `predict` reads, a list or column of
            texts, or a table in any form that `train` takes.
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
    folder = from_here(run.folder) if isinstance(run, Run | CrossValidation) else run
    given = arguments.expand_names(
        "select", SelectConfig, {"run_dir": folder, "data": _as_table(data), **settings}
    )
    with session(verbose, reporter), _configured(given) as config:
        from ftkeras.verbs import select as verb

        return verb.run(config).records()


@contextlib.contextmanager
def _configured(given: Mapping[str, Any]) -> Iterator[SelectConfig]:
    """Yield the configuration; texts in memory are in a file while it is used."""
    contents = in_memory.take(given)
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
        paths = {field: pathlib.Path(folder) / f"{field}.jsonl" for field in contents}
        # Wrong values show before anything is written.
        config = arguments.configuration(SelectConfig, {**given, **paths})
        for field, path in paths.items():
            path.write_bytes(contents[field])
        with named_by_field(paths):
            yield config


def _as_table(data: Any) -> Any:
    """Return texts as a column, with the name that a column of a DataFrame has; others as is."""
    is_texts = isinstance(data, list | tuple) and all(isinstance(text, str) for text in data)
    if not (getattr(data, "ndim", 0) == 1 or (is_texts and len(data) > 0)):
        return data
    name = getattr(data, "name", None)
    return {"text" if name is None else str(name): list(data)}
