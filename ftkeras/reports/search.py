"""A search as text."""

import pathlib

from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.runs import layout
from ftkeras.search.ledger import Ledger
from ftkeras.support import commands, times


def plan(config: TuneConfig, ledger: Ledger) -> str:
    """Return the plan of a search: its ranges, its length, and the progress of earlier sessions."""
    most = ledger.most_trials
    until = "until it ends" if most is None else f"{most:,} trials"
    if most != config.max_trials:
        until += ", one for each setting of the space"
    if config.max_hours is not None:
        until += f", none started after {config.max_hours:g} hours"
    runs = (config.folds or 1) * config.executions_per_trial
    each = f", {runs} runs each" if runs > 1 else ""
    lines = [f"search  {ledger.folder}"]
    lines.append(f"{config.oracle}: {until}{each}, compared by validation {config.objective}")
    lines += [f"  {line}" for line in config.search]
    if ledger.started:
        lines.append(
            f"resuming: {len(ledger.results)} of {ledger.started} trials have ended, "
            f"{times.duration(ledger.seconds)} so far"
        )
    return "\n".join(lines)


def exhausted(ledger: Ledger) -> str:
    """Return why a search ends before the number of trials that was asked for."""
    return f"the search ends after {ledger.started:,} trials: no setting is left that was not tried"


def written(home: pathlib.Path, *, has_best: bool) -> str:
    """Return where the results are, and how to train the best settings.

    Args:
        home: the search's folder.
        has_best: whether a trial has completed.
    """
    lines = [f"table   {home / layout.TABLE}", f"page    {home / layout.PAGE}"]
    if has_best:
        recipe = home / layout.BEST_RECIPE
        lines += [f"best    {recipe}", f"        {commands.line(flagfile=recipe)}"]
    return "\n".join(lines)


def retraining(config: Config, run_dir: pathlib.Path) -> str:
    """Return how the best settings are trained on all data.

    Args:
        config: of that run.
        run_dir: its folder.
    """
    return (
        f"training the best settings on train and validation for {config.last_epoch} of "
        f"{config.epochs} epochs: {run_dir}"
    )
