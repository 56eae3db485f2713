"""The paths of a run's own files in its settings, which are others once its folder was moved."""

import dataclasses
import pathlib
import re
from collections.abc import Iterator
from typing import TypeVar

from ftkeras.config.run import Config
from ftkeras.runs import layout

Configuration = TypeVar("Configuration", bound=Config)
# What the settings of a run name in its folder, and those of what comes before it as well.
_OWN = (layout.PRETRAINED, layout.VOCABULARY, layout.DATA)
_SHARED = (layout.PRETRAINED,)
_FIELDS = ("task", "encoder")
# A quoted text in a spec, or a value that is no spec.
_PATH = re.compile(r"(?<=')[^']+(?=')|^[^'()]+$")


def adopt(before: Configuration, config: Config, run_dir: pathlib.Path) -> Configuration:
    """Return recorded settings with the paths of the run's own files as they are named now.

    Args:
        before: the settings that the run has recorded, maybe in another place.
        config: of the run, in this place.
        run_dir: the run's folder.
    """
    own = {
        relative.parts: path
        for field in _FIELDS
        for path in _PATH.findall(getattr(config, field))
        for relative in _relative(path, run_dir)
    }

    def renamed(found: re.Match) -> str:
        parts = pathlib.Path(found[0]).parts
        return next((own[end] for end in own if parts[-len(end) :] == end), found[0])

    changes = {field: _PATH.sub(renamed, getattr(before, field)) for field in _FIELDS}
    return dataclasses.replace(before, **changes)


def _relative(path: str, run_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield where a path is in the folder of the run, or in that of the run it comes before."""
    target, names = pathlib.Path(path).resolve(), _OWN
    for home in _homes(run_dir.resolve()):
        if any(target.is_relative_to(home / name) for name in names):
            yield target.relative_to(home)
        names = _SHARED


def _homes(run_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield the folder of a run, and of the runs that it comes before."""
    yield run_dir
    if run_dir.name in (layout.PRETRAINED, layout.TUNED_BY_PAIRS):
        yield from _homes(run_dir.parent)
    elif run_dir.parent.name == layout.ROUNDS:
        yield from _homes(run_dir.parent.parent)
