"""Score biases, which mask padding and other texts of the same row."""

from typing import Any, NamedTuple

from keras import ops

Tensor = Any
# Added to the score of a masked position: finite in float16, and large enough that the softmax is
# exactly 0 there.
MASKED = -3e4


class Attention(NamedTuple):
    """The inputs of a layer's attention besides the states.

    Attributes:
        bias: is added to the scores, broadcast to [batch, heads, queries, length]; in layers with
            local attention as `_local.local_bias` returns it. None to mask nothing.
        rotary: the result of `_rotary.rotary_tables`, or None.
        relative: the scores of relative positions, broadcast to [batch, heads, queries, length]; or
            the used rows of their table, if layers project these. None without such positions.
        positions: each token's position within its text, integers [batch or 1, length]; only if
            layers project the table's rows and compute first tokens only.
    """

    bias: Tensor = None
    rotary: tuple[Tensor, Tensor] | None = None
    relative: Tensor = None
    positions: Tensor = None


class Packing(NamedTuple):
    """The positions of several texts in each row; integer tensors.

    Attributes:
        starts: [batch, texts], ascending: the positions at which texts start.
        texts: [batch, length]: the number of the text at each position, from 0.
        positions: [batch, length]: each position within its text, from 0.
    """

    starts: Tensor
    texts: Tensor
    positions: Tensor


def packing_from_starts(starts: Tensor, length: Tensor) -> Packing:
    """Return the packing of rows of this length, from the starts of their texts, [batch, texts].

    Positions after the last text are counted as part of it; the padding mask excludes them.
    """
    positions = ops.arange(length, dtype=starts.dtype)
    started = ops.less_equal(starts[:, None, :], positions[None, :, None])
    texts = ops.sum(ops.cast(started, starts.dtype), axis=-1) - 1
    return Packing(starts, texts, positions - ops.take_along_axis(starts, texts, axis=1))


def padding_bias(padding_mask: Tensor) -> Tensor:
    """Return a score bias that masks padding.

    Args:
        padding_mask: [batch, length], 1 for tokens and 0 for padding.

    Returns:
        [batch, 1, 1, length], float32: 0 for tokens, `MASKED` for padding.
    """
    mask = ops.cast(padding_mask, "float32")
    return ops.expand_dims(1.0 - mask, (1, 2)) * MASKED


def mask_across_texts(score_bias: Tensor, texts: Tensor, query_texts: Tensor) -> Tensor:
    """Restrict attention in packed rows to positions of the same text.

    Args:
        score_bias: [batch, 1, 1, length].
        texts: [batch, length], the text of each key.
        query_texts: [batch, queries], the text of each query.

    Returns:
        The score bias, [batch, 1, queries, length].
    """
    same = ops.equal(query_texts[:, None, :, None], texts[:, None, None, :])
    return ops.where(same, score_bias, ops.cast(MASKED, score_bias.dtype))


def attention_bias(
    padding_mask: Tensor, packing: Packing | None, query_texts: Tensor = None
) -> Tensor:
    """Return the score bias that restricts attention to tokens of the same text.

    Args:
        padding_mask: [batch, length], 1 for tokens; None, without packing, if all are tokens.
        packing: where texts lie in packed rows, or None for one text in each row.
        query_texts: the text of each query, [batch, queries]; None if the queries are all
            positions. Ignored without packing.

    Returns:
        [batch, 1, 1, length], or [batch, 1, queries, length] for packed rows; None without a mask.
    """
    if padding_mask is None:
        return None
    bias = padding_bias(padding_mask)
    if packing is None:
        return bias
    query_texts = packing.texts if query_texts is None else query_texts
    return mask_across_texts(bias, packing.texts, query_texts)


def membership(packing: Packing, padding_mask: Tensor) -> Tensor:
    """Return [batch, texts, length], true where a token belongs to that text of its row."""
    count = ops.shape(packing.starts)[1]
    numbers = ops.arange(count, dtype=packing.texts.dtype)[None, :, None]
    own = ops.equal(packing.texts[:, None, :], numbers)
    return ops.logical_and(own, ops.cast(padding_mask, "bool")[:, None, :])


def mask_later_tokens(score_bias: Tensor, length: Tensor) -> Tensor:
    """Restrict attention to each query's own position and those before it.

    Args:
        score_bias: broadcast to [batch, 1, length, length], float32; None for 0.
        length: of the rows.

    Returns:
        The score bias, [batch or 1, 1, length, length].
    """
    numbers = ops.arange(length)
    later = ops.greater(numbers[None, :], numbers[:, None])[None, None]
    kept = ops.cast(0.0, "float32") if score_bias is None else score_bias
    return ops.where(later, ops.cast(MASKED, "float32"), kept)


def first_tokens(token_ids: Tensor, packing: Packing | None) -> Tensor:
    """Return the position of each text's first token, integer [batch, texts].

    A start beyond the row's end stands for no text, and gives the last position. Without packing,
    return None: `take_tokens` then takes the first position of each row.
    """
    if packing is None:
        return None
    return ops.minimum(packing.starts, ops.shape(token_ids)[1] - 1)


def last_tokens(token_ids: Tensor, padding_mask: Tensor, packing: Packing | None) -> Tensor:
    """Return the position of each text's last token that is no padding, integer [batch, texts].

    Args:
        token_ids: [batch, length], for the shape.
        padding_mask: [batch, length], 1 for tokens; None, without packing, if all are tokens.
        packing: where texts lie in packed rows, or None for one text in each row. What stands for
            no text there gives position 0.
    """
    numbers = ops.cumsum(ops.ones_like(token_ids), axis=1) - 1
    if padding_mask is None:
        return numbers[:, -1:]
    own = ops.cast(padding_mask, "bool")[:, None]
    if packing is not None:
        own = membership(packing, padding_mask)
    return ops.max(ops.where(own, numbers[:, None], 0), axis=-1, initial=0)


def take_tokens(x: Tensor, places: Tensor) -> Tensor:
    """Return the values of x [batch, length, ...] at some positions, [batch, texts, ...].

    Args:
        x: [batch, length] or [batch, length, size].
        places: positions, integer [batch, texts]; None for the first of each row.
    """
    if places is None:
        return x[:, :1]
    return ops.take_along_axis(x, places if len(x.shape) == 2 else places[:, :, None], axis=1)
