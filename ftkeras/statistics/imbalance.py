"""Classes of different sizes: weights in the loss, repeated examples, and warnings."""

import ast

import numpy as np

from ftkeras.errors import UserError
from ftkeras.support.bounds import LARGEST_FLOAT32
from ftkeras.support.specs import NOT_PYTHON, repeated

# Warn about a class with less than this share of the examples that it would have if all classes
# were of the same size.
RARE = 0.2
# Labels that a line about rare ones lists.
SHOWN = 5


def class_weights(spec: str, labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the weight of each class in the training loss, float32 [classes].

    `balanced` gives class c the weight

        examples / (classes · examples of c)

    so that all classes have the same total weight and the mean weight is 1. It counts the classes
    that have examples. Source: King and Zeng, 2001; computed by scikit-learn.

    Args:
        spec: balanced, {'label': weight, …} with weight 1 for labels not in it.
        labels: integer [examples].
        names: the names of the labels.

    Raises:
        UserError: if `spec` can't be read, names an unknown label, or leaves no weight above 0.
    """
    return _balanced(labels, len(names)) if spec == "balanced" else _given(spec, names)


def positive_weights(spec: str, targets: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the weight of each label's positive examples in the training loss, float32 [labels].

    `balanced` gives a label that p of n examples have the weight (n - p) / p, so that its positive
    and its negative examples have the same total weight. A label that none has gets 1. Source:
    the formula that PyTorch recommends for `pos_weight`, https://docs.pytorch.org/docs/stable/nn.html.

    Args:
        spec: balanced, {'label': weight, …} with weight 1 for labels not in it.
        targets: 0 or 1, [examples, labels].
        names: the names of the labels.

    Raises:
        UserError: if `spec` can't be read, names an unknown label, or leaves no weight above 0.
    """
    if spec != "balanced":
        return _given(spec, names)
    positive = targets.sum(axis=0)
    weights = (len(targets) - positive) / np.maximum(positive, 1)
    return np.where(positive > 0, weights, 1.0).astype(np.float32)


def oversample(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """Return positions in which rarer classes are repeated until all classes are equally frequent.

    Within a class, the numbers of repetitions differ by one at most; the seed determines which
    examples are repeated once more.

    Args:
        labels: integer [examples].
        seed: a seed for NumPy's `default_rng`.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    largest = max(len(positions) for positions in classes)
    repeated = []
    for positions in classes:
        times, missing = divmod(largest, len(positions))
        extra = rng.choice(positions, missing, replace=False)
        repeated += [np.tile(positions, times), extra]
    return np.sort(np.concatenate(repeated))


def rare_class_warnings(labels: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """Return one line for each class that is much rarer than it would be in balanced data.

    One that no example has is not rare, but missing.
    """
    counts = np.bincount(labels, minlength=len(names))
    return [
        f"only {counts[number]:,} of {len(labels):,} examples "
        f"{'is' if counts[number] == 1 else 'are'} {names[number]!r}"
        for number in _rare(counts)
        if counts[number]
    ]


def rare_label_warnings(targets: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """Return a line about the labels that are much rarer than the others, if there are any.

    Args:
        targets: 0 or 1, [examples, labels].
        names: the names of the labels; one that no example has is not rare, but missing.
    """
    counts = targets.sum(axis=0)
    rare = sorted((n for n in _rare(counts) if counts[n]), key=lambda number: counts[number])
    if not rare:
        return []
    listed = ", ".join(f"{names[number]!r} {counts[number]:,}" for number in rare[:SHOWN])
    more = f", and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
    return [f"labels with few of the {len(targets):,} examples: {listed}{more}"]


def _rare(counts: np.ndarray) -> np.ndarray:
    """Return the numbers of the classes with few examples."""
    return np.flatnonzero(counts < RARE * counts.sum() / len(counts))


def _balanced(labels: np.ndarray, classes: int) -> np.ndarray:
    from sklearn.utils.class_weight import compute_class_weight  # takes over a second to import

    weights = np.ones(classes, np.float32)  # a class without examples has no effect
    present = np.unique(labels)
    weights[present] = compute_class_weight("balanced", classes=present, y=labels)
    return weights


def _given(spec: str, names: tuple[str, ...]) -> np.ndarray:
    given = _parse(spec)
    unknown = [label for label in given if label not in names]
    if unknown:
        raise UserError(
            f"`class_weights` names {', '.join(unknown)}; the labels are: {', '.join(names)}."
        )
    if (largest := max(given.values(), default=0)) > LARGEST_FLOAT32:
        raise UserError(
            f"`class_weights` must be at most {LARGEST_FLOAT32:.2g}, the largest float32. "
            f"Received: {largest!r:.60}."
        )
    weights = np.array([given.get(name, 1.0) for name in names], np.float32)
    if not (given and weights.any()):
        raise UserError(
            "`class_weights` must name a label, and leave one a weight above 0. "
            f"Received: {spec!r}."
        )
    return weights


def _parse(spec: str) -> dict[str, float]:
    """Return the weights by label, which may be written as a number."""
    problem = f"`class_weights` must be balanced or {{'label': weight, …}}. Received: {spec!r}."
    try:
        tree = ast.parse(spec.strip(), mode="eval").body
        given, twice = ast.literal_eval(tree), repeated(tree)
    except NOT_PYTHON:
        raise UserError(problem) from None
    weights = given.values() if isinstance(given, dict) else [None]
    if not all(isinstance(weight, (int, float)) and weight >= 0 for weight in weights):
        raise UserError(problem)
    by_name = {str(label): weight for label, weight in given.items()}
    if twice is not None or len(by_name) < len(given):
        raise UserError(f"`class_weights` must name each label once. Received: {spec!r}.")
    return by_name
