"""The formats that `export` writes by default."""

from ftkeras.config.fields import after_none
from ftkeras.config.run import Config


def formats_again(recorded: tuple[str, ...]) -> tuple[str, ...]:
    """Return the formats that `export` writes by default: a run's own, or else Config's."""
    return after_none(recorded) or Config().export
