"""Random numbers of regularizers."""

import zlib

import numpy as np

from ftkeras.support.seeds import ReplicaSeedGenerator


def stream(part: str, seed: int | None) -> ReplicaSeedGenerator:
    """Return a part's own stream of random numbers.

    The run gives each part the same seed; the part's name makes its stream different.

    Args:
        part: name of the part.
        seed: the run's, or None for a random stream.
    """
    if seed is None:
        return ReplicaSeedGenerator()
    rng = np.random.default_rng([seed, zlib.crc32(part.encode())])
    return ReplicaSeedGenerator(int(rng.integers(2**31)))
