"""From tags of words, as people write them, to entities as spans of a text."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ftkeras.data.tables.texts import encode

# B begins, E (or L) ends, and S (or U) is an entity.
_BEGINS, _ENDS = "BSU", "ESLU"

# Type, start and end in characters; the end is the first character after it.
Entity = tuple[str, int, int]
# Something that was not read: a noun, and the rest of a phrase.
LeftOut = tuple[str, str]


@dataclass
class Tagged:
    """A text with its entities.

    Attributes:
        text: as UTF-8.
        entities: in the order of the text; they do not overlap.
        repaired: tags I- that begin an entity.
        moved: spans that were not where the data said.
    """

    text: bytes
    entities: list[Entity] = field(default_factory=list)
    repaired: int = 0
    moved: int = 0


def from_tags(words: Sequence[str], tags: Sequence[str]) -> Tagged:
    """Return the words joined by spaces, with their entities.

    Tags are read as seqeval reads them by default: an entity begins at a tag B-, after O, after E-
    and where the type changes. So BIO, IOB1, BIOES and BILOU are all understood.
    Source: https://github.com/chakki-works/seqeval.

    Raises:
        ValueError: if an entity begins with a blank word; within one, such a word is no part of it.

    >>> from_tags(["New", "York", "rejects"], ["I-LOC", "I-LOC", "O"])
    Tagged(text=b'New York rejects', entities=[('LOC', 0, 8)], repaired=1, moved=0)
    """
    tagged = Tagged(encode(" ".join(words)))
    start, open_type, at = 0, None, 0
    for word, tag in zip(words, tags, strict=True):
        prefix, _, kind = tag.partition("-")
        end = at + characters(word)
        if prefix == "O":
            open_type = None
        else:
            if prefix in _BEGINS or kind != open_type:
                if not word.strip():
                    raise ValueError(
                        f"the tag {tag} belongs to the blank word {word!r}; it must be O"
                    )
                tagged.repaired += prefix == "I"
                start = at
                tagged.entities.append((kind, start, end))
            elif word.strip():
                tagged.entities[-1] = (kind, start, end)
            open_type = None if prefix in _ENDS else kind
        at = end + 1
    return tagged


def characters(text: str) -> int:
    r"""Return the length of a text after invalid bytes were replaced, as the model reads it.

    >>> characters("\ud800"), characters(b"\xff\xfe".decode("utf-8", "surrogateescape"))
    (3, 2)
    """
    return len(encode(text).decode("utf-8", "replace"))
