"""The paths of a run's own files in its settings, which are others once its folder was moved."""

import ast
import dataclasses
import os
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.runs import layout

Configuration = TypeVar("Configuration", bound=Config)
# What the settings of a run name in its folder, and those of a run within it as well.
_OWN = (layout.PRETRAINED, layout.VOCABULARY, layout.DATA)
_SHARED = (layout.PRETRAINED,)
_FIELDS = ("task", "encoder")
# Where the folder of a run, a cross-validation or a search has those of runs.
_WITHIN = (
    *(layout.PRETRAINED, layout.TUNED_BY_PAIRS, f"{layout.ROUNDS}/*"),
    *(f"{layout.REPEATS}*", f"{layout.TRIALS}/*/*", layout.RETRAINED),
)
# A part with keys, and a text in quotes among their values.
_SPEC = re.compile(r"\s*\w+\s*\(.*\)\s*", re.DOTALL)
_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


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
        for path in _texts(getattr(config, field))
        for relative in _relative(path, run_dir)
    }

    def renamed(path: str) -> str:
        parts = pathlib.Path(path).parts
        now = next((own[end] for end in own if parts[-len(end) :] == end), path)
        # What is still there was not moved: it is another run's.
        return now if not os.path.exists(path) or flagfile.are_same(path, now) else path

    changes = {field: _replaced(getattr(before, field), renamed) for field in _FIELDS}
    return dataclasses.replace(before, **changes)


def _texts(value: str) -> Iterator[str]:
    """Yield the texts in a spec, and in those within it; or a value that is none, such as a path.

    >>> list(_texts('''masked_lm(of="classification(train='a.csv')", held_out='b')'''))
    ['a.csv', 'b']
    """
    if not _SPEC.fullmatch(value):
        yield value
        return
    for quoted in _QUOTED.findall(value):
        yield from _texts(ast.literal_eval(quoted))


def _replaced(value: str, change: Callable[[str], str]) -> str:
    """Return a value with each of its `_texts` changed."""
    if not _SPEC.fullmatch(value):
        return change(value)

    def changed(quoted: re.Match) -> str:
        text = ast.literal_eval(quoted[0])
        new = _replaced(text, change)
        return quoted[0] if new == text else repr(new)

    return _QUOTED.sub(changed, value)


def _relative(path: str, run_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield where a path is in the folder of the run, or in a folder that the run is within."""
    target, names = pathlib.Path(path).resolve(), _OWN
    for home in _homes(run_dir.resolve()):
        if any(target.is_relative_to(home / name) for name in names):
            yield target.relative_to(home)
        names = _SHARED


def _homes(run_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield the folder of a run, and those that it is within."""
    yield run_dir
    for place in _WITHIN:
        if run_dir.match(place):
            yield from _homes(run_dir.parents[place.count("/")])
