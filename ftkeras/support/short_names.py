"""Names that fit into a plot or a table."""

from collections.abc import Sequence


def shorten(names: Sequence[str], width: int) -> list[str]:
    """Return names of at most so many characters.

    Long ones are cut at their end, or in their middle if different ones would become the same.

    >>> shorten(["a", "questions about money", "answers"], 10)
    ['a', 'questions…', 'answers']
    >>> shorten(["questions about money", "questions about trains"], 10)
    ['quest…oney', 'quest…ains']
    """
    cut = [name if len(name) <= width else f"{name[: width - 1]}…" for name in names]
    if len(set(cut)) == len(set(names)):
        return cut
    end = (width - 1) // 2
    return [
        name if len(name) <= width else f"{name[: width - 1 - end]}…{name[-end:]}" for name in names
    ]
