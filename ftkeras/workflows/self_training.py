"""Train in rounds: each learns from the labels and from confident answers of the round before."""

import dataclasses
import logging
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.phases.self_training import SelfTraining
from ftkeras.problems import rank_key
from ftkeras.runs import folder, layout
from ftkeras.support import files
from ftkeras.teachers.pseudo_labels import NothingIsConfident
from ftkeras.workflows import pairs_first, training
from ftkeras.workflows.training import TrainedRun

log = logging.getLogger(__name__)

# Files that are copied from the folder of the best round to that of the run, so that the run is
# trained already. Settings come first, because a folder without them holds no run.
_KEPT = (
    *(layout.SETTINGS, layout.TUNED_BY_PAIRS, layout.CHECKPOINTS, layout.HISTORY),
    *(layout.EVALUATIONS, *layout.TRACKER_FILES),
)


def run(config: Config, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Train the rounds, or those that are left of them; then evaluate and export the best one.

    Each round is a run of its own, in the folder "rounds" of the run's folder. The first one learns
    from labels alone. They end when the validation metric gets worse.

    Args:
        config: with `self_training`, `unlabelled` and `run_dir`, without `restart`.
        callbacks: called while a round trains.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    run_dir = folder.choose(config)
    if folder.is_finished(config, run_dir):
        _delete_states(run_dir)  # of a process that was killed before it could
        return training.run(config, callbacks)
    if (run_dir / layout.EXPORTS).exists():  # its rounds keep no training state
        raise UserError(
            f"run_dir={run_dir} is a finished run with self_training={config.self_training}, whose "
            "epochs can't be changed; train it from scratch with `restart`."
        )
    folder.check_resumable(folder.adopt(config, run_dir), run_dir)
    part: SelfTraining = catalog.build("self_training", config.self_training or "")
    rounds = _train(config, part, run_dir / layout.ROUNDS, callbacks)
    best = min(range(len(rounds)), key=lambda number: _rank(config, rounds[number]))
    log.info("%s", _report(config, rounds, best))
    for name in _KEPT:
        _copy(rounds[best].run_dir / name, run_dir / name)
    about = {"rounds": _record(config, rounds), "best_round": best}
    trained = training.run(config, taught_by=_before(rounds, best), about=about)
    _delete_states(run_dir)
    return trained


def _delete_states(run_dir: pathlib.Path) -> None:
    """Delete the training states of rounds, which the best one has been copied from."""
    for path in (run_dir / layout.ROUNDS).glob(f"*/{layout.CHECKPOINTS}"):
        files.remove(path)


def _train(
    config: Config,
    part: SelfTraining,
    home: pathlib.Path,
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[TrainedRun]:
    """Train rounds until one is worse than the one before."""
    rounds: list[TrainedRun] = []
    for number in range(part.count + 1):
        log.info(f"self_training round {number} of at most {part.count}, in {home / str(number)}")
        before = [one.run_dir for one in rounds[-1:]]
        try:
            rounds.append(_round(config, home / str(number), before, callbacks))
        except NothingIsConfident as nothing:
            log.info(f"note: {nothing} There is no round {number}.")
            break
        log.info("")
        if len(rounds) > 1 and _rank(config, rounds[-1]) > _rank(config, rounds[-2]):
            log.info(f"self_training ends: validation got worse in round {number}")
            break
    return rounds


def _round(
    config: Config,
    run_dir: pathlib.Path,
    before: Sequence[pathlib.Path],
    callbacks: Sequence[keras.callbacks.Callback],
) -> TrainedRun:
    """Train a round, calibrated by validation, unless that is done."""
    free: dict[str, Any] = {"test": False, "export": ("none",), "calibrate": True}
    own = dataclasses.replace(config, **free, run_dir=str(run_dir), keep_state=True)
    for one in before:  # the pairs are those of the labels, so the encoder is the same
        _copy(one / layout.TUNED_BY_PAIRS, run_dir / layout.TUNED_BY_PAIRS)
    if own.few_shot is not None and not before:
        own = pairs_first.tune(own)
    return training.run(own, callbacks, taught_by=tuple(map(str, before)))


def _copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copy a file or folder if it exists and the target does not."""
    if target.exists():
        return
    if source.is_dir():
        with files.replacing_folder(target) as draft:
            shutil.copytree(source, draft, dirs_exist_ok=True)
    elif source.exists():
        with files.replacing(target) as draft:
            shutil.copyfile(source, draft)


def _before(rounds: Sequence[TrainedRun], number: int) -> tuple[str, ...]:
    """Return the folder of the round whose answers a round has learned from; none of the first."""
    return tuple(str(one.run_dir) for one in rounds[max(0, number - 1) : number])


def _rank(config: Config, trained: TrainedRun) -> tuple:
    """Return a key that is smaller for better rounds, by validation."""
    measured = trained.metrics["validation"]
    return rank_key(config.objective, measured[config.objective], measured["loss"], 0)


def _record(config: Config, rounds: Sequence[TrainedRun]) -> list[dict[str, Any]]:
    """Return the entries of metrics.json about each round."""
    return [
        {
            config.objective: one.metrics["validation"][config.objective],
            "loss": one.metrics["validation"]["loss"],
            "pseudo_labels": one.metrics["data"].get("pseudo_labels", {}),
        }
        for one in rounds
    ]


def _report(config: Config, rounds: Sequence[TrainedRun], best: int) -> str:
    """Return a line for each round."""
    lines = [
        f"round {number}: validation {config.objective} {row[config.objective]:.4f}, loss "
        f"{row['loss']:.4f}, {_counts(row['pseudo_labels'])}"
        + (" · this is the run" if number == best else "")
        for number, row in enumerate(_record(config, rounds))
    ]
    return "\n".join(lines)


def _counts(labels: Mapping[str, int]) -> str:
    """Return how many pseudo-labels of each kind there are, in words.

    >>> _counts({"bad": 3, "good": 12})
    '15 pseudo-labels (3 bad, 12 good)'
    """
    if not labels:
        return "labels alone"
    each = ", ".join(f"{count:,} {name}" for name, count in labels.items())
    return f"{sum(labels.values()):,} pseudo-labels ({each})"
