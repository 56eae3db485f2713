"""The folder of a search: choose it, lock it, and check that it holds the same search."""

import contextlib
import fcntl
import pathlib
from collections.abc import Iterator
from datetime import datetime

from ftkeras.config import flagfile
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.runs import layout, own_paths, replaced
from ftkeras.runs.naming import run_name
from ftkeras.support import files

# A run may change these when it is resumed; a search may not, or its trials could not be compared.
FIXED = ("epochs", "last_epoch", "early_stopping")


def choose(config: TuneConfig) -> pathlib.Path:
    """Return the search's folder, which need not exist yet.

    Raises:
        UserError: it can't be written.
    """
    return files.require_writable(config.search_dir or default(config), "search_dir")


def default(config: TuneConfig) -> str:
    """Return the name of a new folder, for a search without `search_dir`."""
    task = run_name(config)
    return f"runs/{task}/search-{datetime.now():%Y%m%d-%H%M%S}"


@contextlib.contextmanager
def lock(folder: pathlib.Path, config: TuneConfig) -> Iterator[replaced.Place]:
    """Create the folder and lock it until the context or this process ends.

    Args:
        folder: the search's.
        config: with `restart`, replaces what an earlier search has written there, as soon as the
            first trial begins.

    Yields:
        What `replaced.replacing` yields.

    Raises:
        UserError: another process has locked it, or it has files but no search to replace.
    """
    phases = () if config.pretrain_epochs is None else (layout.PRETRAINED,)
    contents = replaced.SEARCH.after(*phases)
    folder.mkdir(parents=True, exist_ok=True)
    refusal = (
        f"search_dir={folder} is in use by another process; wait for it, choose another folder, or "
        "share the search between several workers: launch --workers=2 -- tune …"
    )
    with (
        files.locked(folder / layout.LOCK, refusal),
        replaced.replacing(folder, contents, restart=config.restart) as place,
    ):
        yield place


def require_same_search(config: TuneConfig, folder: pathlib.Path) -> None:
    """Check that the folder holds no search, or the one that `config` describes.

    Raises:
        UserError: it holds another search; the message names the differences.
    """
    if config.restart or not (folder / layout.SEARCH_SETTINGS).exists():
        return
    before = flagfile.read(folder / layout.SEARCH_SETTINGS, TuneConfig)
    before = own_paths.adopt(before, config, folder)
    if differences := flagfile.differences(config, before, also=FIXED):
        raise UserError(
            f"search_dir={folder} holds another search: {', '.join(differences)}; choose another "
            "folder, or start again with `restart`."
        )


@contextlib.contextmanager
def lock_worker(folder: pathlib.Path, name: str) -> Iterator[None]:
    """Show other processes that the worker of this name is alive, until the context ends.

    Raises:
        UserError: a worker of this name is alive already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refusal = f"KERASTUNER_TUNER_ID={name}: search_dir={folder} has a worker of that name."
    with files.locked(_worker_lock(folder, name), refusal):
        yield


def is_alive(folder: pathlib.Path, name: str) -> bool:
    """Return whether a worker of this name is alive, also on a machine that shares the folder."""
    try:
        with _worker_lock(folder, name).open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _worker_lock(folder: pathlib.Path, name: str) -> pathlib.Path:
    return folder / f".worker-{name}.lock"
