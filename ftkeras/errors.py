"""What a user did that cannot work, told in one line."""


class UserError(Exception):
    """A condition the user caused and can mend.

    The message is one line: the flag, the value received, and what would do. The command line
    prints it without a traceback and exits with code 2.
    """


class Stopped(Exception):  # noqa: N818  a signal is no error
    """A signal has asked a run to stop, and its state is kept.

    Args:
        signal: the signal's number.
        told: what there is to say of it.
    """

    def __init__(self, signal: int, told: str):
        super().__init__(told)
        self.signal = signal
