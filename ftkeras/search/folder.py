"""A search's folder: what lies in it, who holds it, and whether the same search is gone on with."""

import contextlib
import fcntl
import pathlib
from collections.abc import Iterator
from datetime import datetime

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files

# Free in a run, for it may be made longer; what trials are compared by must stay.
DECIDE = ("epochs", "last_epoch", "early_stopping")


def of(config: TuneConfig) -> pathlib.Path:
    """Where this search goes; it can be written."""
    return files.require_writable(config.search_dir or made_up(config), "search_dir")


def made_up(config: TuneConfig) -> str:
    """A folder's name for a search that was given none."""
    task = catalog.parse("task", config.task).name
    return f"runs/{task}/search-{datetime.now():%Y%m%d-%H%M%S}"


@contextlib.contextmanager
def held(folder: pathlib.Path, *, restart: bool) -> Iterator[None]:
    """Holds the folder while this process lives; nobody else can hold it meanwhile.

    Raises:
        UserError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refusal = (
        f"--search_dir={folder} is in use by another process; wait for it, name another folder, or "
        "have several workers share the search: launch --workers=2 -- tune …"
    )
    with files.locked(folder / layout.LOCK, refusal):
        for name in layout.OF_SEARCH if restart else ():
            files.remove(folder / name)
        yield


def must_fit(config: TuneConfig, folder: pathlib.Path) -> None:
    """Refuses to go on with another search than the folder holds.

    Raises:
        UserError: naming what differs.
    """
    if config.restart or not (folder / layout.SEARCH_SETTINGS).exists():
        return
    before = flagfile.read(folder / layout.SEARCH_SETTINGS, TuneConfig)
    if differ := flagfile.differences(config, before, also=DECIDE):
        raise UserError(
            f"search_dir={folder} holds another search: {', '.join(differ)}; name another folder,"
            " or begin anew with `restart`."
        )


@contextlib.contextmanager
def worker(folder: pathlib.Path, name: str) -> Iterator[None]:
    """Shows that the worker of this name lives, while it does.

    Raises:
        UserError: there is one of that name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refusal = f"KERASTUNER_TUNER_ID={name}: --search_dir={folder} has a worker of that name."
    with files.locked(_worker_lock(folder, name), refusal):
        yield


def lives(folder: pathlib.Path, name: str) -> bool:
    """Whether a worker of this name lives; it may be on another machine that shares the folder."""
    try:
        with _worker_lock(folder, name).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _worker_lock(folder: pathlib.Path, name: str) -> pathlib.Path:
    return folder / f".worker-{name}.lock"
