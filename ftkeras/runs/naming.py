"""The name under which a run and its exports are filed."""

import os
import pathlib
import re

from ftkeras import catalog
from ftkeras.config.run import Config


def run_name(config: Config) -> str:
    """Return `config.name`, or the name of the training file, or that of the task.

    So `runs/<name>/` and `saved_models/<name>/` never mix datasets of your own.

    >>> run_name(Config(data=("data/Reviews 2024.csv.gz",)))
    'Reviews-2024'
    """
    if config.name is not None:
        return config.name
    spec = catalog.parse("task", config.task)
    files = spec.arguments.get("train")
    file = files[0] if isinstance(files, list | tuple) and files else files
    if not file or not isinstance(file, str):  # the task will refuse what names no file
        return spec.name
    stem = pathlib.Path(os.path.expanduser(file)).absolute().name.split(".")[0]
    return re.sub(r"\W+", "-", stem).strip("-") or spec.name
