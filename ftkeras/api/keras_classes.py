"""Register this package's classes with Keras."""

import importlib

from ftkeras import catalog

# Keras saves parts of these kinds in `.keras` files, under the registered names of their classes.
KINDS = ("encoder", "head", "loss", "optimizer", "schedule")


def register_keras_classes() -> None:
    """Register the classes of ftkeras with Keras, so that `.keras` files with them can be loaded.

    Call this before `keras.models.load_model` in a process that has not used these classes.

    >>> import keras
    >>> register_keras_classes()
    >>> keras.saving.get_registered_object("ftkeras>Bert").__name__
    'Bert'
    """
    for kind in KINDS:
        for name in catalog.names(kind):
            catalog.find(kind, name)
    for module in (
        "ftkeras.text.preprocessor",
        "ftkeras.api.text_classifier",
        "ftkeras.api.text_regressor",
        "ftkeras.api.multi_label_text_classifier",
        "ftkeras.api.multiple_choice",
        "ftkeras.api.question_answerer",
        "ftkeras.api.text_similarity",
        "ftkeras.api.token_classifier",
    ):
        importlib.import_module(module)
