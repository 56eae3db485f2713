"""The formats that `export` writes by default."""

from ftkeras.config.run import Config


def formats_again(recorded: tuple[str, ...]) -> tuple[str, ...]:
    """Return the formats that `export` writes by default: a run's own, or else Config's."""
    return recorded if recorded != ("none",) else Config().export
