"""Describe what `drift` found."""

from collections.abc import Sequence

from ftkeras.runs.monitoring import Observed
from ftkeras.statistics.comparison import shown_p
from ftkeras.statistics.drift import Drift


def table(found: Sequence[Drift], *, alpha: float, least_effect: float) -> str:
    """Return a line for each test.

    Args:
        found: what the tests found.
        alpha: the level.
        least_effect: the smallest difference that matters.
    """
    rows = [("", "reference", "observed", "difference", "p (Holm)", "", "largest difference")]
    for one in found:
        p = "too few" if one.adjusted is None else shown_p(one.adjusted)
        mark = "DRIFT" if one.is_found(alpha=alpha, least_effect=least_effect) else ""
        counts = f"{one.reference:,}", f"{one.observed:,}"
        rows.append((one.name, *counts, f"{one.effect:.3f}", p, mark, one.largest))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {0, 5, 6}
    lines = [
        "  ".join(
            cell.ljust(width) if n in left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
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


def verdict(found: Sequence[Drift], *, alpha: float, least_effect: float) -> str:
    """Return the conclusion in one sentence."""
    drifted = [one.name for one in found if one.is_found(alpha=alpha, least_effect=least_effect)]
    if drifted:
        return f"Drift of {', '.join(drifted)}."
    if all(one.adjusted is None for one in found):
        return "Too few texts to conclude anything."
    return "No drift is shown."
