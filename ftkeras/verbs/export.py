"""Export a finished run again."""

import logging
import pathlib

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.workflows import exporting

log = logging.getLogger(__name__)


def run(config: Config) -> tuple[pathlib.Path, ...]:
    """Write the exports that `config.export` names; return where they are.

    Args:
        config: the run's, with its folder.

    Raises:
        UserError: if the folder is not that of a run or can't be written, `export` is none, or an
            exporter refuses the model.
    """
    if config.run_dir is None:
        raise UserError("export needs `run_dir`, the folder of a finished run.")
    if not config.exports:
        raise UserError("export=none leaves nothing to do; name a format, such as saved_model.")
    log.info(f"formats {', '.join(config.exports)}")
    return tuple(exporting.write_again(config, pathlib.Path(config.run_dir)))
