"""Upload a finished run to the Hugging Face Hub."""

import dataclasses
import logging
import pathlib

from ftkeras import catalog
from ftkeras.checkpoints import hub_upload
from ftkeras.config import flagfile
from ftkeras.config.push import PushConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import audit, layout
from ftkeras.workflows import exporting

log = logging.getLogger(__name__)
FORMAT = "huggingface"


def run(config: PushConfig) -> str:
    """Write the run's Hugging Face folder, with its model card, and upload it.

    Returns:
        The address of the repository.

    Raises:
        UserError: the folder is not that of a finished run or can't be written, transformers has
            no class for its model, there is no token, or the Hub refuses it.
    """
    assert config.run_dir is not None, "checked by PushConfig"
    assert config.repo is not None, "checked by PushConfig"
    run_dir = pathlib.Path(config.run_dir)
    path = run_dir / layout.SETTINGS
    if not path.is_file():
        raise UserError(f"run_dir={run_dir} is not the folder of a run: it has no {path.name}.")
    hub_upload.require_token()
    # The run's own spec of the format, which may have keys.
    recorded = flagfile.read(path, Config)
    specs = [spec for spec in recorded.exports if catalog.parse("export", spec).name == FORMAT]
    export = (specs[0] if specs else FORMAT,)
    config_of_run = dataclasses.replace(recorded, export=export, run_dir=str(run_dir))
    (folder,) = exporting.write_again(config_of_run, run_dir)
    log.info(f"uploading to {config.repo} …")
    address = hub_upload.upload(folder, config.repo, private=config.private)
    audit.append(run_dir, "pushed", {"address": address})
    log.info(f"pushed {address}")
    return address
