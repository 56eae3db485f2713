"""Turn the arguments of a call into a verb's configuration, with examples in memory as files."""

import contextlib
import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from ftkeras.api import arguments, data_files
from ftkeras.api import data as in_memory
from ftkeras.api.results import Run, run_folder
from ftkeras.api.searches import CrossValidation
from ftkeras.config import flagfile, own_data
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.runs import changes, layout
from ftkeras.support.files import from_here

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
    written = data_files.written(contents, folder, stems=in_memory.STEMS, restart=checked.restart)
    with written as paths, data_files.named_by_field(paths):
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

    Raises:
        UserError: if a value is wrong, or decides how a run is trained.
    """
    home, given = run_folder(path_of(run)), arguments.expand_names(verb, kind, given)
    contents = in_memory.take(given)
    name = in_memory.default_name(contents) if contents else ""
    stems = {field: name if n == 0 else f"{name}-{n}" for n, field in enumerate(contents)}
    written = data_files.written(contents, home, stems=stems, restart=True, keep=False)
    with written as paths, data_files.named_by_field(paths):
        changed, trained = arguments.values(kind, {**given, **paths}), recorded(home)
        changes.require_allowed(verb, changed, trained, home)
        merged = {**arguments.recorded(trained), **changed, "run_dir": str(home)}
        own_data.evaluate_on(merged, changed)
        yield kind(**merged)


def recorded(home: pathlib.Path) -> Config:
    """Return the configuration that a run was trained with."""
    return flagfile.read(home / layout.SETTINGS, Config)


def path_of(run: AnyRun | CrossValidation, argument: str = "run") -> pathlib.Path:
    """Return the folder of a run, or of a cross-validation, as messages and settings show it.

    Raises:
        UserError: if it is neither that nor the name of a folder.
    """
    if isinstance(run, Run | CrossValidation):
        return from_here(run.folder)
    if not isinstance(run, str | os.PathLike):
        raise UserError(
            f"`{argument}` must be a finished run, or its folder; give several one by one. "
            f"Received: {run!r:.60}."
        )
    return pathlib.Path(run).expanduser()
