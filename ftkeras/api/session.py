"""Prepare the process for a verb called from Python, and restore it afterwards."""

import contextlib
from collections.abc import Iterator

from ftkeras.support import messages, standard_error


@contextlib.contextmanager
def session(verbose: bool | int) -> Iterator[None]:
    """Show messages, and restore what a verb sets for the whole process.

    Args:
        verbose: 0 for warnings only.
    """
    standard_error.import_tensorflow()
    from ftkeras.support import global_state

    # A second run in a process makes TensorFlow warn of retracing.
    quiet = standard_error.only_errors("tensorflow")
    with messages.shown(bool(verbose)), global_state.restored(), quiet:
        yield
