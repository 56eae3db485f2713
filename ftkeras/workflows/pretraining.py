"""Pretrain an encoder on the texts of a task, for `pretrain` and for `train`."""

import contextlib
import dataclasses
import functools
import logging
import pathlib
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

import keras
import numpy as np

from ftkeras import catalog, encoders
from ftkeras.config import flagfile, pretrain
from ftkeras.config.fields import AUTO
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.run import Config
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, redactions
from ftkeras.processes import child_run
from ftkeras.runs import folder, layout, own_paths, replaced
from ftkeras.runs.folder import Configuration
from ftkeras.runs.replaced import Place
from ftkeras.support import files
from ftkeras.support.specs import Spec
from ftkeras.text import training as vocabularies
from ftkeras.text.redactions import Redaction, replace
from ftkeras.workflows import made_data, training
from ftkeras.workflows.training import TrainedRun

log = logging.getLogger(__name__)

# Settings that a run of `train` shares with the pretraining before it.
_SHARED = (
    *("data_dir", "cache_dir", "data_seed", "task", "encoder", "redact", "max_length"),
    *("batch_size", "batch_tokens", "accumulate", "batching", "precision", "jit_compile", "remat"),
    *("optimizer", "seed", "strategy", "deterministic", "on_nan", "checkpoint_every"),
    "debug",
)
# The settings of a run that need others, and do not decide which texts it holds out.
_ALONE = {
    **dict.fromkeys(("pretrain_epochs", "few_shot", "self_training", "test_examples"), None),
    **dict.fromkeys(("folds", "fold", "group_by"), None),
    "fold_repeat": 0,
    **dict.fromkeys(("teacher", "unlabelled", "regularizer"), ()),
}
# The file with the texts that the run after a pretraining holds out for test.
_HELD_OUT = "held_out.jsonl"


def run(config: PretrainConfig, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Pretrain, with a new vocabulary if that is asked for.

    Args:
        config: the configuration of `pretrain`.
        callbacks: called while it trains.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    plain = config.run_config()
    if config.vocabulary_size is None:
        return training.run(plain, callbacks)
    run_dir = folder.choose(plain)
    plain = dataclasses.replace(plain, run_dir=str(run_dir))
    with folder.locked_with_phases(run_dir), contextlib.ExitStack() as stack:
        if plain.restart and _has_run(run_dir):
            # Before the new vocabulary is written: that of the old run belongs to it.
            stack.enter_context(folder.restarting(run_dir, replaced.RUN_AND_VOCABULARY))
            plain = dataclasses.replace(plain, restart=False)
        path = _vocabulary(plain, run_dir, config.vocabulary_size)
        encoder = pretrain.with_vocabulary(plain.encoder, str(path))
        return training.run(dataclasses.replace(plain, encoder=encoder), callbacks)


def first(config: Config) -> Config:
    """Pretrain a run's encoder, unless that is done, and return its configuration with the result.

    The pretraining is a run of its own, in the folder "pretrained" of the run's folder.

    Args:
        config: with `pretrain_epochs`, its task resolved, without `restart`.

    Raises:
        UserError: as `run` does.
        Stopped: as `run` does.
    """
    run_dir = folder.choose(config)
    home = run_dir / layout.PRETRAINED
    _require_pretrained(config, run_dir / layout.SETTINGS, Config)
    log.info("pretraining the encoder first, in %s", home)
    before = _before(config, home)
    _require_same_epochs(config, before, home)
    if not (run_dir / layout.SETTINGS).exists():  # or the run itself refuses other data
        made_data.write_sources(config, home, field="pretrain_epochs")
        _hold_out(config, home)
    pretrained = run(before)
    log.info("")
    return dataclasses.replace(
        config,
        encoder=str(pretrained.run_dir),
        run_dir=str(run_dir),
        pretrain_epochs=None,
    )


def once(config: Configuration, home: pathlib.Path, settings: str, place: Place) -> Configuration:
    """Pretrain the encoder of several runs, unless that is done, in a process of its own.

    Labels are never read, and texts of the test split are left out. The texts of all folds are
    read: each fold is validated on texts that were pretrained on without their labels.

    Args:
        config: of a cross-validation or a search, with `pretrain_epochs`.
        home: its folder; with `restart`, what it had is set aside already.
        settings: the name of the file there that records its configuration.
        place: from `replaced.replacing`.

    Returns:
        The configuration with the result.

    Raises:
        UserError: if the pretraining fails, or the folder holds another one.
    """
    _require_pretrained(config, home / settings, type(config))
    run_dir = home / layout.PRETRAINED
    before = _before(config, run_dir)
    _require_same_epochs(config, before, run_dir)
    folder.check_resumable(folder.adopt(before.run_config(), run_dir), run_dir)
    made_data.write_sources(config, run_dir, field="pretrain_epochs")
    if not (home / settings).exists():  # or the runs are refused if they hold out others
        _hold_out(config, run_dir)
    if not folder.is_finished(before.run_config(), run_dir):
        log.info("pretraining the encoder once for all runs, in %s, with a %s", run_dir, layout.LOG)
        outcome = child_run.train(before, run_dir, verb="pretrain")
        if outcome.reason is not None:
            path = place(run_dir / layout.LOG)
            raise UserError(f"`pretrain_epochs`: {outcome.reason} (see {path})")
    if config.folds is not None:
        log.info("note: the texts of all folds are pretrained on; their labels are not read")
    return dataclasses.replace(config, encoder=str(run_dir), pretrain_epochs=None)


def _before(config: Config, run_dir: pathlib.Path) -> PretrainConfig:
    """Return the configuration of the pretraining before a run, on the texts that it reads."""
    held_out = {} if _has_test(config) else {"held_out": str(run_dir / layout.DATA / _HELD_OUT)}
    shared = {name: getattr(config, name) for name in _SHARED}
    return PretrainConfig(
        **{**shared, "task": str(Spec(pretrain.TASK, {"of": config.task, **held_out}))},
        epochs=config.pretrain_epochs or AUTO,
        name=config.name,
        run_dir=str(run_dir),
    )


def _require_pretrained(config: Config, settings: pathlib.Path, kind: type[Config]) -> None:
    """Raise UserError, before hours are spent, if a folder holds runs of another encoder."""
    if not settings.exists():
        return
    home, own = settings.parent, settings.parent / layout.PRETRAINED
    recorded, now = flagfile.read(settings, kind), dataclasses.replace(config, encoder=str(own))
    encoder = own_paths.adopt(recorded, now, home).encoder
    if not ((own / layout.SETTINGS).exists() and flagfile.are_same(encoder, str(own))):
        raise UserError(
            f"pretrain_epochs={config.pretrain_epochs}: what {home} holds was not pretrained first "
            f"(its encoder is {recorded.encoder}); name another folder, or start from scratch with "
            "`restart`."
        )


def _require_same_epochs(config: Config, before: PretrainConfig, home: pathlib.Path) -> None:
    """Raise UserError if the pretraining has finished with another number of epochs."""
    if (home / layout.EXPORTS).exists() and not folder.is_finished(before.run_config(), home):
        raise UserError(
            f"pretrain_epochs={config.pretrain_epochs}: the encoder in {home} is pretrained for "
            "another number of epochs already, which can't be changed any more; name another "
            "folder, or start from scratch with `restart`."
        )


def _has_test(config: Config) -> bool:
    """Return whether the data of a run have a test split, so that no part of them is held out."""
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    return "test" in task.splits() or not task.needs_test


def _hold_out(config: Config, home: pathlib.Path) -> None:
    """Write the texts that a run holds out for test, if it does, so that none is pretrained on.

    Args:
        config: of the run that is trained afterwards, or of several.
        home: the folder of the pretraining.
    """
    if _has_test(config):
        return
    own = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    plain = Config(**{**own, **_ALONE})
    experiment = build.experiment(plain)
    with open_splits(plain, experiment.task, experiment.text_layer) as splits:
        rows = splits.raw_texts(splits.test, np.arange(len(splits.test)))
    texts = [{"text": text.decode("utf-8", "replace")} for row in rows for text in row.values()]
    what = "the texts held out for test"
    made_data.write(home, _HELD_OUT, texts, field="pretrain_epochs", what=what)


def _has_run(run_dir: pathlib.Path) -> bool:
    """Return whether a folder has a run, or one that an earlier `restart` has set aside."""
    return (run_dir / layout.SETTINGS).exists() or (run_dir / layout.REPLACED).exists()


def _vocabulary(config: Config, run_dir: pathlib.Path, size: int) -> pathlib.Path:
    """Return the folder of the run's vocabulary, which is trained unless the run has begun.

    Raises:
        UserError: if the run has begun with a vocabulary of another size, or the texts do not give
            this one.
    """
    path, record = run_dir / layout.VOCABULARY, run_dir / layout.VOCABULARY_SIZE
    if path.is_dir() and (run_dir / layout.SETTINGS).is_file():
        if (made := files.read_json(record).get("size", size)) != size:
            raise UserError(
                f"vocabulary_size={size}: run_dir={run_dir} has a vocabulary of {made} tokens; "
                "name another folder, or start from scratch with `restart`."
            )
        return path
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    family = encoders.family(catalog.parse("encoder", config.encoder).name)
    log.info("vocabulary of %s tokens, from the texts of train …", f"{size:,}")
    with reraise_user_errors():
        splits = task.splits()
        held_out = {_bytes(example) for example in splits["test"]} if "test" in splits else set()
        texts = functools.partial(_texts, splits["train"], held_out, redactions.build(config))
        tokenizer = vocabularies.train(texts, size, kind=family.vocabulary)
    tokenizer.save(path)
    files.write_json(record, {"size": size})
    return path


def _texts(
    examples: Iterable[Any], held_out: Set[bytes], redaction: Redaction | None
) -> Iterator[str]:
    """Yield the texts to train on, without those of test, redacted."""
    for example in examples:
        if _bytes(example) not in held_out:
            text = example["text"]
            redacted: Any = text if redaction is None else replace(redaction, text)
            yield redacted.numpy().decode("utf-8", "replace")


def _bytes(example: Any) -> bytes:
    return example["text"].numpy()
