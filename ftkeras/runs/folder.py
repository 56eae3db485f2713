"""A run's folder: where it is, whether the run in it can be resumed, and its lock."""

import contextlib
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from datetime import datetime
from fnmatch import fnmatch
from typing import Protocol, TypeVar

from ftkeras.checkpoints.training_state import Checkpoints
from ftkeras.config import flagfile
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout, own_paths, replaced
from ftkeras.runs.inputs import write as write_inputs
from ftkeras.runs.naming import run_name
from ftkeras.runs.problem import write_state
from ftkeras.support import files, hashes

Configuration = TypeVar("Configuration", bound=Config)
# The new folders that this process has named.
_chosen: set[str] = set()
# The folders that are locked around what runs here, so that what is within need not lock them.
_locked: ContextVar[frozenset[pathlib.Path]] = ContextVar("_locked", default=frozenset())


class Tokenizer(Protocol):
    """A tokenizer that can be saved."""

    def save(self, folder: pathlib.Path) -> None:
        """Write the vocabulary into the folder."""
        ...


def choose(config: Config) -> pathlib.Path:
    """Return the run's folder, by default a new one named by task, time and process.

    Raises:
        UserError: the folder can't be written.
    """
    if config.run_dir is not None:
        return files.require_writable(config.run_dir, "run_dir")
    return files.require_writable(default(config), "run_dir")


def default(config: Config) -> str:
    """Return the name of a new folder, for a run without `run_dir`."""
    name = f"runs/{run_name(config)}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    # Several runs of one process may start in the same second.
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    chosen = next(one for one in names if one not in _chosen)
    _chosen.add(chosen)
    return chosen


def adopt(config: Configuration, run_dir: pathlib.Path) -> Configuration:
    """Return the configuration with what the run in the folder has used in place of `auto`.

    So a run that is resumed keeps its learning rate, its epochs and its precision, whatever would
    be chosen now.
    """
    path = run_dir / layout.SETTINGS
    names = (*flagfile.takes_auto(Config), "precision")
    open_fields = [name for name in names if getattr(config, name) == AUTO]
    if config.restart or not open_fields or not path.exists():
        return config
    before = flagfile.read(path, Config)
    return dataclasses.replace(config, **{name: getattr(before, name) for name in open_fields})


def check_resumable(config: Config, run_dir: pathlib.Path) -> None:
    """Raise UserError unless the folder is new or holds a run that `config` can resume or extend.

    With `restart`, any run is allowed: it is replaced when the new one begins.

    Raises:
        UserError: the folder holds a run of other settings, naming what differs; or one that is
            finished and whose training state was not kept; or files but no run.
    """
    if config.restart:
        replaced.require_own(run_dir, replaced.RUN)
        return
    if not (run_dir / layout.SETTINGS).exists():
        others = (layout.CROSSVALIDATION_SETTINGS, layout.SEARCH_SETTINGS)
        own = (*others, *(name for name in layout.OF_RUN if name != layout.FAILURE))
        if strange := [name for name in own if (run_dir / name).exists()]:
            raise UserError(
                f"run_dir={run_dir} holds {strange[0]} but no {layout.SETTINGS}, so there is no "
                "run to resume; name another folder, or remove what is in this one."
            )
        return
    config, before = adopt(config, run_dir), flagfile.read(run_dir / layout.SETTINGS, Config)
    for name in ("epochs", "trained_epochs"):
        now, then = getattr(config, name), getattr(before, name)
        if now < then:
            flag = "last_epoch" if config.last_epoch == now else "epochs"
            raise UserError(
                f"{flag}={now}: the run in run_dir={run_dir} has {then} epochs, and can only be "
                "extended; train it from scratch with `restart`."
            )
    epochs = (config.epochs, config.trained_epochs) != (before.epochs, before.trained_epochs)
    if epochs and (run_dir / layout.EXPORTS).exists() and not is_extensible(run_dir):
        raise UserError(
            f"run_dir={run_dir} is a finished run that did not keep its training state, so it "
            "can't be trained for more epochs; train it from scratch with `restart`, and with "
            "`keep_state` to extend it later."
        )
    if differ := flagfile.differences(config, own_paths.adopt(before, config, run_dir)):
        raise UserError(
            f"run_dir={run_dir} holds a run with other settings: {', '.join(differ)}; name another "
            "folder, or start from scratch with `restart`."
        )


def is_finished(config: Config, run_dir: pathlib.Path) -> bool:
    """Return whether the folder holds this run, trained to its last epoch and exported."""
    if config.restart or not (run_dir / layout.EXPORTS).exists():
        return False
    config, before = adopt(config, run_dir), flagfile.read(run_dir / layout.SETTINGS, Config)
    return (config.epochs, config.trained_epochs) == (before.epochs, before.trained_epochs)


@contextlib.contextmanager
def lock(run_dir: pathlib.Path, *, restart: bool) -> Iterator[None]:
    """Lock the folder of a run for this process, and clean it up.

    Args:
        run_dir: the run's folder; it is created if necessary.
        restart: whether to replace the run that is in it, as soon as the new one begins.

    Raises:
        UserError: another process has locked it, or it has files but no run to replace.
    """
    with locked(run_dir), replaced.replacing(run_dir, replaced.RUN, restart=restart):
        yield


@contextlib.contextmanager
def locked(run_dir: pathlib.Path) -> Iterator[None]:
    """Lock a folder for this process, and remove what a killed process was writing.

    The lock ends with the process. A folder that stays empty is removed again. Within the context,
    the same folder can be locked once more, which changes nothing.

    Args:
        run_dir: the folder; it is created if necessary.

    Raises:
        UserError: another process has locked it.
    """
    home, outside = run_dir.resolve(), _locked.get()
    if home in outside:
        yield
        return
    created = [path for path in (run_dir, *run_dir.parents) if not path.exists()]
    run_dir.mkdir(parents=True, exist_ok=True)
    refusal = (
        f"run_dir={run_dir} is in use by another process; wait for it, or name another folder."
    )
    with files.locked(run_dir / layout.LOCK, refusal):
        for path in list(_drafts(run_dir)):
            files.remove(path)
        token = _locked.set(outside | {home})
        try:
            yield
        finally:
            _locked.reset(token)
            _remove_if_empty(run_dir, created)


def locked_with_phases(run_dir: pathlib.Path) -> contextlib.AbstractContextManager[None]:
    """Lock the folder of a run before the phases that come first, so that nobody restarts it.

    In a cluster, it is locked only when each phase and the run begin: by the chief, who is not
    known before.

    Raises:
        UserError: another process has locked it.
    """
    return contextlib.nullcontext() if os.environ.get("TF_CONFIG") else locked(run_dir)


@contextlib.contextmanager
def restarting(run_dir: pathlib.Path, of: replaced.Contents) -> Iterator[None]:
    """Replace a run and what comes before it at once, so that none is taken for one of the new run.

    Raises:
        UserError: in one of several workers, which can't know whether another has begun; or if the
            folder has files but no run.
    """
    if os.environ.get("TF_CONFIG"):
        raise UserError(
            "`restart` can't clear what comes before a run on several workers; remove "
            f"run_dir={run_dir}, or name another folder."
        )
    with locked(run_dir):
        replaced.set_aside(run_dir, of)
        try:
            yield
        finally:
            replaced.settle(run_dir, of)


def record(
    run_dir: pathlib.Path,
    config: Config,
    *,
    labels: Sequence[str],
    inputs: dict,
    problem: dict,
    tokenizer: Tokenizer,
    encoder_config: dict,
) -> None:
    """Write what rebuilds the run's model, mark it as not finished, and delete what it replaces.

    Args:
        run_dir: the run's folder.
        config: the run's.
        labels: the names of the model's outputs, in their order.
        inputs: as `inputs.write` takes them.
        problem: what the problem has learned of the training data; empty for nothing.
        tokenizer: writes its vocabulary.
        encoder_config: the encoder's settings, as a Hugging Face config.json has them.
    """
    (run_dir / layout.EXPORTS).unlink(missing_ok=True)
    tokenizer.save(run_dir / layout.ENCODER)
    files.write_json(run_dir / layout.ENCODER / "config.json", encoder_config)
    files.write_json(run_dir / layout.LABELS, list(labels))
    write_inputs(run_dir, inputs)
    write_state(run_dir, problem)
    files.write_text(run_dir / layout.SETTINGS, flagfile.render(config))
    replaced.discard(run_dir)


def record_exports(run_dir: pathlib.Path, exports: list[pathlib.Path]) -> None:
    """Write where the exports are, which marks the run as finished."""
    files.write_json(run_dir / layout.EXPORTS, [str(path) for path in exports])


def read_exports(run_dir: pathlib.Path) -> list[str]:
    """Return where the exports of a finished run are.

    Raises:
        UserError: the file is damaged.
    """
    path = run_dir / layout.EXPORTS
    try:
        return files.read_json_texts(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} can't be read: {error}; export the run again, or train it from scratch with "
            "`restart`."
        ) from None


def delete_weights(run_dir: pathlib.Path) -> None:
    """Delete the weights and checkpoints of a run and of what comes before it; metrics stay."""
    before = [run_dir / layout.PRETRAINED, *run_dir.glob(f"{layout.ROUNDS}/*")]
    for home in (run_dir, *filter(pathlib.Path.is_dir, before)):
        for name in (layout.WEIGHTS, layout.CHECKPOINTS, layout.TUNED_BY_PAIRS):
            files.remove(home / name)


def model_files(run_dir: pathlib.Path) -> dict[str, str]:
    """Return the digests of the files of a run that decide what its model is, by name."""
    paths = [run_dir / name for name in layout.OF_MODEL]
    encoder = hashes.of_folder(run_dir / layout.ENCODER)
    return {
        **{path.name: hashes.sha256(path) for path in paths if path.is_file()},
        **{f"{layout.ENCODER}/{name}": digest for name, digest in encoder.items()},
    }


def is_extensible(run_dir: pathlib.Path) -> bool:
    """Return whether a run has its training state, so that more epochs can train it further."""
    return bool(Checkpoints(run_dir / layout.CHECKPOINTS, keep=1).paths())


def _drafts(run_dir: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield the drafts of killed processes; nobody else writes while we hold the lock.

    Folders with a lock of their own are left out: other processes may train in them.
    """
    for path, folders, names in os.walk(run_dir):
        home = pathlib.Path(path)
        folders[:] = [name for name in folders if not (home / name / layout.LOCK).exists()]
        yield from (home / name for name in (*folders, *names) if fnmatch(name, ".*.partial"))


def _remove_if_empty(run_dir: pathlib.Path, created: list[pathlib.Path]) -> None:
    """Remove the folders that were created for a run that wrote nothing."""
    if os.listdir(run_dir) == [layout.LOCK]:
        (run_dir / layout.LOCK).unlink()
        for folder in created:
            if any(folder.iterdir()):  # another run's
                break
            folder.rmdir()
