"""Describe what `drift` found."""

from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.runs.monitoring import Observed
from ftkeras.statistics.comparison import shown_p

HEADER = ("", "reference", "observed", "difference", "p (Holm)", "", "largest difference")
LEFT = {0, 5, 6}

Test = Mapping[str, Any]  # the attributes of a `Drift`, and under "drift" whether it was found


def rows(tests: Sequence[Test]) -> list[tuple[str, ...]]:
    """Return the cells of a table with a row for each test, below `HEADER`."""
    return [
        (
            test["name"],
            f"{test['reference']:,}",
            f"{test['observed']:,}",
            f"{test['effect']:.3f}",
            "too few" if test["adjusted"] is None else shown_p(test["adjusted"]),
            "DRIFT" if test["drift"] else "",
            test["largest"],
        )
        for test in tests
    ]


def table(tests: Sequence[Test]) -> str:
    """Return a line for each test, below a header."""
    cells = [HEADER, *rows(tests)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if n in LEFT else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def header(seen: Observed, split: str) -> str:
    """Return a line about what was observed, and one about what was not counted."""
    versions = ", ".join(map(str, sorted(seen.versions)))
    windows = f"{seen.windows:,} window{'s' if seen.windows > 1 else ''}"
    lines = [
        f"{seen.texts:,} texts in {windows} from {seen.start} to {seen.end}, version {versions}; "
        f"compared with {split}"
    ]
    if seen.dropped:
        lines.append(f"note: the server had no time to count {seen.dropped:,} further texts")
    return "\n".join(lines)


def verdict(tests: Sequence[Test]) -> str:
    """Return the conclusion in one sentence."""
    if drifted := [test["name"] for test in tests if test["drift"]]:
        return f"Drift of {', '.join(drifted)}."
    if not tests:
        return "Nothing could be compared."
    if all(test["adjusted"] is None for test in tests):
        return "Too few texts to conclude anything."
    return "No drift is shown."
