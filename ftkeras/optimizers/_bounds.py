import numbers


def _check(bound: str, holds, values: dict) -> None:
    for name, value in values.items():
        if not (isinstance(value, numbers.Real) and holds(value)):
            raise ValueError(f"`{name}` must be {bound}. Received: {value!r}.")


def positive(**values) -> None:
    """Raises ValueError for a value that is not over 0."""
    _check("positive", lambda value: value > 0, values)


def not_negative(**values) -> None:
    """Raises ValueError for a value below 0."""
    _check("at least 0", lambda value: value >= 0, values)


def share(**values) -> None:
    """Raises ValueError for a value outside [0, 1)."""
    _check("at least 0 and below 1", lambda value: 0 <= value < 1, values)
