"""Silence what libraries write to standard error and to their loggers."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Show what is written to standard error only if the block fails.

    TensorFlow's library writes straight to the process's standard error before it reads any log
    level, so file descriptor 2 points to a temporary file meanwhile.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(standard_error, messages.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


def import_tensorflow() -> None:
    """Import TensorFlow and Keras; show their messages only if the import fails."""
    if "tensorflow" in sys.modules and "keras" in sys.modules:
        return
    with hidden():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def only_errors(logger_name: str) -> Iterator[None]:
    """Drop what a library's logger gets inside the context, except errors."""
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
