"""Register this package's classes with Keras."""

import importlib

from ftkeras import catalog

# Kinds of parts that Keras saves.
KINDS = ("encoder", "head", "loss", "optimizer", "schedule")


def register_keras_classes() -> None:
    """Register the classes of this package that `.keras` files name.

    Call it before `keras.models.load_model` in a process that has not used them.

    >>> import keras
    >>> register_keras_classes()
    >>> keras.saving.get_registered_object("ftkeras>Bert").__name__
    'Bert'
    """
    for kind in KINDS:
        for name in catalog.names(kind):
            catalog.find(kind, name)
    for module in ("ftkeras.text.preprocessor", "ftkeras.api.text_classifier"):
        importlib.import_module(module)
