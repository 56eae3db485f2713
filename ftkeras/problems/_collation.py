"""Put the targets of examples into batches."""

import numpy as np


def per_example(targets: np.ndarray, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Return a batch's targets, one for each example, and the mask of the examples.

    Args:
        targets: of all examples, [examples, …].
        positions: integer, of any shape; below 0 where the batch has no example.

    Returns:
        "targets", [*positions.shape, …], 0 where there is no example; "example_mask", bool
        [*positions.shape].

    >>> per_example(np.array([5, 6, 7]), np.array([2, 0, -1]))["targets"]
    array([7, 5, 0])
    """
    mask = positions >= 0
    wide = mask.reshape(mask.shape + (1,) * (targets.ndim - 1))
    return {
        "targets": np.where(wide, targets[positions], targets.dtype.type(0)),
        "example_mask": mask,
    }
