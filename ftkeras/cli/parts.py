"""Check the parts that a configuration names before TensorFlow is imported, which takes seconds."""

import dataclasses
from typing import Any

from ftkeras import catalog
from ftkeras.config.launch import LaunchConfig
from ftkeras.config.tune import TuneConfig

# A value that names no part: no groups, no exports.
NONE = "none"


def check(config: Any) -> None:
    """Check each spec of a configuration as far as its part's source allows.

    The parts check themselves completely when they are built.

    Raises:
        UserError: there is no such part or key, a key is missing, or a value is wrong.
    """
    if isinstance(config, LaunchConfig):
        config = config.config
    _check_specs(config)
    if isinstance(config, TuneConfig):
        _check_search(config)


def _check_specs(config: Any) -> None:
    for field in dataclasses.fields(config):
        if field.name not in catalog.KINDS:
            continue
        value = getattr(config, field.name)
        for spec in value if isinstance(value, tuple) else (value,):
            # Not every field of this name is a spec: serve's `batching` is a file.
            if spec not in (None, NONE) and _names_parts(field):
                catalog.check(field.name, spec)


def _names_parts(field: dataclasses.Field) -> bool:
    """Return whether a field's help lists the parts that it may name."""
    return f"{{{field.name}}}" in field.metadata["help"]


def _check_search(config: TuneConfig) -> None:
    """Check the specs at the corners of a search."""
    from ftkeras.search import space, space_parser

    in_head = any(line.strip().startswith("head.") for line in config.search)
    if config.search and not (in_head and config.head is None):  # the task's class names its head
        space.check_corners(space_parser.parse(config.search, config), _check_specs)
