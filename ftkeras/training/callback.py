"""The base class of the callbacks here."""

from typing import Any

import keras


class Callback(keras.callbacks.Callback):
    """A Keras callback whose model is a compiled `FineTuner`, or behaves like one."""

    model: Any
