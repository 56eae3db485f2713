"""Select texts: to label next, or whose label is probably wrong."""

import logging

from ftkeras.config.selection import SelectConfig
from ftkeras.selection.table import Table
from ftkeras.support import plurals

log = logging.getLogger(__name__)


def run(config: SelectConfig) -> Table:
    """Log a line for each text, or write a file, the most useful first.

    Raises:
        UserError: if the run, the data or the output is wrong.
    """
    selected = _chosen(config)
    if config.output is None:
        log.info("%s", "\n".join(selected.lines()))
    else:
        selected.write(config.output)
        texts = plurals.counted(len(selected.items), "text", "texts")
        log.info("%s", f"wrote {texts} to {config.output}")
    return selected


def _chosen(config: SelectConfig) -> Table:
    if config.doubtful:
        from ftkeras.selection import doubtful

        return doubtful.choose(config)
    from ftkeras.selection import next_texts

    return next_texts.choose(config)
