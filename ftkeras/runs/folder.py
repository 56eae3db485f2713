"""A run's folder: what lies in it, who holds it, and whether what it holds can be gone on with."""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from ftkeras import catalog
from ftkeras.checkpoints.training_state import Checkpoints
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files


class Tokenizer(Protocol):
    """A tokenizer that can be saved."""

    def save(self, folder: pathlib.Path) -> None:
        """Write the vocabulary into the folder."""
        ...


def of(config: Config) -> pathlib.Path:
    """Where this run goes; it can be written."""
    if config.run_dir is not None:
        return files.require_writable(config.run_dir, "run_dir")
    task = catalog.parse("task", config.task).name
    name = f"runs/{task}/{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}"
    return files.require_writable(name, "run_dir")


def must_fit(config: Config, run_dir: pathlib.Path) -> None:
    """Refuses to go on with a run of other settings.

    Raises:
        UserError: naming what differs.
    """
    if config.restart:
        return
    if not (run_dir / layout.SETTINGS).exists():
        if strange := [name for name in layout.OF_RUN if (run_dir / name).exists()]:
            raise UserError(
                f"run_dir={run_dir} holds {strange[0]} but no {layout.SETTINGS}, so there is no "
                "run to resume; name another folder, or start from scratch with `restart`."
            )
        return
    before = flagfile.read(run_dir / layout.SETTINGS, Config)
    for name in ("epochs", "trained_epochs"):
        now, then = getattr(config, name), getattr(before, name)
        if now < then:
            flag = "last_epoch" if config.last_epoch == now else "epochs"
            raise UserError(
                f"{flag}={now}: the run in run_dir={run_dir} is one of {then} epochs, and can "
                "only be made longer; `restart` begins anew."
            )
    epochs = (config.epochs, config.trained_epochs) != (before.epochs, before.trained_epochs)
    if epochs and (run_dir / layout.EXPORTS).exists() and not _has_state(run_dir):
        raise UserError(
            f"run_dir={run_dir} is a finished run that did not keep its training state, so it "
            "can't be trained for more epochs; train it from scratch with `restart`, and with "
            "`keep_state` to extend it later."
        )
    if differ := flagfile.differences(config, before):
        raise UserError(
            f"run_dir={run_dir} holds a run of other settings: {', '.join(differ)}; name another "
            "folder, or begin anew with `restart`."
        )


def is_finished(config: Config, run_dir: pathlib.Path) -> bool:
    """Whether the run is there already, to its last epoch and its exports."""
    if config.restart or not (run_dir / layout.EXPORTS).exists():
        return False
    before = flagfile.read(run_dir / layout.SETTINGS, Config)
    return (config.epochs, config.trained_epochs) == (before.epochs, before.trained_epochs)


@contextlib.contextmanager
def held(run_dir: pathlib.Path, *, restart: bool) -> Iterator[None]:
    """Holds the folder while this process lives; nobody else can hold it meanwhile.

    Raises:
        UserError: another process holds it.
    """
    made = [path for path in (run_dir, *run_dir.parents) if not path.exists()]
    run_dir.mkdir(parents=True, exist_ok=True)
    refusal = (
        f"--run_dir={run_dir} is in use by another process; wait for it, or name another folder."
    )
    with files.locked(run_dir / layout.LOCK, refusal):
        _tidy(run_dir, restart)
        try:
            yield
        finally:
            _leave(run_dir, made)


def record(
    run_dir: pathlib.Path,
    config: Config,
    *,
    labels: Sequence[str],
    tokenizer: Tokenizer,
    encoder_config: dict,
) -> None:
    """Write what rebuilds the run's model, and mark the run as not finished.

    Args:
        run_dir: the run's folder.
        config: the run's.
        labels: their names, in the order of their ids.
        tokenizer: writes its vocabulary.
        encoder_config: the encoder's settings, as a Hugging Face config.json has them.
    """
    (run_dir / layout.EXPORTS).unlink(missing_ok=True)
    tokenizer.save(run_dir / layout.ENCODER)
    files.write_json(run_dir / layout.ENCODER / "config.json", encoder_config)
    files.write_json(run_dir / layout.LABELS, list(labels))
    files.write_text(run_dir / layout.SETTINGS, flagfile.render(config))


def record_exports(run_dir: pathlib.Path, exports: list[pathlib.Path]) -> None:
    """Writes where the exports are, which says that the run is finished."""
    files.write_json(run_dir / layout.EXPORTS, [str(path) for path in exports])


def exports(run_dir: pathlib.Path) -> list[str]:
    """Where the exports of a finished run are."""
    return json.loads((run_dir / layout.EXPORTS).read_text(encoding="utf-8"))


def _has_state(run_dir: pathlib.Path) -> bool:
    return bool(Checkpoints(run_dir / layout.CHECKPOINTS, keep=1).paths())


def _tidy(run_dir: pathlib.Path, restart: bool) -> None:
    # What a killed process was writing: only we hold the folder, so nobody writes it now.
    for path in run_dir.rglob(".*.partial"):
        path.unlink()
    for name in layout.OF_RUN if restart else ():
        files.remove(run_dir / name)


def _leave(run_dir: pathlib.Path, made: list[pathlib.Path]) -> None:
    if os.listdir(run_dir) == [layout.LOCK]:  # nothing came of it
        (run_dir / layout.LOCK).unlink()
        for folder in made:
            folder.rmdir()
