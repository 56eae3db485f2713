"""Set aside what `restart` replaces, and delete it only once the new work has begun.

Much is checked late, such as settings that depend on the number of examples. A command that is
refused then, or that fails, leaves the folder as it was; logs of what failed are kept beside it.
"""

import contextlib
import dataclasses
import logging
import os
import pathlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ftkeras.errors import LostWorker, UserError
from ftkeras.runs import layout
from ftkeras.support import files

log = logging.getLogger(__name__)
# Returns where a path that is written now will be once the folder is settled.
Place = Callable[[pathlib.Path], pathlib.Path]


@dataclass(frozen=True)
class Contents:
    """The files and folders that a verb writes.

    Attributes:
        argument: that names the folder.
        settings: the file by which the verb knows its folder.
        names: of its files and folders, as patterns.
        begun: a pattern of the files that appear when training begins.
        phases: folders of the runs that come first; they are replaced together with the rest.
    """

    argument: str
    settings: str
    names: tuple[str, ...]
    begun: str
    phases: tuple[str, ...] = ()

    def after(self, *phases: str) -> "Contents":
        """Return these contents together with runs that come first."""
        return dataclasses.replace(self, phases=phases)


RUN = Contents(
    *("run_dir", layout.SETTINGS, (*layout.OF_RUN, *layout.OF_EVALUATIONS)),
    begun=layout.SETTINGS,
)
RUN_AND_PHASES = RUN.after(layout.PRETRAINED, layout.TUNED_BY_PAIRS, layout.ROUNDS)
RUN_AND_VOCABULARY = dataclasses.replace(
    RUN, names=(*RUN.names, layout.VOCABULARY, layout.VOCABULARY_SIZE)
)
CROSSVALIDATION = Contents(
    *("run_dir", layout.CROSSVALIDATION_SETTINGS),
    (*layout.OF_CROSSVALIDATION, layout.REPEATS),
    begun=f"{layout.REPEATS}*/{layout.SETTINGS}",
)
SEARCH = Contents(
    *("search_dir", layout.SEARCH_SETTINGS, layout.OF_SEARCH),
    begun=f"{layout.TRIALS}/*/*/{layout.SETTINGS}",
)


@contextlib.contextmanager
def replacing(home: pathlib.Path, of: Contents, *, restart: bool) -> Iterator[Place]:
    """Set aside what is in a folder if it is to be replaced, and `settle` at the end.

    Args:
        home: the folder, locked by this process.
        of: the verb's contents.
        restart: whether to replace them.

    Yields:
        A function that returns where a path in the folder will be at the end, for messages.

    Raises:
        UserError: the folder has files that may be the user's own.
    """

    def place(path: pathlib.Path) -> pathlib.Path:
        moves = restart and _puts_back(home, of)
        return home / layout.REFUSED / path.relative_to(home) if moves else path

    end = settle if restart else recover
    (set_aside if restart else recover)(home, of)
    try:
        yield place
    except BaseException as error:
        # A failed cluster is started again without `restart`, and must not find the old run.
        refused = isinstance(error, UserError) and not isinstance(error, LostWorker)
        if refused or not os.environ.get("TF_CONFIG"):
            end(home, of)
        raise
    end(home, of)


def set_aside(home: pathlib.Path, of: Contents) -> None:
    """Move what a verb has written into a hidden folder beside it.

    Raises:
        UserError: the folder has files that may be the user's own.
    """
    recover(home, of)
    require_own(home, of)
    files.remove(home / layout.REFUSED)
    aside, draft = home / layout.REPLACED, home / layout.BEING_MOVED
    if aside.exists():  # an earlier restart did not begin, so what is here now is less worth
        _remove(home, of)
    elif written := _written(home, of):
        _move(written, draft)
        draft.rename(aside)


def settle(home: pathlib.Path, of: Contents) -> None:
    """Delete what was set aside if training has begun, and put it back if it has not.

    If only what comes before has been trained, such as a pretraining, both stay.
    """
    aside, refused = home / layout.REPLACED, home / layout.REFUSED
    if _puts_back(home, of):
        _move(_written(home, of), refused)
        has_logs = any(refused.rglob(layout.LOG))
        if not has_logs:
            files.remove(refused)
        aside.rename(home / layout.BEING_MOVED)
        recover(home, of)
        logs = f"; the logs of what failed are in {refused}" if has_logs else ""
        log.info(f"note: nothing was trained, so {home} is as it was before `restart`{logs}")
    elif _has_begun(home, of):
        discard(home)
    elif aside.exists():
        log.info(f"note: what {home} had before `restart` is in {aside} until the run begins")


def discard(home: pathlib.Path) -> None:
    """Delete what was set aside, if anything."""
    aside = home / layout.REPLACED
    if aside.exists():
        # Renamed first: if this process is killed, the rest must not be taken for a run.
        files.remove(aside.rename(home / f"{layout.REPLACED}.{uuid.uuid4().hex}.partial"))


def recover(home: pathlib.Path, of: Contents) -> None:
    """Complete what a killed process was doing: moving files, or deleting what it had replaced."""
    draft = home / layout.BEING_MOVED
    if draft.exists():
        for path in draft.iterdir():
            files.remove(home / path.name)  # of a phase, if this `restart` replaces none
            path.rename(home / path.name)
        draft.rmdir()
    if _has_begun(home, of):
        discard(home)
    for path in home.glob(f"{layout.REPLACED}.*.partial"):
        files.remove(path)


def require_own(home: pathlib.Path, of: Contents) -> None:
    """Check that a verb has written what `restart` would remove.

    Raises:
        UserError: the folder has files of these names, but not the verb's settings.
    """
    if (home / of.settings).exists() or (home / layout.REPLACED).exists():
        return
    for path in _written(home, of):
        of_phase = path.name in of.phases and _is_of_run(path)
        if not (of_phase or path.name == layout.FAILURE):
            raise UserError(
                f"{of.argument}={home} holds {path.name} but no {of.settings}, so `restart` can't "
                "tell whether that is yours; name another folder, or remove it."
            )


def _is_of_run(folder: pathlib.Path) -> bool:
    """Return whether a run, or one within, has locked a folder, or had data made for it there."""
    return any(path for name in (layout.LOCK, layout.SOURCES) for path in folder.rglob(name))


def _has_begun(home: pathlib.Path, of: Contents) -> bool:
    return next(home.glob(of.begun), None) is not None


def _puts_back(home: pathlib.Path, of: Contents) -> bool:
    """Return whether something was set aside, and neither the new work nor a phase has begun."""
    if not (home / layout.REPLACED).exists() or _has_begun(home, of):
        return False
    return not any(path for phase in of.phases for path in (home / phase).rglob(layout.SETTINGS))


def _move(paths: Sequence[pathlib.Path], folder: pathlib.Path) -> None:
    folder.mkdir()
    for path in paths:
        path.rename(folder / path.name)


def _remove(home: pathlib.Path, of: Contents) -> None:
    for path in _written(home, of):
        files.remove(path)


def _written(home: pathlib.Path, of: Contents) -> list[pathlib.Path]:
    """Return the files and folders of a verb that are in a folder."""
    return sorted({path for name in (*of.names, *of.phases) for path in home.glob(name)})
