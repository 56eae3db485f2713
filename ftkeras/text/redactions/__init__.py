"""Redactions: what in a text is replaced by placeholders before it is tokenized, one per file."""

from dataclasses import dataclass
from typing import Any, Protocol

import tensorflow as tf

from ftkeras.support import lazy

__all__ = ["Redaction", "Rule", "count", "replace", "valid"]


@dataclass(frozen=True)
class Rule:
    r"""A pattern and its replacement.

    The pattern is written so that RE2, which TensorFlow uses, and Python's `re` with `re.ASCII`
    replace the same places: no look-ahead, look-behind or back-reference, `\b`, `\d` and `\w` of
    ASCII alone, and no letter case that is ignored.

    Attributes:
        kind: what the pattern finds, in a word.
        pattern: the regular expression.
        rewrite: the replacement, in which `\1` is the pattern's first group.
        placeholder: the part of `rewrite` that says what was there.
    """

    kind: str
    pattern: str
    rewrite: str

    @property
    def placeholder(self) -> str:
        return self.rewrite.removeprefix(r"\1")


class Redaction(Protocol):
    """The interface of a redaction.

    Attributes:
        rules: applied one after the other, each everywhere in a text.
    """

    rules: tuple[Rule, ...]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        ...


def replace(redaction: Redaction, texts: tf.Tensor) -> tf.Tensor:
    """Return texts with placeholders; works in the graph.

    Args:
        redaction: has the rules.
        texts: string, of any shape, in UTF-8; see `valid`.
    """
    texts = valid(texts)
    for rule in redaction.rules:
        texts = tf.strings.regex_replace(texts, rule.pattern, rule.rewrite)
    return texts


def valid(texts: tf.Tensor) -> tf.Tensor:
    """Return texts in which U+FFFD stands for bytes that are not UTF-8, as Python decodes them."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")


def count(redaction: Redaction, texts: tf.Tensor) -> dict[str, int]:
    """Return how many places of each kind are replaced in some texts.

    Args:
        redaction: has the rules.
        texts: string [n].
    """
    counts, before = {}, valid(texts)
    for rule in redaction.rules:
        after = tf.strings.regex_replace(before, rule.pattern, rule.rewrite)
        changed = tf.where(before != after)[:, 0]
        placeholder = rule.placeholder.encode()
        lengths = [
            sum(text.count(placeholder) for text in tf.gather(part, changed).numpy())
            for part in (before, after)
        ]
        counts[rule.kind] = lengths[1] - lengths[0]
        before = after
    return counts


__getattr__, __dir__ = lazy.attach(__name__)
