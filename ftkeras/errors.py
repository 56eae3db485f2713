"""Errors that a user can fix, and the exception raised when a signal stops a run."""


class UserError(Exception):
    """Report a condition that the user caused and can fix.

    The message is one line: the argument, the value received, and what is allowed. It names an
    argument in backticks, as in "`folds` must be at least 2", or as `folds=1`. The command line
    shows the argument as its flag, prints no traceback and exits with `exit_code`.

    Attributes:
        exit_code: 2 unless a subclass sets another.
    """

    exit_code = 2


class PartError(UserError):
    """Report a part, such as a schedule, whose spec or use is wrong.

    Args:
        kind: the argument that names the part, such as `schedule`.
        spec: the part as the user wrote it, such as `linear(end=-1)`.
        reason: what is wrong with it. It names the part's own keys, which are not arguments.
    """

    def __init__(self, kind: str, spec: str, reason: str):
        super().__init__(f"{kind}={spec}: {reason}")
        self.kind, self.spec, self.reason = kind, spec, reason


class LostWorker(UserError):  # noqa: N818  as Stopped
    """Report that another worker of the run is gone; restarting all workers would help."""

    exit_code = 75  # EX_TEMPFAIL of sysexits.h: the same command may work the next time


class Blocked(UserError):  # noqa: N818  as Stopped
    """Report that a dossier was written, but that what it lacks blocks a release."""

    exit_code = 3


class Stopped(Exception):  # noqa: N818  a signal is not an error
    """Report that a signal stopped a run after its state was saved.

    Args:
        signal: the signal's number.
        message: what the user should know, such as how to resume.
    """

    def __init__(self, signal: int, message: str):
        super().__init__(message)
        self.signal = signal
