"""A configuration to what a search is made of: its space, looked at in every corner; its oracle."""

import dataclasses
import pathlib

import keras_tuner

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.config.tune import DEFAULT_SEARCH, DEFAULT_TRIALS, TuneConfig
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.search import hyperparameters, space, trials
from ftkeras.search.ledger import Ledger
from ftkeras.search.space import Space


def completed(config: TuneConfig) -> TuneConfig:
    """With the defaults that hang on other flags written out."""
    kind, changes = _oracle_class(config), {}
    if not config.search:
        # Epochs that the oracle deals out are no one else's to choose.
        lines = [line for line in DEFAULT_SEARCH if not (kind.continues and "epochs" in line)]
        changes["search"] = tuple(lines)
    if config.max_trials is None and not kind.ends:
        changes["max_trials"] = DEFAULT_TRIALS
    if config.head is None and any(line.strip().startswith("head.") for line in config.search):
        task = catalog.find("task", catalog.parse("task", config.task).name)
        changes["head"] = task.head
    return dataclasses.replace(config, **changes)


def search_space(config: TuneConfig) -> Space:
    """The space, when each corner's configuration has been made once.

    Raises:
        UserError: naming what can't be searched, or the corner and what refuses it.
    """
    kind = _oracle_class(config)
    found = space.read(config.search, trials.base(config, continues=kind.continues))
    if kind.continues and "epochs" in found.trees:
        raise UserError(
            f"`search`: oracle={config.oracle} deals out the epochs, epochs={config.epochs} at "
            "most; they can't be searched as well."
        )
    space.check(found, _refuse_alone)
    if config.retrain:
        space.check(found, _refuse_retrained)
    return found


def _refuse_alone(config: Config) -> None:
    # One fold is as good as any for what needs no data.
    checks.check(dataclasses.replace(config, fold=None if config.folds is None else 0))


def _refuse_retrained(config: Config) -> None:
    all_data = {"train_on_validation": True, "test": True, "early_stopping": None}
    checks.check(dataclasses.replace(config, **all_data))


def oracle(config: TuneConfig, found: Space) -> keras_tuner.Oracle:
    """A new oracle, which has been asked nothing yet."""
    direction = "min" if config.objective == "loss" else "max"
    return catalog.build(
        "oracle",
        config.oracle,
        objective=keras_tuner.Objective(config.objective, direction),
        hyperparameters=hyperparameters.of(found.parameters),
        seed=config.seed,
        max_epochs=config.epochs,
    )


def ledger(config: TuneConfig, space: Space, home: pathlib.Path) -> Ledger:
    """The search's ledger, which knows what came of earlier sessions."""
    return Ledger(
        oracle(config, space),
        home,
        max_trials=config.max_trials,
        max_seconds=config.max_hours and 3600 * config.max_hours,
    )


def _oracle_class(config: TuneConfig) -> type:
    return catalog.find("oracle", catalog.parse("oracle", config.oracle).name)
