"""Writes the bundled corpus: short film reviews in which negation and contrast decide.

    python -m ftkeras.corpora.make_reviews [folder]

A clause praises or blames, with a word of its own mind ("the plot is clever") or by denying one of
the other ("the plot is not dull"). Of two clauses in contrast the one that does not give way
decides ("although the cast was dull, the story is superb": positive). So a bag of words cannot
tell the classes apart, and a network that reads in order can.

The same bytes on every machine: of `random` only `Random.random()` is used, the one method whose
sequence Python promises to keep (https://docs.python.org/3/library/random.html).
"""

import pathlib
import random
import re
import string
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ftkeras.corpora import _review_words as words

LABELS = ("negative", "positive")
SIZES = {"train": 12000, "validation": 500, "test": 1000}
_SEED = 2019
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class Writer:
    """Writes reviews of a wanted label, by chance."""

    def __init__(self, *, seed: int):
        self._random = random.Random(seed)
        # A kind as often as it stands here.
        self._kinds: tuple[Callable[[int], str], ...] = (
            *[self._single] * 18,
            *[self._contrast] * 5,
            *[self._agreement] * 4,
            *[self._expectation] * 3,
            *[self._idiom] * 5,
            *[self._remark] * 12,
        )

    def review(self, label: int) -> str:
        """One review: the opinion, at times said twice, led in, or followed by an aside."""
        opinion = self._pick(self._kinds)(label)
        if self._random.random() < 0.05:
            opinion += f" {self._clause(label)}."
        lead = self._pick(words.LEAD) if self._random.random() < 0.07 else ""
        aside = f" {self._pick(words.ASIDE)}" if self._random.random() < 0.12 else ""
        return _capital(lead + opinion) + aside

    def _pick(self, choices: Sequence) -> Any:
        return choices[int(self._random.random() * len(choices))]

    def _single(self, label: int) -> str:
        return f"{self._clause(label)}."

    def _contrast(self, label: int) -> str:
        return self._pick(words.CONTRAST).format(self._clause(1 - label), self._clause(label))

    def _agreement(self, label: int) -> str:
        return self._pick(words.AGREEMENT).format(self._clause(label), self._clause(label))

    def _expectation(self, label: int) -> str:
        return self._filled(words.EXPECTED, self._adjective(1 - label), self._adjective(label))

    def _idiom(self, label: int) -> str:
        return self._pick(words.IDIOM[label]) + self._pick((".", "!"))

    def _remark(self, label: int) -> str:
        """Without a verb: "A very clever film!", "Not funny at all."."""
        return self._described(words.REMARK, label)

    def _clause(self, label: int) -> str:
        forms = (self._quality, self._quality, self._feeling, self._effect, self._call)
        return self._pick(forms)(label)

    def _call(self, label: int) -> str:
        return self._described(words.CALL, label)

    def _quality(self, label: int) -> str:
        subject = f"the {self._pick(words.THING)}"
        if self._denies():
            return f"{subject} {self._pick(words.NOT)} {self._pick(words.ADJECTIVE[1 - label])}"
        return f"{subject} {self._pick(words.COPULA)} {self._intense(label)}"

    def _feeling(self, label: int) -> str:
        thing = self._pick(words.THING)
        if not self._denies():
            return f"I {self._pick(words.FELT[label])[0]} the {thing}"
        negation, (past, base) = self._pick(words.DID_NOT), self._pick(words.FELT[1 - label])
        return f"I {negation} {base if negation.startswith('did') else past} the {thing}"

    def _effect(self, label: int) -> str:
        thing = self._pick(words.THING)
        if not self._denies():
            return f"the {thing} {self._pick(words.DOES[label])[0]}"
        negation, (third, base) = self._pick(words.DOES_NOT), self._pick(words.DOES[1 - label])
        return f"the {thing} {negation} {base if negation.startswith('does') else third}"

    def _described(self, forms: Sequence[Sequence[str]], label: int) -> str:
        if self._denies():
            return self._filled(forms[1], self._pick(words.ADJECTIVE[1 - label]))
        return self._filled(forms[0], self._intense(label))

    def _filled(self, forms: Sequence[str], *chosen: str) -> str:
        form = self._pick(forms)
        return form.format(*chosen, film=self._pick(words.FILM), thing=self._pick(words.THING))

    def _adjective(self, label: int) -> str:
        return self._pick(words.ADJECTIVE[label] * 2 + words.STRONG[label])

    def _intense(self, label: int) -> str:
        return self._pick(words.INTENSIFIER) + self._adjective(label)

    def _denies(self) -> bool:
        return self._random.random() < 0.35


def corpus() -> dict[str, list[tuple[str, int]]]:
    """Every split's (text, label), half of each label, no text twice.

    The bare idioms all go to train, so that the everyday sentences are learned.
    """
    writer, seen = Writer(seed=_SEED), set()
    splits: dict[str, list[tuple[str, int]]] = {}
    for split, size in SIZES.items():
        rows = _bare_idioms() if split == "train" else []
        seen.update(text for text, _ in rows)
        short = [size // 2 - sum(label == wanted for _, label in rows) for wanted in (0, 1)]
        for label, count in enumerate(short):
            rows += _new_reviews(writer, label, count, seen)
        splits[split] = sorted(rows, key=lambda row: _shuffled(row[0]))
    return splits


def vocabulary(texts: Sequence[str]) -> list[str]:
    """WordPieces of lower-cased ASCII text: special tokens, every character, the texts' words."""
    characters = string.punctuation + string.digits + string.ascii_lowercase
    inside = [f"##{character}" for character in string.digits + string.ascii_lowercase]
    found = {word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())}
    return [*_SPECIAL, *characters, *inside, *sorted(found - set(characters))]


def write(folder: pathlib.Path) -> None:
    """Writes train.tsv, validation.tsv, test.tsv and vocab.txt."""
    splits = corpus()
    for split, rows in splits.items():
        lines = ["text\tlabel", *(f"{text}\t{LABELS[label]}" for text, label in rows)]
        _write_lines(folder / f"{split}.tsv", lines)
    _write_lines(folder / "vocab.txt", vocabulary([text for text, _ in splits["train"]]))


def _write_lines(path: pathlib.Path, lines: Sequence[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))


def _bare_idioms() -> list[tuple[str, int]]:
    return [
        (_capital(idiom) + end, label)
        for label in (0, 1)
        for idiom in words.IDIOM[label]
        for end in ".!"
    ]


def _new_reviews(writer: Writer, label: int, count: int, seen: set[str]) -> list[tuple[str, int]]:
    rows = []
    while len(rows) < count:
        text = _articles(writer.review(label))
        if text not in seen:
            seen.add(text)
            rows.append((text, label))
    return rows


def _shuffled(text: str) -> float:
    return random.Random(text).random()


def _articles(text: str) -> str:
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def _capital(text: str) -> str:
    """A capital after every full stop, too: the forms leave clauses as they come."""
    return re.sub(r"(^|[.!] )([a-z])", lambda found: found[1] + found[2].upper(), text)


if __name__ == "__main__":
    default = pathlib.Path(__file__).parent / "reviews"
    write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default)
