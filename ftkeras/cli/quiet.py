"""Import TensorFlow and Keras without the messages they print while loading."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Import TensorFlow and Keras; show their messages only if the import fails.

    TensorFlow's library writes straight to the process's standard error before it reads any log
    level, so file descriptor 2 points to a temporary file during the import.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as messages, _hidden("sklearn"):
        os.dup2(messages.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except BaseException:
            messages.seek(0)
            os.write(standard_error, messages.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


@contextlib.contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Make a package look as if it were not installed, unless it was imported before.

    Keras wraps scikit-learn's models, so `import keras` imports scikit-learn if it can. That takes
    more than a second, and no setting of Keras turns it off. A lazily loaded module would not help,
    because Keras imports names from it at once. `None` in `sys.modules` makes the import raise
    ImportError, which Keras handles. This is safe here, because:

    - Threads: only the command line calls this, before it starts any thread. Another thread that
      imported the package meanwhile would get the ImportError.
    - Exceptions: the entry is removed also if the import of Keras fails.
    - Later imports: Python does not remember a failed import. Evaluation imports scikit-learn
      normally afterwards (tested).
    - Keras: only `keras.wrappers` misses scikit-learn, and raises an ImportError that says so. This
      package does not use it. A program that imports the package as a library is not affected.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None
    try:
        yield
    finally:
        del sys.modules[name]
