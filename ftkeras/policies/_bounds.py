from numbers import Integral, Real


def whole(least: int, **values) -> None:
    """Raises ValueError for what is no integer of at least `least`."""
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ValueError(
                f"`{name}` must be an integer of at least {least}. Received: {value!r}."
            )


def positive(**values) -> None:
    """Raises ValueError for what is no number over 0."""
    for name, value in values.items():
        if not isinstance(value, Real) or not value > 0:
            raise ValueError(f"`{name}` must be a positive number. Received: {value!r}.")


def flag(**values) -> None:
    """Raises ValueError for what is neither True nor False."""
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ValueError(f"`{name}` must be True or False. Received: {value!r}.")
