"""Pairs of texts that a small model learns to embed."""

import csv
import pathlib
import random

_GOOD = ("excellent", "great", "superb", "wonderful", "brilliant", "amazing", "fantastic")
_BAD = ("awful", "bad", "horrible", "terrible", "dull", "boring", "dreadful")
_PARTS = ("film", "story", "cast", "music", "plot", "ending", "drama")


def scored(count: int, *, seed: int = 0) -> list[tuple[str, str, float]]:
    """Return pairs whose score, from 0 to 5, is 5 if both are good or both are bad."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        first, second = (rng.choice((_GOOD, _BAD)) for _ in range(2))
        score = 4 * (first is second) + rng.random()
        texts = (f"the {rng.choice(_PARTS)} was {rng.choice(words)} !" for words in (first, second))
        found.append((*texts, round(score, 2)))
    return found


def positive(count: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Return pairs of a text and another one that is about the same part and word."""
    rng = random.Random(seed)
    subjects = [(part, word) for part in _PARTS for word in (*_GOOD, *_BAD)]
    chosen = rng.sample(subjects, min(count, len(subjects))) + rng.choices(
        subjects, k=max(0, count - len(subjects))
    )
    return [(f"the {part} was {word} !", f"i call this {word} {part} so") for part, word in chosen]


def write_csv(path: pathlib.Path, rows: list[tuple], *columns: str) -> None:
    """Write rows with the names of their columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
