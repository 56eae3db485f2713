"""Contracts of every part in the catalog, so that a new file is tested at once."""

import inspect
import pathlib

import keras
import keras_tuner

from ftkeras import catalog

# What the run passes, by kind; the rest of a part's arguments must have defaults.
CONTEXT = {
    "average": {"epochs": 4},
    "batching": {"batch_size": 2, "pad_id": 0, "max_length": 8, "parts": 1},
    "head": {"classes": 3, "outputs": 3, "seed": 1},
    "loss": {},
    "masking": {},
    "few_shot": {"seed": 1},
    "self_training": {},
    "oracle": {
        "objective": keras_tuner.Objective("accuracy", "max"),
        "hyperparameters": keras_tuner.HyperParameters(),
        "seed": 1,
        "max_epochs": 4,
    },
    "optimizer": {"learning_rate": 0.1, "clip_norm": 1.0},
    "policy": {"seed": 1},
    "regularizer": {"seed": 1},
    "strategy": {},
    "schedule": {"peak": 0.5, "total_steps": 100},
    "track": {"run_dir": pathlib.Path("run"), "name": "reviews"},
    "truncation": {},
    "redact": {},
}
PARTS = [(kind, name) for kind in CONTEXT for name in catalog.names(kind)]


def make(kind: str, name: str, **arguments):
    """Build a part with its defaults, or with these keys of a user or of the run."""
    fixed = catalog.SET_BY_RUN.get(kind, ())
    context = CONTEXT[kind] | {k: v for k, v in arguments.items() if k in fixed}
    spec = catalog.Spec(name, {k: v for k, v in arguments.items() if k not in fixed})
    return catalog.construct(kind, catalog.find(kind, name), spec, **context)


def numeric_keys(kind: str, name: str) -> list[str]:
    """Return the keys of a part whose defaults are numbers."""
    parameters = inspect.signature(catalog.find(kind, name).__init__).parameters.values()
    return [
        p.name
        for p in parameters
        if isinstance(p.default, (int, float))
        and not isinstance(p.default, bool)
        and p.name not in CONTEXT[kind]
    ]


def boolean_keys(kind: str, name: str) -> list[str]:
    """Return the keys of a part whose defaults are True or False."""
    parameters = inspect.signature(catalog.find(kind, name).__init__).parameters.values()
    return [p.name for p in parameters if isinstance(p.default, bool)]


def round_trip(part):
    """Rebuild a part from its `get_config`, as Keras does if it is a Keras object."""
    if not hasattr(part, "from_config"):
        return type(part)(**part.get_config())
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(part))
