"""Build a search from its configuration: the checked space, the oracle and the ledger."""

import dataclasses
import pathlib

import keras_tuner

from ftkeras import catalog
from ftkeras.config import few_labels
from ftkeras.config.fields import AUTO
from ftkeras.config.run import Config
from ftkeras.config.tune import DEFAULT_RATES, DEFAULT_SEARCH, DEFAULT_TRIALS, TuneConfig
from ftkeras.errors import UserError
from ftkeras.experiment import auto, checks, run_length
from ftkeras.problems import is_lower_better
from ftkeras.search import hyperparameters, space_parser, trials
from ftkeras.search.ledger import Ledger
from ftkeras.search.oracles import Oracle
from ftkeras.search.space import Space, check_corners


def plan(config: TuneConfig) -> tuple[TuneConfig, Space]:
    """Return the configuration with all that it leaves open, and the space that it spans.

    Raises:
        UserError: an argument can't be searched, a part rejects a corner, or the oracle the space.
    """
    config = settle_epochs(with_defaults(config))
    space = build_space(config)
    build_oracle(config, space)
    return config, space


def require_one_encoder(space: Space) -> None:
    """Raise UserError if the search varies what is pretrained before it."""
    for name in ("encoder", "pretrain_epochs"):
        if name in space.trees:
            raise UserError(
                f"`search` can't vary `{name}` together with `pretrain_epochs`: the encoder is "
                "pretrained once, for all trials."
            )


def with_defaults(config: TuneConfig) -> TuneConfig:
    """Return the configuration with the defaults that depend on other arguments."""
    oracle, changes = _oracle_class(config), {}
    if not config.search:
        changes["search"] = _default_search(config, oracle)
    if config.max_trials is None and not oracle.ends:
        changes["max_trials"] = DEFAULT_TRIALS
    if config.head is None and any(line.strip().startswith("head.") for line in config.search):
        changes["head"] = checks.problem_class(config).head
    return dataclasses.replace(config, **changes)


def _default_search(config: TuneConfig, oracle: type[Oracle]) -> tuple[str, ...]:
    """Return the space published for BERT, with learning rates that fit the encoder's width."""
    rate = float(auto.fill(config, learning_rate=auto.guess_learning_rate(config)).learning_rate)
    rates = ", ".join(f"{share * rate:.1e}" for share in DEFAULT_RATES)
    lines = {name: spec for name, _, spec in (line.partition("=") for line in DEFAULT_SEARCH)}
    lines["learning_rate"] = f"choice({rates})"
    trains_head = config.few_shot is not None and config.policy == few_labels.HEAD_ONLY
    if oracle.continues or trains_head:  # it allots the epochs, or a head needs many more
        del lines["epochs"]
    return tuple(f"{name}={spec}" for name, spec in lines.items())


def settle_epochs(config: TuneConfig) -> TuneConfig:
    """Return the configuration with a number in place of epochs=auto, if the oracle allots epochs.

    Otherwise each trial chooses its own.
    """
    return run_length.settle_epochs(config) if _oracle_class(config).continues else config


def build_space(config: TuneConfig) -> Space:
    """Return the search space, after building the configuration of each of its corners.

    Raises:
        UserError: an argument can't be searched, or a part rejects a corner.
    """
    oracle = _oracle_class(config)
    space = space_parser.parse(config.search, trials.base(config, continues=oracle.continues))
    if oracle.continues and "epochs" in space.trees:
        raise UserError(
            f"`search`: oracle={config.oracle} allots the epochs, up to epochs={config.epochs}, so "
            "they can't be searched."
        )
    if oracle.continues and (config.self_training or "self_training" in space.trees):
        raise UserError(
            f"oracle={config.oracle} trains the best trials for more epochs later, which "
            "`self_training` does not allow; use another oracle."
        )
    check_corners(space, _check_trial)
    if config.retrain:
        _require_test(config)
        check_corners(space, _check_retrained)
    return space


def build_oracle(config: TuneConfig, space: Space) -> Oracle:
    """Return a new oracle."""
    direction = "min" if is_lower_better(config.objective) else "max"
    return catalog.build(
        "oracle",
        config.oracle,
        objective=keras_tuner.Objective(config.objective, direction),
        hyperparameters=hyperparameters.build(space.parameters),
        seed=config.seed,
        max_epochs=None if config.epochs == AUTO else config.trained_epochs,
    )


def build_ledger(config: TuneConfig, space: Space, home: pathlib.Path) -> Ledger:
    """Return the search's ledger, with the trials of earlier sessions."""
    return Ledger(
        build_oracle(config, space),
        home,
        max_trials=config.max_trials,
        max_seconds=config.max_hours and 3600 * config.max_hours,
        settings=space.size,
    )


def _check_trial(config: Config) -> None:
    # Any fold will do: nothing here reads data.
    checks.check(dataclasses.replace(config, fold=None if config.folds is None else 0))


def _check_retrained(config: Config) -> None:
    all_data = {
        **{"train_on_validation": True, "test": True},
        **{"early_stopping": None, "evaluate_every": None},
    }
    checks.check(dataclasses.replace(config, **all_data))


def _require_test(config: TuneConfig) -> None:
    if not config.test:
        raise UserError(
            "`retrain` trains on validation too, so with `notest` nothing is left to evaluate on; "
            "omit one of them."
        )


def _oracle_class(config: TuneConfig) -> type[Oracle]:
    return catalog.find("oracle", catalog.parse("oracle", config.oracle).name)
