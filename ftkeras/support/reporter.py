"""The base class of objects that receive the messages and the progress of a call."""


class Reporter:
    """Base class of reporters, which receive the messages and the progress of a call.

    Pass one to any function that takes `reporter`. Subclasses override one method or both; here,
    they do nothing. The methods are called in the thread of the call.

    >>> class Status(Reporter):
    ...     def progress(self, title, done, total, details):
    ...         print(f"{title}: {done} of {total}", details)
    >>> Status().progress("epoch 1/2", 32, 64, "loss 0.6931, lr 2.0e-05")
    epoch 1/2: 32 of 64 loss 0.6931, lr 2.0e-05
    """

    def message(self, text: str, *, is_warning: bool) -> None:
        """Receive a message.

        Args:
            text: one line or several, such as a table.
            is_warning: whether it is a warning.
        """

    def progress(self, title: str, done: int, total: int | None, details: str) -> None:
        """Receive how much is done. Called about twice a second at most.

        Args:
            title: what is done, such as "epoch 1/2" or "evaluating test".
            done: how much is done, such as the number of examples in all epochs so far.
            total: how much there is to do; None if it is not known.
            details: further values, such as "loss 0.6931, lr 2.0e-05"; may be empty.
        """
