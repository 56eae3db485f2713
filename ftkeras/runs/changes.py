"""The settings of a finished run that `evaluate`, `report` and `export` may change."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from ftkeras.config import flagfile
from ftkeras.config.fields import AUTO, expand_home
from ftkeras.config.run import Config
from ftkeras.errors import UserError

# How a trained model is run: it may be cut, batched and placed otherwise than in training.
_RUNNING = {"max_length", "truncation", "batch_size", "batch_tokens", "batching", "precision"} | {
    *("jit_compile", "strategy", "deterministic", "name", "run_dir", "cache_dir", "debug")
}
_DATA = {field.name for field in dataclasses.fields(Config) if field.metadata["group"] == "Data"}
_EVALUATION = _RUNNING | _DATA | {"test", "calibrate"}
# What a run has done before it records its settings.
_NOT_RECORDED = {"pretrain_epochs"}
# The verbs that start from the settings of a run, and which of these their own flags may change.
CHANGEABLE = {
    "evaluate": _EVALUATION,
    "report": _EVALUATION,
    "export": _RUNNING | {"export", "export_dir", "force"},
}


def require_allowed(
    verb: str, given: Mapping[str, Any], trained: Config, run_dir: pathlib.Path
) -> None:
    """Raise UserError if a setting that differs from the run's would have no effect.

    Args:
        verb: one of CHANGEABLE.
        given: the settings that the user gave, by name.
        trained: the configuration that the run was trained with.
        run_dir: the run's folder.
    """
    for name, value in given.items():
        if name in CHANGEABLE[verb] or name not in Config.__dataclass_fields__:
            continue
        field, own = Config.__dataclass_fields__[name], _trained_with(name, trained, run_dir)
        free = field.metadata["free"]
        if value == AUTO or flagfile.are_same(expand_home(field, value), own):
            continue
        if free and value == field.default:  # said by a flagfile, perhaps
            continue
        if free or name in _DATA or name in _NOT_RECORDED:
            raise UserError(f"`{name}` has no effect on {verb}; leave it out.")
        raise UserError(
            f"`{name}` can't be changed by {verb}, because the run in {run_dir} was trained "
            f"{_with(own)}; leave it out, or train another run. Received: {_shown(value)}."
        )


def _with(value: Any) -> str:
    return "without it" if value in (None, ()) else f"with {_shown(value)}"


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _trained_with(name: str, trained: Config, run_dir: pathlib.Path) -> Any:
    own = getattr(trained, name)
    if name == "head" and own is None:
        from ftkeras.runs import problem  # only here, as it imports NumPy

        return problem.of_run(run_dir).head
    return own
