"""Prepare the process for a verb called from Python, and restore it afterwards."""

import contextlib
from collections.abc import Iterator
from typing import Literal

from ftkeras.support import messages, standard_error
from ftkeras.support.reporter import Reporter

# A reporter, or the name of one; see `ftkeras.train`.
AnyReporter = Reporter | Literal["auto", "terminal", "notebook", "lines", "silent"]


@contextlib.contextmanager
def session(verbose: bool | int, reporter: AnyReporter = messages.AUTO) -> Iterator[None]:
    """Show messages, and restore what a verb sets for the whole process.

    Args:
        verbose: 0 for warnings only.
        reporter: who shows messages and progress.

    Raises:
        UserError: there is no such reporter.
    """
    standard_error.import_tensorflow()
    from ftkeras.support import global_state

    # A second run in a process makes TensorFlow warn of retracing.
    quiet = standard_error.only_errors("tensorflow")
    with messages.shown(bool(verbose), reporter), global_state.restored(), quiet:
        yield
