"""Infer the task from the user's own files."""

import dataclasses
import logging
from typing import TypeVar

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.support.specs import Spec

log = logging.getLogger(__name__)

AnyConfig = TypeVar("AnyConfig", bound=Config)


def resolve(config: AnyConfig) -> AnyConfig:
    """Return the configuration with the task that its data need, and report it if it is another.

    A loss or a metric that is the default of the first task becomes that of the other one, and is
    reported.

    Raises:
        UserError: if the data can't be read.
    """
    spec = catalog.parse("task", config.task)
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    if (better := task.better_task()) is None:
        return config
    name, reason = better
    changes: dict[str, object] = {"task": str(Spec(name, spec.arguments))}
    defaults = []
    for field, setting in catalog.OF_PROBLEM.items():
        if getattr(config, field) == catalog.problem_default(spec.name, setting):
            changes[field] = None
            defaults.append(f"its {field} is {catalog.problem_default(name, setting)}")
    log.info("task    %s, as %s", name, reason)
    if defaults:
        log.info("        %s", ", ".join(defaults))
    return dataclasses.replace(config, **changes)
