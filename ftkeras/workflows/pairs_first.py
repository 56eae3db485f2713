"""Tune an encoder by pairs of labelled texts, before a run trains its head."""

import dataclasses
import logging
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits, open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, checks
from ftkeras.experiment.definition import Experiment
from ftkeras.phases.few_shot import FewShot, Pairs
from ftkeras.runs import folder, layout
from ftkeras.support.specs import Spec
from ftkeras.workflows import made_data, training

log = logging.getLogger(__name__)

# The task of a run on pairs, and the splits that it reads.
TASK = "similarity"
_SPLITS = ("train", "validation")
# Most pairs to validate on: a random part of all.
VALIDATED = 500
# Settings that a run shares with the one on pairs before it.
_SHARED = (
    *("cache_dir", "encoder", "max_length", "truncation", "batch_size", "accumulate", "precision"),
    *("jit_compile", "remat", "schedule", "warmup", "optimizer", "clip_norm", "seed", "strategy"),
    *("deterministic", "on_nan", "name", "checkpoint_every", "debug"),
)


def check(config: Config) -> None:
    """Check, before anything is written, that pairs can be made for a run and trained on.

    Raises:
        UserError: if a setting is wrong, or the examples are pairs themselves.
    """
    checks.check(_config(config, _part(config), folder.choose(config) / layout.TUNED_BY_PAIRS))
    if catalog.build("task", config.task, data_dir=config.data_dir).pairs:
        raise UserError(f"few_shot={config.few_shot} takes single texts, not pairs.")


def tune(config: Config) -> Config:
    """Tune the encoder, unless that is done, and return the configuration with the run's folder.

    This is a run of its own, in the folder "pairs" of the run's folder. Its pairs are of the texts
    that the run trains on, and are validated on pairs of those that it validates on.

    Args:
        config: with `few_shot`, without `restart`; from `check`.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    run_dir = folder.choose(config)
    config = dataclasses.replace(config, run_dir=str(run_dir))
    folder.check_resumable(folder.adopt(config, run_dir), run_dir)
    if folder.is_finished(config, run_dir):
        return config
    home = run_dir / layout.TUNED_BY_PAIRS
    part = _part(config)
    before = _config(config, part, home)
    if not (run_dir / layout.SETTINGS).exists():  # or the run itself refuses other data
        made_data.write_sources(config, home, field="few_shot")
        _write_pairs(config, part, home)
    if not folder.is_finished(before, home):
        log.info("few_shot training the encoder on pairs of texts first, in %s", home)
        training.run(before)
        log.info("")
    return config


def _part(config: Config) -> FewShot:
    return catalog.build("few_shot", config.few_shot or "", seed=config.seed)


def _config(config: Config, part: FewShot, home: pathlib.Path) -> Config:
    """Return the configuration of the run on pairs."""
    train, validation = (str(home / layout.DATA / _file(split)) for split in _SPLITS)
    # Test is not read; without its name, a part of the pairs would be held out for it.
    data = {"train": train, "validation": validation, "test": validation}
    columns = {"text": "text", "pair": "pair", "label": "alike", "low": 0.0, "high": 1.0}
    return Config(
        **{name: getattr(config, name) for name in _SHARED},
        task=str(Spec(TASK, {**data, **columns})),
        epochs=part.epochs,
        learning_rate=part.learning_rate,
        export=("huggingface",),
        test=False,
        run_dir=str(home),
    )


def _write_pairs(config: Config, part: FewShot, home: pathlib.Path) -> None:
    """Write the pairs of train and validation, unless they are there.

    Raises:
        UserError: if no pairs can be made, or others were written before.
    """
    experiment = build.experiment(dataclasses.replace(config, few_shot=None))
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        written = {"train": _lines(experiment, splits, splits.train, part)}
        if not _are_both(written["train"]):
            raise UserError(
                f"few_shot={config.few_shot} needs two labels to train on, and one of them with "
                "two texts; add examples, or omit it."
            )
        held_out = splits.validation
        pairs = None if held_out is None else _lines(experiment, splits, held_out, part)
        if pairs is None or not _are_both(pairs):
            log.info(
                "note: the validation texts do not make pairs with equal and with different "
                "labels, so pairs are validated on those of train"
            )
            pairs = written["train"]
        order = np.random.default_rng(config.seed).permutation(len(pairs))
        written["validation"] = [pairs[number] for number in order[:VALIDATED]]
    for split, pairs in written.items():
        what = f"the pairs of {split}"
        if made_data.write(home, _file(split), pairs, field="few_shot", what=what):
            alike = sum(pair["alike"] for pair in pairs)
            log.info(f"few_shot {len(pairs):,} pairs of {split}, {alike:,} with the same label")


def _are_both(pairs: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether there are pairs with the same label and pairs with different ones."""
    return {pair["alike"] for pair in pairs} == {0, 1}


def _lines(experiment: Experiment, splits: Splits, examples: Examples, part: FewShot) -> list[dict]:
    """Return the pairs of a split's texts."""
    classes = experiment.problem.single_class(examples.targets)
    assert classes is not None
    _report_single(experiment, examples.name, classes)
    order = np.argsort(examples.rows, kind="stable")  # as texts are read
    rows = splits.raw_texts(examples, order)
    texts = [row["text"].decode("utf-8", "replace") for row in rows]
    pairs: Pairs = part.choose(classes[order])
    return [
        {"text": texts[first], "pair": texts[second], "alike": int(alike)}
        for first, second, alike in zip(*pairs, strict=True)
    ]


def _report_single(experiment: Experiment, split: str, classes: np.ndarray) -> None:
    for number in np.flatnonzero(np.bincount(classes) == 1):
        name = experiment.problem.names[number]
        log.info(f"note: {split} has one text with the label {name!r}, so none of its pairs")


def _file(split: str) -> str:
    return f"{split}.jsonl"
