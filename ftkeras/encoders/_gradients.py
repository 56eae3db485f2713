"""What layers compute in training, with gradients written out.

Each is left with what its gradient needs and no more, and that gradient takes the fewest passes
over memory: on a CPU such passes, not products, are a quarter of a step (`benchmarks/NOTES.md`).
"""

import math

import keras
from keras import ops

from ftkeras.support.seeds import keep_mask


def widened(x):
    """x in float32 at least."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


def gelu(x):
    """x P(x), P the normal distribution function: exact, and not tanh's likeness of it.

    In float32 at least, for half precision has no number for 1 + erf of what is far below 0.

    Source: Hendrycks and Gimpel, 2016, https://arxiv.org/abs/1606.08415. As a product of x / 2 and
    1 + erf(x / sqrt(2)), which TensorFlow with oneDNN fuses with the matrix product before it.
    """
    wide = widened(x)
    return ops.cast((0.5 * wide) * (1.0 + ops.erf(wide * math.sqrt(0.5))), x.dtype)


@ops.custom_gradient
def gelu_to_train(x):
    """`gelu`, which leaves its slope, P(x) + x p(x), p the normal density, and nothing else."""
    wide = widened(x)
    share = 0.5 * (1.0 + ops.erf(wide * math.sqrt(0.5)))
    density = ops.exp(-0.5 * ops.square(wide)) * (2 * math.pi) ** -0.5
    slope = ops.cast(share + wide * density, x.dtype)

    def gradient(*given, upstream=None):
        return slope * _upstream(given, upstream)

    return ops.cast(wide * share, x.dtype), gradient


def standardize(x, epsilon):
    """(x - mean) / sqrt(variance + epsilon) over the last axis, in float32 at least."""
    return _standardized(x, epsilon)[0]


def standardize_to_train(x, epsilon):
    """`standardize`, which leaves what it gives, n, and 1 / sqrt(variance + epsilon), r, alone.

    dx = r (dn - mean(dn) - n mean(n dn))
    """

    @ops.custom_gradient
    def standardized(x):
        result, scale = _standardized(x, epsilon)

        def gradient(*given, upstream=None):
            given = _upstream(given, upstream)
            along = ops.mean(given * result, axis=-1, keepdims=True)
            across = ops.mean(given, axis=-1, keepdims=True)
            return ops.cast((given - across - result * along) * scale, x.dtype)

        return result, gradient

    return standardized(x)


def _standardized(x, epsilon):
    wide = widened(x)
    centered = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centered), axis=-1, keepdims=True)
    scale = ops.rsqrt(variance + epsilon)
    return centered * scale, scale


def probabilities(query, key, bias):
    """softmax(q k' + bias), [B, heads, Q, size] and [B, heads, L, size] -> [B, heads, Q, L]."""
    return softmax(ops.matmul(query, ops.swapaxes(key, -1, -2)), bias)


def softmax(scores, bias):
    """softmax(scores + bias) over the last axis, in float32 at least; as scores are typed."""
    wide = widened(scores)
    if bias is not None:
        # Keras casts a layer's inputs to the compute type, so back to the type of the scores.
        wide = wide + ops.cast(bias, wide.dtype)
    return ops.cast(ops.softmax(wide), scores.dtype)


def attention_to_train(query, key, value, bias, rate, seeds):
    """dropout(softmax(q k' + bias)) v, each but bias [B, heads, L, size]; nothing learns bias.

    Of what is [L, L], the probabilities p and those that dropout left, w, stay for the gradients,

        o = w v,    dv = w' do,    ds = w (do v') - r p,    dq = ds k,    dk = ds' q

    with r, the sum over a row of p times its gradient, taken as the sum over do times o.

    Source: Dao et al., 2022, https://arxiv.org/abs/2205.14135, appendix B.2.

    Args:
        rate: of dropout, in [0, 1). seeds: what draws it.
    """
    keep = None
    if rate:
        keep, share = keep_mask((*ops.shape(query)[:3], ops.shape(key)[2]), rate, seeds)
        value = value / (1.0 - share)  # dropout's scale, on what has fewest numbers

    @ops.custom_gradient
    def attended(query, key, value):
        undropped = weights = probabilities(query, key, bias)
        if keep is not None:
            weights = ops.where(keep, weights, ops.zeros((), weights.dtype))
        values = ops.matmul(weights, value)

        def gradient(*given, upstream=None):
            given = _upstream(given, upstream)
            of_row = ops.sum(widened(given) * widened(values), axis=-1, keepdims=True)
            of_weights = widened(ops.matmul(given, ops.swapaxes(value, -1, -2)))
            of_scores = of_weights * widened(weights) - of_row * widened(undropped)
            of_scores = ops.cast(of_scores, query.dtype)
            return (
                ops.matmul(of_scores, key),
                ops.matmul(ops.swapaxes(of_scores, -1, -2), query),
                ops.matmul(ops.swapaxes(weights, -1, -2), given),
            )

        return values, gradient

    return attended(query, key, value)


def dropout(x, rate, seeds):
    """x, its numbers 0 with probability `rate`, the others scaled so that its mean stays."""
    keep, share = keep_mask(ops.shape(x), rate, seeds)
    return ops.where(keep, x / (1.0 - share), ops.zeros((), x.dtype))


def _upstream(given, upstream):
    """What a gradient is given; PyTorch names it."""
    return given[0] if upstream is None else upstream
