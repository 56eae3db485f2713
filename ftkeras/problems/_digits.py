"""Numbers as files of predictions have them."""

from typing import Any


def nine(value: Any) -> float:
    """Return a number with nine digits, which tell any two numbers of float32 apart.

    So what is computed from a file, such as ranks, equals what was computed from the outputs.

    >>> nine(1.23456789012e-12), nine(0.1)
    (1.23456789e-12, 0.1)
    """
    return float(f"{float(value):.9g}")


def seven(value: Any) -> float:
    """Return a number with seven digits, as people and spreadsheets read it.

    >>> seven(1.23456789012e-12), seven(0.1)
    (1.234568e-12, 0.1)
    """
    return float(f"{float(value):.7g}")
