"""Train models on other halves of the texts in question, to tell which texts a model has seen."""

import dataclasses
import logging
import pathlib
import secrets
import tempfile
from dataclasses import dataclass
from typing import cast

import numpy as np

from ftkeras.config.run import Config
from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.experiment import build, evaluation, feeds, fit, optimization, private
from ftkeras.experiment.definition import Experiment
from ftkeras.statistics import membership

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShadowSplits:
    """The data of a shadow run, with the interface of `Splits` as far as training uses it."""

    train: Examples
    folder: pathlib.Path
    validation: Examples | None = None

    def with_unlabelled(self, train: Examples) -> Examples:
        """Return the examples themselves: there are no unlabelled texts."""
        return train


def scores(subject: Subject, members: Examples, others: Examples) -> tuple[np.ndarray, np.ndarray]:
    """Return how likely it is that the model has seen each member, and each of the others.

    Each shadow run trains on a random half of both together, so that it has as many texts as the
    run, and all further texts of the run. Two runs each are complements, so that each text is in
    half of them.

    Args:
        subject: the run, and the number of shadow runs.
        members: texts that the run was trained on.
        others: as many texts that it was not trained on.

    Raises:
        UserError: if the run was trained with what a shadow run can't have.
    """
    config = _settings(subject)
    pool = subject.splits.joined(members, others)
    is_in = halves(len(pool), subject.shadow_runs, config.data_seed)
    rest = np.setdiff1d(subject.examples["train"].rows, members.rows)
    confidences = []
    for number, chosen in enumerate(is_in):
        log.info("%s", f"shadow run {number + 1} of {subject.shadow_runs}")
        train = dataclasses.replace(pool, rows=np.concatenate([rest, pool.rows[chosen]]))
        own = dataclasses.replace(config, seed=config.seed + 1 + number)
        confidences.append(membership.confidence(_shadow(subject, own, train, pool)))
    observed = membership.confidence(losses(subject.trained, pool))
    ratios = membership.likelihood_ratios(observed, np.stack(confidences), is_in)
    return ratios[: len(members)], ratios[len(members) :]


def halves(count: int, runs: int, seed: int) -> np.ndarray:
    """Return random halves of so many texts, bool [runs, texts]; two runs each are complements.

    >>> halves(4, 2, seed=0).sum(axis=0)
    array([1, 1, 1, 1])
    """
    rng = np.random.default_rng((seed, runs))
    firsts = [rng.permutation(count) < count // 2 for _ in range(runs // 2)]
    return np.stack([half for first in firsts for half in (first, ~first)])


def losses(experiment: Experiment, examples: Examples) -> np.ndarray:
    """Return the model's loss on each example, [examples].

    Raises:
        UserError: if the problem has no loss for each text.
    """
    logits = evaluation.predict_logits(experiment, examples)
    problem = experiment.problem
    if problem.reads not in ("texts", "options") or len(logits) != len(examples):
        raise UserError(f"a {problem.kind} has no loss for each text alone")
    values = np.asarray(experiment.model.loss.call(examples.targets, logits), float)
    return values.reshape(len(examples), -1).mean(axis=1)


def _settings(subject: Subject) -> Config:
    """Return the settings of a shadow run, which ends with the epoch that the run has kept."""
    config = subject.config
    for name in ("teacher", "unlabelled", "few_shot", "self_training"):
        if value := getattr(config, name):
            raise UserError(f"shadow runs can't repeat a run with {name}={value}")
    best = subject.view.metrics.get("train", {}).get("best_epoch", config.trained_epochs)
    return dataclasses.replace(
        config,
        train_on_validation=True,
        test=True,
        early_stopping=None,
        evaluate_every=None,
        calibrate=False,
        last_epoch=best,
        keep_state=False,
        export=(),
        track=(),
        checkpoint_every="0",
    )


def _shadow(subject: Subject, config: Config, train: Examples, pool: Examples) -> np.ndarray:
    """Return the losses on the texts of a pool of a model that is trained on some of them."""
    with tempfile.TemporaryDirectory(prefix="ftkeras-shadow-") as name:
        folder = pathlib.Path(name)
        splits = cast(Splits, ShadowSplits(train, folder))
        key = secrets.token_bytes(private.KEY_BYTES)
        experiment = build.experiment(config, devices=subject.experiment.devices)
        feed = feeds.training_feed(experiment, splits, train=train, key=key)
        steps = len(feed) * config.planned_epochs
        mechanism = private.mechanism(experiment, examples=len(train), steps=steps, key=key)
        optimization.compile_to_train(experiment, total_steps=steps, private=mechanism)
        fit.Fit(experiment, feed, splits, folder).run()
        return losses(experiment, pool)
