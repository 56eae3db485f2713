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
    padding_mask: Tensor, packing: Packing | None, *, first_tokens: bool = False
) -> Tensor:
    """Return the score bias that restricts attention to tokens of the same text.

    Args:
        padding_mask: [batch, length], 1 for tokens; None, without packing, if all are tokens.
        packing: where texts lie in packed rows, or None for one text in each row.
        first_tokens: whether the queries are the texts' first tokens only, not all positions.

    Returns:
        [batch, 1, 1, length], or [batch, 1, queries, length] for packed rows; None without a mask.
    """
    if padding_mask is None:
        return None
    bias = padding_bias(padding_mask)
    if packing is None:
        return bias
    queries = take_first_tokens(packing.texts, packing) if first_tokens else packing.texts
    return mask_across_texts(bias, packing.texts, queries)


def membership(packing: Packing, padding_mask: Tensor) -> Tensor:
    """Return [batch, texts, length], true where a token belongs to that text of its row."""
    count = ops.shape(packing.starts)[1]
    numbers = ops.arange(count, dtype=packing.texts.dtype)[None, :, None]
    own = ops.equal(packing.texts[:, None, :], numbers)
    return ops.logical_and(own, ops.cast(padding_mask, "bool")[:, None, :])


def take_first_tokens(x: Tensor, packing: Packing | None) -> Tensor:
    """Return the values of x at each text's first token.

    Args:
        x: [batch, length, ...].
        packing: where texts start, or None for one text in each row.

    Returns:
        [batch, texts, ...]. A start beyond the row's end stands for no text, and gives the last
        position.
    """
    if packing is None:
        return x[:, :1]
    inside = ops.minimum(packing.starts, ops.shape(x)[1] - 1)
    return ops.take_along_axis(x, inside if len(x.shape) == 2 else inside[:, :, None], axis=1)
