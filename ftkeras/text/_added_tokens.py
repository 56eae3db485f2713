"""Tokens that a checkpoint adds to its vocabulary, recognized in texts before anything else."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf
import tensorflow_text as tf_text

from ftkeras.text import ragged_tensors


class AddedToken(NamedTuple):
    """A string that is one token wherever a text contains it.

    Attributes:
        content: the string.
        id: the token's id.
        normalized: whether it is searched for in the normalized text, and normalized itself.
        special: whether the files call it special; only written to them.
    """

    content: str
    id: int
    normalized: bool = False
    special: bool = True


class Recognizer(tf.Module):
    """Split texts at added tokens, at the leftmost first and there at the longest.

    Source: `tokenizers`, AddedVocabulary.

    Args:
        contents: what to search for; different and not empty.
        ids: their ids.
    """

    def __init__(self, contents: Sequence[str], ids: Sequence[int]):
        super().__init__()
        self._pattern = literal_pattern(contents)
        keys, values = tf.constant(list(contents)), tf.constant(list(ids), tf.int32)
        initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
        self._ids = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def __call__(
        self, texts: tf.Tensor, others: Callable[[tf.Tensor], tf.RaggedTensor]
    ) -> tf.RaggedTensor:
        """Return the ids of texts, int32 ragged [batch, (ids)].

        Args:
            texts: string [batch].
            others: returns the ids of the strings between added tokens, [strings, (ids)].
        """
        # The op stops at a NUL. Like NUL, U+FFFD is removed when the other strings are normalized.
        texts = tf.strings.regex_replace(texts, r"\x00", "\ufffd")
        parts: Any = tf_text.regex_split(texts, self._pattern, self._pattern)
        ids = self._ids.lookup(parts.flat_values)
        is_added = ids >= 0
        lengths = tf.cast(is_added, tf.int64)
        added = ragged_tensors.from_row_lengths(tf.boolean_mask(ids, is_added), lengths)
        rest = others(tf.where(is_added, "", parts.flat_values))
        return parts.with_flat_values(tf.concat([added, rest], axis=1)).merge_dims(1, 2)


def extend(
    vocabulary: Sequence[str], added: Sequence[AddedToken], *, reserved: Sequence[str]
) -> tuple[str, ...]:
    """Return the vocabulary with added tokens.

    Args:
        vocabulary: the tokens, by id.
        added: in the order of their ids.
        reserved: tokens that can't be added.

    Raises:
        ValueError: if an id or token is not valid.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    seen = set(reserved)
    for token in added:
        if not token.content or token.content in seen:
            raise ValueError(
                "`added_tokens` must hold each token once and neither an empty token nor "
                f"{', '.join(reserved)}. Received: {token.content!r}."
            )
        seen.add(token.content)
        if (wanted := ids.setdefault(token.content, len(ids))) != token.id:
            raise ValueError(
                f"`added_tokens` must give {token.content!r} the id {wanted}, as ids have no gap. "
                f"Received: {token.id}."
            )
    return tuple(ids)


def literal_pattern(contents: Sequence[str]) -> str:
    """Return a regular expression of RE2 that matches strings, the longest of them first."""
    # RE2 takes the first alternative that matches, so a longer one must come first.
    longest_first = sorted(contents, key=lambda content: len(content.encode()), reverse=True)
    return "|".join(map(_literal, longest_first))


def _literal(content: str) -> str:
    """Return a regular expression of RE2 that matches the string itself."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in content)
