"""Reviews with entities that a small model learns to find."""

import itertools
import pathlib
import re

import ftkeras.corpora

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews" / "train.tsv"


def sentences(count: int) -> list[tuple[list[str], list[str]]]:
    """Return words and tags: what stands after `the` somewhere is a THING."""
    lines = REVIEWS.read_text(encoding="utf-8").splitlines()[1 : count + 1]
    texts = [re.findall(r"\w+|[^\w\s]", line.split("\t")[0]) for line in lines]
    pairs = (pair for words in texts for pair in itertools.pairwise(words))
    things = {after for before, after in pairs if before.lower() == "the"}
    found = []
    for words in texts:
        tags = ["B-THING" if word in things else "O" for word in words]
        tags = ["B-NOT" if word == "not" else tag for word, tag in zip(words, tags, strict=True)]
        found.append((words, tags))
    return found


def write_conll(path: pathlib.Path, count: int) -> None:
    """Write a CoNLL file of so many reviews."""
    blocks = (
        "\n".join(f"{word} _ {tag}" for word, tag in zip(words, tags, strict=True))
        for words, tags in sentences(count)
    )
    path.write_text("-DOCSTART- _ O\n\n" + "\n\n".join(blocks) + "\n", encoding="utf-8")
