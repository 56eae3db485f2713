"""Examples with random token ids instead of texts."""

import numpy as np

from ftkeras.data.examples import Examples


def examples_of(lengths, *, pairs: bool = False, classes: int = 3, vocabulary: int = 20):
    """Return examples of these lengths, with ids from 1, so that 0 is padding."""
    random = np.random.default_rng(len(lengths))
    lengths = np.asarray(lengths)
    return Examples(
        token_ids=random.integers(1, vocabulary, size=lengths.sum()).astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        second_starts=((lengths + 1) // 2 if pairs else lengths).astype(np.int32),
        stored_targets=random.integers(classes, size=len(lengths)),
        stored_digests=np.arange(len(lengths), dtype=np.uint64),
        rows=np.arange(len(lengths)),
        name="made",
        pairs=pairs,
    )
