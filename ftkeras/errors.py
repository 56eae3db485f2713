"""What a user did that cannot work, told in one line."""


class UserError(Exception):
    """A condition the user caused and can mend.

    The message is one line: the flag, the value received, and what would do. The command line
    prints it without a traceback and exits with code 2.
    """
