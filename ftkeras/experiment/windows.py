"""Texts that are cut into windows: what fits them, and what training can report of them."""

from collections.abc import Mapping

from ftkeras import catalog
from ftkeras.config import combinations
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.problems import Problem

# Values of `Problem.reads` for which texts may be cut into windows.
CUT = ("texts", "words", "contexts", "tokens")


def check(config: Config, problem: type[Problem]) -> None:
    """Raise UserError unless the problem and the exports fit the run's truncation."""
    if not combinations.cuts_windows(config):
        return
    truncation = combinations.truncation(config)
    if problem.reads not in CUT:
        raise UserError(
            f"truncation={truncation} can't be used with a {problem.kind}, which can't combine the "
            "windows of a text; use head, tail or head_tail."
        )
    if "combine" in catalog.parse("truncation", truncation).arguments and problem.reads != "texts":
        raise UserError(
            f"truncation={truncation}: `combine` can't be used with a {problem.kind}; omit it."
        )
    for spec in config.exports:
        if problem.explains and catalog.parse("export", spec).arguments.get("explain"):
            raise UserError(
                f"export={spec} can't be combined with truncation={truncation}: `explain` reads "
                "one window of a text; omit `explain`."
            )


def are_combined(config: Config, problem: Problem | type[Problem]) -> bool:
    """Return whether the outputs for the windows of a text are combined into one."""
    return combinations.cuts_windows(config) and problem.reads == "texts"


def reported(config: Config, problem: Problem | type[Problem]) -> Mapping[str, str]:
    """Return the metrics that training computes batch by batch, and their names on a progress bar.

    There are none if outputs for windows are combined: batches hold windows, not texts.
    """
    return {} if are_combined(config, problem) else problem.reported
