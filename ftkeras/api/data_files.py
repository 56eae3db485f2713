"""The files of examples in memory, in the folder of the run that reads them."""

import contextlib
import logging
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files, plurals

log = logging.getLogger(__name__)

_BEFORE = ".before"  # the suffix of examples that are set aside


@contextlib.contextmanager
def written(
    contents: Mapping[str, bytes],
    home: pathlib.Path,
    *,
    stems: Mapping[str, str],
    restart: bool,
    keep: bool = True,
) -> Iterator[dict[str, str]]:
    """Write examples into the folder of a run; yield their files by field.

    If the run is refused before it leaves anything, they are removed again. Examples of a run that
    `restart` replaces come back if the new one does not begin, and are deleted with that run.

    Args:
        contents: JSON lines by field.
        home: the run's folder.
        stems: the name of each file without its suffix, by field.
        restart: whether other examples may be replaced.
        keep: whether examples stay if something else was left in the folder, so that an interrupted
            run can be resumed.

    Raises:
        UserError: if the folder has other examples, or can't be written.
    """
    data = home / layout.DATA
    created = [path for path in (data, home, *home.parents) if not path.exists()]
    new = [path for stem in stems.values() if not (path := data / f"{stem}.jsonl").exists()]
    paths = {field: data / f"{stems[field]}.jsonl" for field in contents}
    changed = []
    for field, path in paths.items():
        files.require_writable(path.parent, "run_dir")
        if path.exists() and path.read_bytes() != contents[field]:
            changed.append(path)
            if not restart:
                raise UserError(
                    f"`{field}`: {path} has other examples, those of the run in {home}; name "
                    "another folder, or start from scratch with `restart`."
                )
    try:
        with _set_aside(changed, home):
            for field, path in paths.items():
                files.write_text(path, contents[field].decode())
                rows = plurals.counted(contents[field].count(b"\n"), "row", "rows")
                log.info("%s", f"data    {rows} written to {path}")
            yield {field: str(path) for field, path in paths.items()}
    except BaseException:
        left = set(os.listdir(home)) if home.exists() else set()
        is_empty = home in created and left <= {layout.DATA, layout.LOCK}
        if is_empty or not keep:
            _remove(new, created)
        raise


@contextlib.contextmanager
def named_by_field(paths: Mapping[str, str | os.PathLike[str]]) -> Iterator[None]:
    """Let errors name examples as the user does, not by their files, which may be removed.

    Args:
        paths: the files by field.
    """
    try:
        yield
    except UserError as error:
        message = str(error)
        for field, path in paths.items():
            file = re.escape(repr(str(path)))
            message = re.sub(
                rf"line (\d+) of {file}",
                lambda line, field=field: f"row {int(line[1]) - 1} of `{field}`",
                message,
            )
            message = re.sub(file, f"`{field}`", message)
            # The argument that a message about a file begins with is the one that has it.
            message = re.sub(rf"^`data`: row (\d+) of `{field}`", rf"`{field}`: row \1", message)
        error.args = (message,)
        raise


@contextlib.contextmanager
def _set_aside(paths: Iterable[pathlib.Path], home: pathlib.Path) -> Iterator[None]:
    """Rename the examples of a run, and put them back if its folder stays as it is.

    As long as the run itself is set aside, so are they.
    """
    waiting, recorded = home / layout.REPLACED, _recorded(home)
    # If a run waits already, its examples do too, and not those that are here now.
    moved = {*(home / layout.DATA).glob(f"*{_BEFORE}")} if waiting.exists() else set()
    try:
        for path in paths:
            if (before := path.with_suffix(_BEFORE)) not in moved:
                moved.add(path.replace(before))
        yield
    except BaseException:
        if not waiting.exists() and _recorded(home) == recorded:
            for before in moved:
                before.replace(before.with_suffix(".jsonl"))
        raise
    finally:
        if not waiting.exists():
            for before in moved:
                before.unlink(missing_ok=True)


def _recorded(home: pathlib.Path) -> list[tuple[int, int]]:
    """Return the state of the files that record a run, a search or a cross-validation.

    It is the same while the one that was recorded before is set aside.
    """
    settings = (layout.SETTINGS, layout.SEARCH_SETTINGS, layout.CROSSVALIDATION_SETTINGS)
    paths = [folder / name for folder in (home, home / layout.REPLACED) for name in settings]
    found = [path.stat() for path in paths if path.exists()]
    return [(one.st_ino, one.st_mtime_ns) for one in found]


def _remove(paths: Sequence[pathlib.Path], folders: Sequence[pathlib.Path]) -> None:
    """Remove files, and then the folders that are empty or only have a lock."""
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in folders:
        with contextlib.suppress(OSError):  # not empty
            (folder / layout.LOCK).unlink(missing_ok=True)
            folder.rmdir()
