"""Examples to rows of token ids: what the batchings share."""

import numpy as np


def padded(examples, positions: np.ndarray, *, pad_id: int) -> dict[str, np.ndarray]:
    """A row an example, padded to the longest.

    Args:
        examples: the view that the positions are of.
        positions: integer [batch]; below 0 for a row of padding.
        pad_id: the id of [PAD].

    Returns:
        `token_ids` and, for pairs, `segment_ids`, int32 [batch, length].
    """
    texts = [examples.ids(position) if position >= 0 else () for position in positions]
    longest = max(1, *map(len, texts))
    token_ids = np.full((len(texts), longest), pad_id, np.int32)
    for row, text in zip(token_ids, texts, strict=True):
        row[: len(text)] = text
    if not examples.pairs:
        return {"token_ids": token_ids}
    seconds = examples.seconds[examples.rows[positions]]
    segment_ids = (np.arange(longest) >= seconds[:, None]) & (token_ids != pad_id)
    return {"token_ids": token_ids, "segment_ids": segment_ids.astype(np.int32)}
