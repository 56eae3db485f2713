"""Register this package's classes with Keras."""

import importlib

from ftkeras.support import lazy

# Folders whose public modules are parts that Keras saves.
FOLDERS = ("encoders", "heads", "losses", "optimizers", "schedules")


def register_keras_classes() -> None:
    """Register the classes of this package that `.keras` files name.

    Call it before `keras.models.load_model` in a process that has not used them.

    >>> import keras
    >>> register_keras_classes()
    >>> keras.saving.get_registered_object("ftkeras>Bert").__name__
    'Bert'
    """
    for folder in FOLDERS:
        package = importlib.import_module(f"ftkeras.{folder}")
        for name in lazy.class_names(package.__path__):
            getattr(package, name)
    for module in ("ftkeras.text.preprocessor", "ftkeras.api.text_classifier"):
        importlib.import_module(module)
