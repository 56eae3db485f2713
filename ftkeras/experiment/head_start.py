"""The weights that a head starts from, as the configuration asks for them."""

from ftkeras import catalog
from ftkeras.config.run import Config


def wanted(config: Config) -> str:
    """Return "checkpoint" or "new" if the head has to start so, or "auto"."""
    if config.head is None:
        return "auto"
    return catalog.parse_head(config.head).arguments.get("start", "auto")
