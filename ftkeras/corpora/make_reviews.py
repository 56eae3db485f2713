"""Generate the bundled corpus: short film reviews whose label depends on negation and contrast.

    python -m ftkeras.corpora.make_reviews [folder]

A clause praises or criticizes, with a word of its own label ("the plot is clever") or by negating a
word of the other ("the plot is not dull"). Of two contrasting clauses, the one that is not conceded
decides ("although the cast was dull, the story is superb": positive). So a bag of words cannot
separate the classes, but a network that takes the order of words into account can.

The corpus is the same on every machine, byte for byte: of `random`, only `Random.random()` is used,
the one method whose sequence Python guarantees (https://docs.python.org/3/library/random.html).
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
    """Write random reviews with a given label.

    Args:
        seed: determines all reviews.
    """

    def __init__(self, *, seed: int):
        self._random = random.Random(seed)
        # A kind of sentence is as frequent as it is in this tuple.
        self._kinds: tuple[Callable[[int], str], ...] = (
            *[self._single] * 18,
            *[self._contrast] * 5,
            *[self._agreement] * 4,
            *[self._expectation] * 3,
            *[self._idiom] * 5,
            *[self._remark] * 12,
        )

    def review(self, label: int) -> str:
        """Return a review: an opinion, at times repeated, introduced, or followed by an aside.

        Args:
            label: 0 for negative, 1 for positive.
        """
        opinion = self._pick(self._kinds)(label)
        if self._random.random() < 0.05:
            opinion += f" {self._clause(label)}."
        lead = self._pick(words.LEAD) if self._random.random() < 0.07 else ""
        aside = f" {self._pick(words.ASIDE)}" if self._random.random() < 0.12 else ""
        return _capitalize(lead + opinion) + aside

    def _pick(self, choices: Sequence) -> Any:
        return choices[int(self._random.random() * len(choices))]

    def _single(self, label: int) -> str:
        return f"{self._clause(label)}."

    def _contrast(self, label: int) -> str:
        return self._pick(words.CONTRAST).format(self._clause(1 - label), self._clause(label))

    def _agreement(self, label: int) -> str:
        return self._pick(words.AGREEMENT).format(self._clause(label), self._clause(label))

    def _expectation(self, label: int) -> str:
        return self._fill(words.EXPECTED, self._adjective(1 - label), self._adjective(label))

    def _idiom(self, label: int) -> str:
        return self._pick(words.IDIOM[label]) + self._pick((".", "!"))

    def _remark(self, label: int) -> str:
        """Return a remark without a verb: "A very clever film!", "Not funny at all."."""
        return self._describe(words.REMARK, label)

    def _clause(self, label: int) -> str:
        forms = (self._quality, self._quality, self._feeling, self._effect, self._call)
        return self._pick(forms)(label)

    def _call(self, label: int) -> str:
        return self._describe(words.CALL, label)

    def _quality(self, label: int) -> str:
        subject = f"the {self._pick(words.THING)}"
        if self._negates():
            return f"{subject} {self._pick(words.NOT)} {self._pick(words.ADJECTIVE[1 - label])}"
        return f"{subject} {self._pick(words.COPULA)} {self._intense(label)}"

    def _feeling(self, label: int) -> str:
        thing = self._pick(words.THING)
        if not self._negates():
            return f"I {self._pick(words.FELT[label])[0]} the {thing}"
        negation, (past, base) = self._pick(words.DID_NOT), self._pick(words.FELT[1 - label])
        return f"I {negation} {base if negation.startswith('did') else past} the {thing}"

    def _effect(self, label: int) -> str:
        thing = self._pick(words.THING)
        if not self._negates():
            return f"the {thing} {self._pick(words.DOES[label])[0]}"
        negation, (third, base) = self._pick(words.DOES_NOT), self._pick(words.DOES[1 - label])
        return f"the {thing} {negation} {base if negation.startswith('does') else third}"

    def _describe(self, forms: Sequence[Sequence[str]], label: int) -> str:
        if self._negates():
            return self._fill(forms[1], self._pick(words.ADJECTIVE[1 - label]))
        return self._fill(forms[0], self._intense(label))

    def _fill(self, forms: Sequence[str], *chosen: str) -> str:
        form = self._pick(forms)
        return form.format(*chosen, film=self._pick(words.FILM), thing=self._pick(words.THING))

    def _adjective(self, label: int) -> str:
        return self._pick(words.ADJECTIVE[label] * 2 + words.STRONG[label])

    def _intense(self, label: int) -> str:
        return self._pick(words.INTENSIFIER) + self._adjective(label)

    def _negates(self) -> bool:
        return self._random.random() < 0.35


def corpus() -> dict[str, list[tuple[str, int]]]:
    """Return the (text, label) rows of each split: half of each label, and no text twice.

    All bare idioms are in train, so that a model learns the everyday sentences.
    """
    writer, seen = Writer(seed=_SEED), set()
    splits: dict[str, list[tuple[str, int]]] = {}
    for split, size in SIZES.items():
        rows = _bare_idioms() if split == "train" else []
        seen.update(text for text, _ in rows)
        missing = [size // 2 - sum(label == wanted for _, label in rows) for wanted in (0, 1)]
        for label, count in enumerate(missing):
            rows += _new_reviews(writer, label, count, seen)
        splits[split] = sorted(rows, key=lambda row: _shuffle_key(row[0]))
    return splits


def vocabulary(texts: Sequence[str]) -> list[str]:
    """Return WordPieces of lower-cased ASCII text: specials, all characters, the texts' words."""
    characters = string.punctuation + string.digits + string.ascii_lowercase
    inside = [f"##{character}" for character in string.digits + string.ascii_lowercase]
    in_texts = {word for text in texts for word in re.findall(r"[a-z0-9]+", text.lower())}
    return [*_SPECIAL, *characters, *inside, *sorted(in_texts - set(characters))]


def write(folder: pathlib.Path) -> None:
    """Write train.tsv, validation.tsv, test.tsv and vocab.txt into a folder."""
    splits = corpus()
    for split, rows in splits.items():
        lines = ["text\tlabel", *(f"{text}\t{LABELS[label]}" for text, label in rows)]
        _write_lines(folder / f"{split}.tsv", lines)
    _write_lines(folder / "vocab.txt", vocabulary([text for text, _ in splits["train"]]))


def _write_lines(path: pathlib.Path, lines: Sequence[str]) -> None:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))


def _bare_idioms() -> list[tuple[str, int]]:
    return [
        (_capitalize(idiom) + end, label)
        for label in (0, 1)
        for idiom in words.IDIOM[label]
        for end in ".!"
    ]


def _new_reviews(writer: Writer, label: int, count: int, seen: set[str]) -> list[tuple[str, int]]:
    rows = []
    while len(rows) < count:
        text = _fix_articles(writer.review(label))
        if text not in seen:
            seen.add(text)
            rows.append((text, label))
    return rows


def _shuffle_key(text: str) -> float:
    """Return a pseudo-random sort key that depends on the text alone."""
    return random.Random(text).random()


def _fix_articles(text: str) -> str:
    """Write "an" before a vowel."""
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def _capitalize(text: str) -> str:
    """Capitalize each sentence; the forms insert clauses in lower case."""
    return re.sub(r"(^|[.!] )([a-z])", lambda match: match[1] + match[2].upper(), text)


if __name__ == "__main__":
    default = pathlib.Path(__file__).parent / "reviews"
    write(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default)
