"""Functions that layers compute in training, with gradients written by hand.

Each keeps only what its gradient needs, and computes the gradient in few passes over memory. On a
CPU such passes, not matrix products, take a quarter of a step (`benchmarks/NOTES.md`).
"""

import math
from typing import Any

import keras
from keras import ops

from ftkeras.support.custom_gradients import custom_gradient
from ftkeras.support.seeds import keep_mask

Tensor = Any


def at_least_float32(x: Tensor) -> Tensor:
    """Cast to float32; keep float64."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


def gelu(x: Tensor) -> Tensor:
    """Return x P(x), with P the normal distribution function: the exact GELU.

    Computed in float32 or float64: in half precision, 1 + erf(x) rounds to 0 far below 0.

    Source: Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415. Written as the product of
    x / 2 and 1 + erf(x / sqrt(2)), which TensorFlow with oneDNN fuses with the preceding matrix
    product.
    """
    wide = at_least_float32(x)
    return ops.cast((0.5 * wide) * (1.0 + ops.erf(wide * math.sqrt(0.5))), x.dtype)


@custom_gradient
def gelu_with_gradient(x: Tensor) -> Any:
    """Return `gelu(x)`; keep only its slope P(x) + x p(x), with p the normal density."""
    wide = at_least_float32(x)
    share = 0.5 * (1.0 + ops.erf(wide * math.sqrt(0.5)))
    density = ops.exp(-0.5 * ops.square(wide)) * (2 * math.pi) ** -0.5
    slope = ops.cast(share + wide * density, x.dtype)

    def gradient(*args: Tensor, upstream: Tensor = None) -> Tensor:
        return slope * _upstream(args, upstream)

    return ops.cast(wide * share, x.dtype), gradient


def standardize(x: Tensor, epsilon: float) -> Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) over the last axis, float32 or float64."""
    return _standardize(x, epsilon)[0]


def standardize_with_gradient(x: Tensor, epsilon: float) -> Tensor:
    """Return `standardize(x)`; keep only the result n and r = 1 / sqrt(variance + epsilon).

    dx = r (dn - mean(dn) - n mean(n dn))
    """

    @custom_gradient
    def standardized(x: Tensor) -> Any:
        result, scale = _standardize(x, epsilon)

        def gradient(*args: Tensor, upstream: Tensor = None) -> Tensor:
            given = _upstream(args, upstream)
            along = ops.mean(given * result, axis=-1, keepdims=True)
            across = ops.mean(given, axis=-1, keepdims=True)
            return ops.cast((given - across - result * along) * scale, x.dtype)

        return result, gradient

    return standardized(x)


def _standardize(x: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    wide = at_least_float32(x)
    centered = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centered), axis=-1, keepdims=True)
    scale = ops.rsqrt(variance + epsilon)
    return centered * scale, scale


def probabilities(query: Tensor, key: Tensor, *biases: Tensor) -> Tensor:
    """Return softmax(q k' + bias): [B, heads, Q, size], [B, heads, L, size] -> [B, heads, Q, L]."""
    return softmax(ops.matmul(query, ops.swapaxes(key, -1, -2)), *biases)


def softmax(scores: Tensor, *biases: Tensor) -> Tensor:
    """Normalize scores + biases over the last axis, in float32 or float64.

    Args:
        scores: any shape; the result has their dtype.
        *biases: broadcast to the scores, or None.
    """
    wide = at_least_float32(scores)
    for bias in biases:
        if bias is not None:
            # Keras casts a layer's inputs to the compute dtype; cast the bias back.
            wide = wide + ops.cast(bias, wide.dtype)
    # Keras warns of a softmax over one value, which is 1 with a gradient of 0.
    result = ops.exp(wide - wide) if wide.shape[-1] == 1 else ops.softmax(wide)
    return ops.cast(result, scores.dtype)


def attention_with_gradient(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    rate: float,
    seeds: Any,
    relative: Tensor = None,
) -> Tensor:
    """Compute attention with dropout, with gradients for q, k, v and z but not for the bias.

    o = dropout(softmax(q k' + z + bias)) v

    Of the [L, L] tensors only the probabilities p and their dropped-out copy w are kept:

        o = w v,    dv = w' do,    ds = w (do v') - r p,    dq = ds k,    dk = ds' q,    dz = ds

    where r, the sum over a row of p times its gradient, is computed as the sum over do times o.

    Source: Dao et al., 2022, https://arxiv.org/abs/2205.14135, appendix B.2.

    Args:
        query: [B, heads, L, size].
        key: [B, heads, L, size].
        value: [B, heads, L, size].
        bias: added to the scores, broadcast to [B, heads, L, L], or None.
        rate: dropout rate of the probabilities, in [0, 1).
        seeds: integer seed or seed generator of the dropout.
        relative: z, further scores, [B or 1, heads, L, L]; None for 0.

    Returns:
        [B, heads, L, size].
    """
    keep = None
    if rate:
        keep, share = keep_mask((*ops.shape(query)[:3], ops.shape(key)[2]), rate, seeds)
        value = value / (1.0 - share)  # scale the smallest tensor, not the probabilities

    @custom_gradient
    def attended(query: Tensor, key: Tensor, value: Tensor, *relative: Tensor) -> Any:
        undropped = weights = probabilities(query, key, *relative, bias)
        if keep is not None:
            weights = ops.where(keep, weights, ops.zeros((), weights.dtype))
        values = ops.matmul(weights, value)

        def gradient(*args: Tensor, upstream: Tensor = None) -> tuple[Tensor, ...]:
            given = _upstream(args, upstream)
            row_sums = ops.sum(
                at_least_float32(given) * at_least_float32(values), -1, keepdims=True
            )
            d_weights = at_least_float32(ops.matmul(given, ops.swapaxes(value, -1, -2)))
            d_scores = d_weights * at_least_float32(weights)
            d_scores = d_scores - row_sums * at_least_float32(undropped)
            d_scores = ops.cast(d_scores, query.dtype)
            return (
                ops.matmul(d_scores, key),
                ops.matmul(ops.swapaxes(d_scores, -1, -2), query),
                ops.matmul(ops.swapaxes(weights, -1, -2), given),
                *(_summed_like(z, d_scores) for z in relative),
            )

        return values, gradient

    return attended(query, key, value, *(() if relative is None else (relative,)))


def _summed_like(x: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient of x [batch or 1, ...] from that of x broadcast to the batch."""
    if x.shape[0] == 1:
        gradient = ops.sum(gradient, axis=0, keepdims=True)
    return ops.cast(gradient, x.dtype)


def dropout(x: Tensor, rate: float, seeds: Any) -> Tensor:
    """Set elements to 0 with probability `rate`; scale the others to preserve the mean.

    Args:
        x: any shape.
        rate: in (0, 1).
        seeds: integer seed or seed generator.
    """
    keep, share = keep_mask(ops.shape(x), rate, seeds)
    return ops.where(keep, x / (1.0 - share), ops.zeros((), x.dtype))


def _upstream(args: tuple[Tensor, ...], upstream: Tensor) -> Tensor:
    """Return the upstream gradient, which Keras passes by keyword on PyTorch."""
    return args[0] if upstream is None else upstream
