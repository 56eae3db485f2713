"""Doubt about the metrics of few examples."""

# Epochs rarely differ by more than half of this width of a metric's interval.
WIDEST_INTERVAL = 0.1


def doubt_interval(name: str, value: float, low: float, high: float) -> str | None:
    """Return a sentence if a metric's interval is too wide to rank epochs by it, or None.

    >>> doubt_interval("accuracy", 0.9, 0.769, 0.9604)
    'its accuracy of 0.900 may be anything from 0.769 to 0.960'
    >>> doubt_interval("accuracy", 0.9, 0.89, 0.91)
    """
    if high - low <= WIDEST_INTERVAL:
        return None
    return f"its {name} of {value:.3f} may be anything from {low:.3f} to {high:.3f}"
