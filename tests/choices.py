"""Questions with options that a small model learns to answer."""

import csv
import pathlib
import random

COLUMNS = ("question", "choice0", "choice1", "choice2", "choice3", "label")
_GOOD = ("excellent", "great", "superb", "wonderful", "brilliant", "amazing", "fantastic")
_BAD = ("awful", "bad", "horrible", "terrible", "dull", "boring", "dreadful")
_PARTS = ("film", "story", "cast", "music", "plot", "ending", "drama")


def questions(count: int, *, seed: int = 0) -> list[tuple[str, list[str], int]]:
    """Return questions with 2 to 4 options, of which one is good, and its number."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        options = rng.sample(_BAD, rng.choice((1, 2, 3)))
        answer = rng.randrange(len(options) + 1)
        options.insert(answer, rng.choice(_GOOD))
        part = rng.choice(_PARTS)
        found.append((f"i loved the {part}", [f"it was {o} !" for o in options], answer))
    return found


def write_csv(path: pathlib.Path, count: int, *, seed: int = 0) -> None:
    """Write the given number of questions, with a column for each option."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for question, options, answer in questions(count, seed=seed):
            writer.writerow([question, *options, *[""] * (4 - len(options)), answer])
