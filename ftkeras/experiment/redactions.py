"""Build the redaction of a run, which replaces parts of its texts before they are tokenized."""

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.text.redactions import Redaction


def build(config: Config) -> Redaction | None:
    """Return the redaction of a run; None if it has none.

    Raises:
        UserError: it does not exist, or an argument is wrong.
    """
    return None if config.redact in (None, "none") else catalog.build("redact", config.redact)
