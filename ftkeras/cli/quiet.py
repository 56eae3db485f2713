"""Imports TensorFlow and Keras without their chatter, and sooner than they would by themselves."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras, their messages held back; they are shown only where it fails.

    Its library writes before any log level is heeded, straight to the process's standard error, so
    that is turned elsewhere for the while.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as held, _hidden("sklearn"):
        os.dup2(held.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except BaseException:
            held.seek(0)
            os.write(standard_error, held.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


@contextlib.contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Has a package seem not to be installed, unless it was imported before.

    Keras has wrappers for scikit-learn's models, so it imports it where it can, which takes more
    than a second. What measures here imports it later, when it is needed.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # an import of it then fails
    try:
        yield
    finally:
        del sys.modules[name]
