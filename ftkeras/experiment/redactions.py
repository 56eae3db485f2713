"""Build the redaction of a run, which replaces parts of its texts before they are tokenized."""

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.problems import Problem
from ftkeras.text.redactions import Redaction

# Problems whose answers are places in a text, which placeholders would move.
PLACES = ("words", "contexts")


def build(config: Config) -> Redaction | None:
    """Return the redaction of a run; None if it has none.

    Raises:
        UserError: it does not exist, or an argument is wrong.
    """
    return None if config.redact in (None, "none") else catalog.build("redact", config.redact)


def check(config: Config, problem: type[Problem]) -> None:
    """Raise UserError unless the redaction can be built and fits the problem."""
    if build(config) is not None and problem.reads in PLACES:
        raise UserError(
            f"redact={config.redact} does not fit a {problem.kind}: its answers are places in the "
            "text, which placeholders would move; redact the data themselves, with their places."
        )
