"""Classes of different sizes: weights in the loss, repeated examples, and warnings."""

import ast

import numpy as np

from ftkeras.errors import UserError

# Warn about a class with less than this share of the examples that it would have if all classes
# were of the same size.
RARE = 0.2


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
        UserError: if `spec` can't be read or names an unknown label.
    """
    if spec == "balanced":
        return _balanced(labels, len(names))
    given = _parse(spec)
    unknown = [str(label) for label in given if str(label) not in names]
    if unknown:
        raise UserError(
            f"`class_weights` names {', '.join(unknown)}; the labels are: {', '.join(names)}."
        )
    weights = {str(label): weight for label, weight in given.items()}
    return np.array([weights.get(name, 1.0) for name in names], np.float32)


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
    """Return one line for each class that is much rarer than it would be in balanced data."""
    counts = np.bincount(labels, minlength=len(names))
    even = len(labels) / len(names)
    return [
        f"only {count:,} of {len(labels):,} examples are {name!r}"
        for name, count in zip(names, counts, strict=True)
        if count < RARE * even
    ]


def _balanced(labels: np.ndarray, classes: int) -> np.ndarray:
    from sklearn.utils.class_weight import compute_class_weight  # takes over a second to import

    weights = np.ones(classes, np.float32)  # a class without examples has no effect
    present = np.unique(labels)
    weights[present] = compute_class_weight("balanced", classes=present, y=labels)
    return weights


def _parse(spec: str) -> dict[str | int, float]:
    problem = f"`class_weights` must be balanced or {{'label': weight, …}}. Received: {spec!r}."
    try:
        given = ast.literal_eval(spec)
    except (ValueError, SyntaxError):
        raise UserError(problem) from None
    weights = given.values() if isinstance(given, dict) else [None]
    if not all(isinstance(weight, (int, float)) and weight >= 0 for weight in weights):
        raise UserError(problem)
    return given
