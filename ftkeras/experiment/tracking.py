"""Open the trackers of a run, and close them when training ends in whatever way."""

import contextlib
import importlib.util
import logging
import pathlib
from collections.abc import Iterator, Mapping

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.runs import layout
from ftkeras.runs.naming import run_name
from ftkeras.support import files
from ftkeras.trackers import FAILED, FINISHED, INTERRUPTED, Tracker

log = logging.getLogger(__name__)


def build(config: Config, run_dir: pathlib.Path) -> dict[str, Tracker]:
    """Build the trackers of a run, by their specs, without importing their packages.

    Raises:
        UserError: a tracker refuses a value, or its package is missing.
    """
    trackers = {}
    for spec in config.trackers:
        tracker: Tracker = catalog.build("track", spec, run_dir=run_dir, name=run_name(config))
        if tracker.package and importlib.util.find_spec(tracker.package) is None:
            raise UserError(f"track={spec} needs: pip install 'ftkeras[{tracker.package}]'")
        trackers[spec] = tracker
    return trackers


@contextlib.contextmanager
def opened(config: Config, run_dir: pathlib.Path, *, step: int) -> Iterator[dict[str, Tracker]]:
    """Start the run's trackers, or go on with those of the interrupted run; yield them by spec.

    Args:
        config: the run's.
        run_dir: the run's folder. It records the ids of the trackers' runs.
        step: updates made so far.

    Raises:
        UserError: a tracker can't start; the reason is its own.
    """
    path, started = run_dir / layout.TRACKED, {}
    ids = files.read_json(path)
    status = FAILED
    try:
        for spec, tracker in build(config, run_dir).items():
            identity = _start(spec, tracker, _flags(config), resume=ids.get(spec), step=step)
            started[spec] = tracker
            if identity is not None:
                ids[spec] = identity
                files.write_json(path, ids)
        yield started
        status = FINISHED
    except Stopped:
        status = INTERRUPTED
        raise
    finally:
        for spec, tracker in started.items():
            _close(spec, tracker, status)


def _start(
    spec: str, tracker: Tracker, flags: Mapping[str, str], *, resume: str | None, step: int
) -> str | None:
    try:
        return tracker.start(flags, resume=resume, step=step)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"track={spec} can't start: {reason}") from error


def _close(spec: str, tracker: Tracker, status: str) -> None:
    """Close a tracker; the run itself has ended by now, so a failure is only a warning."""
    try:
        tracker.close(status)
    except Exception as error:
        log.warning("`track`=%s can't be closed: %s", spec, error)


def _flags(config: Config) -> dict[str, str]:
    """Return the run's settings by flag; several values of a flag are joined by commas."""
    flags: dict[str, str] = {}
    for argument in flagfile.arguments(config):
        name, _, value = argument.removeprefix("--").partition("=")
        flags[name] = f"{flags[name]}, {value}" if name in flags else value
    return flags
