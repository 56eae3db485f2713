"""What a user did that cannot work, told in one line."""


class UserError(Exception):
    """A condition the user caused and can mend.

    The message is one line: the flag, the value received, and what would do. The command line
    prints it without a traceback and exits with code 2, or the subclass's own.
    """

    exit_code = 2


class LostWorker(UserError):  # noqa: N818  as Stopped
    """Another worker of the run has gone, so this one can't go on; starting all again would do."""

    exit_code = 75  # as `sysexits.h` has it for what may go well the next time


class Stopped(Exception):  # noqa: N818  a signal is no error
    """A signal has asked a run to stop, and its state is kept.

    Args:
        signal: the signal's number.
        told: what there is to say of it.
    """

    def __init__(self, signal: int, told: str):
        super().__init__(told)
        self.signal = signal
