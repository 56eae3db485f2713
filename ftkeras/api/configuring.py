"""Turn the arguments of a call into a verb's configuration, with examples in memory as files."""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from ftkeras.api import arguments
from ftkeras.api import data as in_memory
from ftkeras.api.results import Run, run_folder
from ftkeras.api.searches import CrossValidation
from ftkeras.config import flagfile, own_data
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.runs import layout

AnyConfig = TypeVar("AnyConfig", bound=Config)
AnyRun = Run | str | os.PathLike[str]


@contextlib.contextmanager
def configured(
    kind: type[AnyConfig], given: Mapping[str, Any], *, home: str
) -> Iterator[AnyConfig]:
    """Write examples in memory into the folder of the run, and yield its configuration.

    Args:
        kind: the configuration's class.
        given: values by field.
        home: the field that names the folder.
    """
    if not (contents := in_memory.take(given)):
        yield arguments.configuration(kind, given)
        return
    given = {"name": in_memory.default_name(contents), **given}
    others = {name: value for name, value in given.items() if name not in contents}
    # Wrong values show before anything is written.
    placeholders = {name: in_memory.STEMS[name] for name in contents}
    checked = arguments.configuration(kind, {**others, **placeholders})
    folder = pathlib.Path(getattr(checked, home) or _default_folder(checked))
    written = in_memory.written(contents, folder, stems=in_memory.STEMS, restart=checked.restart)
    with written as paths:
        yield arguments.configuration(kind, {**others, **paths, home: folder})


def _default_folder(config: Config) -> str:
    if isinstance(config, TuneConfig):
        from ftkeras.search import folder as of_search

        return of_search.default(config)
    from ftkeras.runs import folder as of_run

    return of_run.default(config)


@contextlib.contextmanager
def configured_for_run(
    verb: str, kind: type[AnyConfig], run: AnyRun, given: Mapping[str, Any]
) -> Iterator[AnyConfig]:
    """Write examples in memory into the folder of a run, and yield the run's configuration on them.

    If the evaluation fails, they are removed again.

    Args:
        verb: that evaluates the run.
        kind: the configuration's class.
        run: the finished run, or its folder.
        given: values by argument that differ from the run's.
    """
    home, given = run_folder(path_of(run)), arguments.expand_names(verb, kind, given)
    contents = in_memory.take(given)
    name = in_memory.default_name(contents) if contents else ""
    stems = {field: name if n == 0 else f"{name}-{n}" for n, field in enumerate(contents)}
    with in_memory.written(contents, home, stems=stems, restart=True, keep=False) as paths:
        changed = arguments.values(kind, {**given, **paths})
        merged = {**recorded(home), **changed, "run_dir": str(home)}
        own_data.evaluate_on(merged, set(changed))
        yield kind(**merged)


def recorded(home: pathlib.Path) -> dict[str, Any]:
    """Return the arguments that a run was trained with."""
    return arguments.recorded(flagfile.read(home / layout.SETTINGS, Config))


def path_of(run: AnyRun | CrossValidation) -> pathlib.Path:
    """Return the folder of a run, or of a cross-validation."""
    if isinstance(run, Run | CrossValidation):
        return run.folder
    return pathlib.Path(run).expanduser()
