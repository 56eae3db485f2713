"""Run a SavedModel with TensorFlow for Python, where its wheel lacks the library of the C API."""

import pathlib
from collections.abc import Mapping, Sequence

from ftkeras.support import standard_error


class Session:
    """A SavedModel that Python has loaded; has the interface of `_c_session.Session`.

    Args:
        folder: the SavedModel.
        signature: the name of the signature to run.

    Raises:
        ValueError: if TensorFlow can't load it.
    """

    def __init__(self, folder: pathlib.Path, signature: str):
        with standard_error.hidden():
            import tensorflow as tf
            import tensorflow_text  # noqa: F401  registers the ops of the text layer

        try:
            # The signature holds the model's variables weakly, so the model must be kept as well.
            self._model = tf.saved_model.load(str(folder))
            self._signature = self._model.signatures[signature]
        except Exception as error:  # TensorFlow raises many types for a broken folder
            raise ValueError(str(error)) from error

    def run(self, inputs: Mapping[str, Sequence[bytes]]) -> dict[str, list]:
        """Return the outputs for a batch of strings: by name, a value or a list per string.

        Raises:
            ValueError: if the model refuses the strings.
        """
        import tensorflow as tf

        batch = {name: tf.constant(texts) for name, texts in inputs.items()}
        try:
            outputs = self._signature(**batch)
        except tf.errors.OpError as error:
            raise ValueError(error.message) from error
        return {name: output.numpy().tolist() for name, output in outputs.items()}
