"""Add special tokens to pieces, and find their ids."""

from collections.abc import Sequence

import tensorflow as tf


def add_specials(
    pieces: tf.RaggedTensor, *, start: tuple[int, ...] = (), end: tuple[int, ...] = ()
) -> tf.RaggedTensor:
    """Add ids at the start and at the end of each row, int32 ragged [batch, (pieces)]."""
    parts = [
        pieces if part is None else tf.fill([pieces.nrows(), 1], part)
        for part in (*start, None, *end)
    ]
    return tf.concat(parts, axis=1)


def roberta(
    first: tf.RaggedTensor, second: tf.RaggedTensor | None, *, start: int, end: int
) -> dict[str, tf.RaggedTensor]:
    """Return <s> a </s>, or <s> a </s></s> b </s>, all of segment 0, as RoBERTa reads them."""
    ids = add_specials(first, start=(start,), end=(end,))
    if second is None:
        return {"token_ids": ids}
    ids = tf.concat([ids, add_specials(second, start=(end,), end=(end,))], axis=1)
    return {"token_ids": ids, "segment_ids": tf.zeros_like(ids)}


def ids_of_tokens(
    vocabulary: Sequence[str], specials: Sequence[str], bytes_: Sequence[str] = ()
) -> dict[str, int]:
    """Return each token's id.

    Args:
        vocabulary: the tokens, by id.
        specials: special tokens that it must hold.
        bytes_: tokens of single bytes that it must hold.

    Raises:
        ValueError: if a token is there twice, or a required one is missing.
    """
    ids = {token: index for index, token in enumerate(vocabulary)}
    if missing := [token for token in (*specials, *bytes_) if token not in ids]:
        raise ValueError(
            f"`vocabulary` must hold {', '.join(specials)}{' and all bytes' * bool(bytes_)}. "
            f"Received: {len(vocabulary)} tokens without {', '.join(missing[:4])}."
        )
    if len(ids) < len(vocabulary):
        twice = next(t for i, t in enumerate(vocabulary) if ids[t] != i)
        raise ValueError(f"`vocabulary` must hold each token once. Received: {twice!r} twice.")
    return ids
