"""What surrounds each call of a verb from Python."""

import contextlib
import logging
import sys
from collections.abc import Iterator

from ftkeras.support import messages, standard_error


@contextlib.contextmanager
def session(verbose: bool | int) -> Iterator[None]:
    """Show messages, and restore what a verb sets for the whole process.

    Args:
        verbose: 0 for warnings only.
    """
    import_tensorflow()
    from ftkeras.support import global_state

    with messages.shown(bool(verbose)), global_state.restored(), _quiet_tensorflow():
        yield


@contextlib.contextmanager
def _quiet_tensorflow() -> Iterator[None]:
    """Drop TensorFlow's warnings about retracing, which a second run in a process causes."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def import_tensorflow() -> None:
    """Import TensorFlow and Keras; show their messages only if the import fails."""
    if "tensorflow" in sys.modules:
        return
    with standard_error.hidden():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
