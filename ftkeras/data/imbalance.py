"""Classes of unlike size: weights in the loss, repeated examples, and a word of warning."""

import ast

import numpy as np

from ftkeras.errors import UserError

# A class with less than this share of what would be even is worth a warning.
RARE = 0.2


def class_weights(spec: str | None, labels: np.ndarray, names: tuple[str, ...]):
    """The weight of each class in the training loss, float32 [classes], or None.

    `balanced` gives class c the weight examples / (classes * examples of c), so that each class
    weighs the same in all and the mean weight is 1: King and Zeng, 2001, and scikit-learn's form.

    Args:
        spec: balanced, {'label': weight, …} with 1 where a label is left out, or None.
        labels: integer [examples].
        names: the labels' names.
    """
    if spec is None:
        return None
    if spec == "balanced":
        counts = np.bincount(labels, minlength=len(names))
        return (len(labels) / (len(names) * np.maximum(counts, 1))).astype(np.float32)
    given = _literal(spec)
    unknown = [str(label) for label in given if str(label) not in names]
    if unknown:
        raise UserError(
            f"`class_weights` names {', '.join(unknown)}; the labels are: {', '.join(names)}."
        )
    weights = {str(label): weight for label, weight in given.items()}
    return np.array([weights.get(name, 1.0) for name in names], np.float32)


def oversample(labels: np.ndarray, *, seed: int) -> np.ndarray:
    """Positions of the examples, those of rarer classes repeated until all classes are as frequent.

    Each example of a class comes as often as any other of it, or once more; the seed draws which.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    most = max(len(positions) for positions in classes)
    filled = []
    for positions in classes:
        times, left = divmod(most, len(positions))
        extra = rng.choice(positions, left, replace=False)
        filled += [np.tile(positions, times), extra]
    return np.sort(np.concatenate(filled))


def rare_class_warnings(labels: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """What is to be said of a split's balance: nothing, or a line a rare class."""
    counts = np.bincount(labels, minlength=len(names))
    even = len(labels) / len(names)
    return [
        f"only {count:,} of {len(labels):,} examples are {name!r}"
        for name, count in zip(names, counts, strict=True)
        if count < RARE * even
    ]


def _literal(spec: str) -> dict:
    problem = f"--class_weights must be balanced or {{'label': weight, …}}. Received: {spec!r}."
    try:
        given = ast.literal_eval(spec)
    except (ValueError, SyntaxError):
        raise UserError(problem) from None
    weights = given.values() if isinstance(given, dict) else [None]
    if not all(isinstance(weight, (int, float)) and weight >= 0 for weight in weights):
        raise UserError(problem)
    return given
