"""Import TensorFlow and Keras without the messages that do not concern a user of the command."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

from ftkeras.support import standard_error


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without scikit-learn and without messages.

    TensorFlow's hint that a function is often traced is not shown later either. A function is
    traced once for each length of a batch, which is often in a short run and rare in a long one.
    """
    with _hidden("sklearn"):
        standard_error.import_tensorflow()
    logging.getLogger("tensorflow").addFilter(_is_no_hint_at_tracing)


def _is_no_hint_at_tracing(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


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
    modules: dict[str, Any] = sys.modules
    modules[name] = None
    try:
        yield
    finally:
        del sys.modules[name]
