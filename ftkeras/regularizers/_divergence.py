import keras
from keras import ops


def log_probabilities(logits):
    """log softmax, in float32 at least."""
    wide = ops.cast(logits, keras.backend.result_type(logits.dtype, "float32"))
    return ops.log_softmax(wide, axis=-1)


def both_ways(logits, others):
    """KL(P || Q) + KL(Q || P) of two logits [batch, classes], [batch]."""
    log_p, log_q = log_probabilities(logits), log_probabilities(others)
    # The two sums as one: small factors are multiplied, where each sum alone would cancel.
    products = (ops.exp(log_p) - ops.exp(log_q)) * (log_p - log_q)
    return ops.sum(products, axis=-1)
