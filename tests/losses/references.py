"""The formula of each loss in float64: labels [batch], logits [batch, classes] -> [batch]."""

import itertools

import numpy as np


def _softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def cross_entropy(labels, logits, *, label_smoothing=0.0):
    """Compute Szegedy et al., 2016, section 7."""
    classes = logits.shape[1]
    target = (1 - label_smoothing) * np.eye(classes)[labels] + label_smoothing / classes
    return -(target * np.log(_softmax(logits))).sum(axis=1)


def binary_cross_entropy(labels, logits, *, label_smoothing=0.0):
    """Compute -(t log y + (1 - t) log(1 - y)), y the sigmoid of the logits' difference."""
    y = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    t = (1 - label_smoothing) * labels + label_smoothing / 2
    return -(t * np.log(y) + (1 - t) * np.log(1 - y))


def focal(labels, logits, *, gamma=2.0):
    """Compute Lin et al., 2017, equation 4."""
    p = _softmax(logits)[np.arange(len(labels)), labels]
    return -((1 - p) ** gamma) * np.log(p)


def mean_squared_error(labels, logits):
    """Compute Brier, 1950, divided by the number of classes."""
    return ((_softmax(logits) - np.eye(logits.shape[1])[labels]) ** 2).mean(axis=1)


def mean_absolute_error(numbers, outputs):
    """Compute 1/K Σ_k |y_k - t_k|."""
    return np.abs(outputs - numbers).mean(axis=1)


def huber(numbers, outputs, *, delta=1.0):
    """Compute Huber, 1964, in its two branches."""
    e = np.abs(outputs - numbers)
    return np.where(e <= delta, e**2 / 2, delta * (e - delta / 2)).mean(axis=1)


def mean_squared_difference(numbers, outputs):
    """Compute 1/K Σ_k (y_k - t_k)²."""
    return ((outputs - numbers) ** 2).mean(axis=1)


def binary_cross_entropy_of_labels(labels, logits, *, label_smoothing=0.0, pos_weight=None):
    """Compute the mean over labels of -(w t log y + (1 - t) log(1 - y)), y the sigmoid."""
    y, t = 1 / (1 + np.exp(-logits)), (1 - label_smoothing) * labels + label_smoothing / 2
    w = 1.0 if pos_weight is None else np.array(pos_weight)
    return -(w * t * np.log(y) + (1 - t) * np.log(1 - y)).mean(axis=1)


def focal_of_labels(labels, logits, *, gamma=2.0, pos_weight=None):
    """Compute Lin et al., 2017, equation 5, with α for the positive labels only."""
    y = 1 / (1 + np.exp(-logits))
    p, w = np.where(labels == 1, y, 1 - y), 1.0 if pos_weight is None else np.array(pos_weight)
    return -(np.where(labels == 1, w, 1.0) * (1 - p) ** gamma * np.log(p)).mean(axis=1)


# Of several labels, 0 or 1 [batch, labels], instead of one.
OF_LABELS = {
    "binary_cross_entropy": binary_cross_entropy_of_labels,
    "focal": focal_of_labels,
}
# Of numbers, float [batch, outputs], instead of labels.
OF_NUMBERS = {
    "huber": huber,
    "mean_absolute_error": mean_absolute_error,
    "mean_squared_error": mean_squared_difference,
}


def span_cross_entropy(spans, logits, *, label_smoothing=0.0):
    """Compute Devlin et al., 2019, section 4.2: spans [batch, 2], logits [batch, length, 2]."""
    sides = [cross_entropy(spans[:, n], logits[:, :, n]) for n in (0, 1)]
    mean = [-np.log(_softmax(logits[:, :, n])).mean(axis=1) for n in (0, 1)]
    s = label_smoothing
    return (1 - s) * np.mean(sides, axis=0) + s * np.mean(mean, axis=0)


LOSSES = {
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "focal": focal,
    "mean_squared_error": mean_squared_error,
}


def cosine_regression(scores, vectors):
    """Compute Reimers and Gurevych, 2019, section 3: vectors [pairs, 2 * size], of length 1."""
    first, second = np.split(vectors, 2, axis=1)
    return ((first * second).sum(axis=1) - scores) ** 2


def in_batch_negatives(answers, vectors, *, scale=20.0):
    """Compute Henderson et al., 2017, section 4.4, as a cross-entropy with the diagonal."""
    first, second = np.split(vectors, 2, axis=1)
    return cross_entropy(np.arange(len(vectors)), scale * first @ second.T)


# Of the vectors of both texts of a pair.
OF_VECTORS = {"cosine_regression": cosine_regression, "in_batch_negatives": in_batch_negatives}
OF_SPANS = {"span_cross_entropy": span_cross_entropy}


def crf(tags, logits, transitions):
    """Sum over all sequences of a text's words: tags [words], logits [words, tags] -> a number."""

    def score(sequence):
        ends = [logits.shape[1], *sequence, logits.shape[1]]
        between = sum(transitions[pair] for pair in itertools.pairwise(ends))
        return between + logits[np.arange(len(sequence)), list(sequence)].sum()

    every = itertools.product(range(logits.shape[1]), repeat=len(logits))
    return np.logaddexp.reduce([score(sequence) for sequence in every]) - score(tags)


OF_CHAINS = {"crf": crf}
