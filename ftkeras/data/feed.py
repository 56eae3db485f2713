"""Batches as tf.data: a training epoch in its own order, or a whole split once.

A batch is the examples of one optimizer update, over all replicas. The batching splits it into
`parts`, one a replica and micro-batch: of R replicas, replica r takes parts r k to r k + k - 1, and
where k is above 1 its element holds them stacked on a leading axis. Positions below 0, and labels
below 0 in an element, say that no example stands there; so a part without examples is a row of
padding. Examples that have `vectors` give those, {"vector": float32 [examples, size]}, in the place
of token ids, in the same batches.
"""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from ftkeras.data.examples import Examples


class TrainingFeed:
    """The batches of each epoch, in an order that depends on (seed, epoch) only.

    So an epoch can be had again, and gone on with from any of its batches. With `class_weights`,
    float32 [classes], each element has its examples' weights as well.

    Attributes:
        ready: by its place in the epoch, time.perf_counter() when a batch was last ready.
    """

    def __init__(self, examples: Examples, batching, *, seed: int, class_weights=None):
        self.examples, self.batching, self.seed = examples, batching, seed
        self.class_weights = class_weights
        self.ready: dict[int, float] = {}

    def parts(self, epoch: int) -> list[list[np.ndarray]]:
        """The positions of each part of each batch of an epoch."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.examples))
        return self.batching.plan(self.examples.lengths, order)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """The positions of each batch of an epoch."""
        return [_held(parts) for parts in self.parts(epoch)]

    def __len__(self) -> int:
        return len(self.parts(epoch=0))

    def tokens(self, positions: np.ndarray | slice = slice(None)) -> int:
        """Tokens that are read in steps on these; none where texts have become vectors before."""
        if self.examples.vectors is not None:
            return 0
        return int(self.examples.lengths[positions].sum())

    def dataset(
        self, epoch: int, *, start: int = 0, replica: int = 0, replicas: int = 1
    ) -> tf.data.Dataset:
        """A replica's elements (inputs, labels[, weights]) of an epoch, from batch `start` on.

        Args:
            epoch, start: from 0.
            replica, replicas: which one of how many; their number divides the batching's parts.
        """
        each = self.batching.parts // replicas
        if each * replicas != self.batching.parts:
            raise ValueError(
                f"`replicas` must divide the batch's {self.batching.parts} parts. "
                f"Received: {replicas}."
            )
        own = slice(replica * each, replica * each + each)
        plan = [parts[own] for parts in self.parts(epoch)]
        return _dataset(
            self.examples, self.batching, plan, start, self.class_weights, self._is_ready
        )

    def _is_ready(self, number: int) -> None:
        self.ready[number] = time.perf_counter()


class OrderedFeed:
    """Every example once, those of like length together, for evaluation: an element a part.

    `positions` tells which example each row of the outputs belongs to, below 0 where to none; the
    rows of replicas stand as their elements were dealt out.
    """

    def __init__(self, examples: Examples, batching):
        self.examples, self.batching = examples, batching
        by_length = np.argsort(-examples.lengths, kind="stable")
        plan = batching.plan(examples.lengths, by_length)
        self._plan = [part for parts in plan for part in parts if (part >= 0).any()]
        self.positions = np.concatenate([part.reshape(-1) for part in self._plan])

    def restored(self, rows: np.ndarray) -> np.ndarray:
        """Rows of outputs, [rows, …], in the examples' own order, [examples, …]."""
        there = self.positions >= 0
        restored = np.empty((len(self.examples), *rows.shape[1:]), rows.dtype)
        restored[self.positions[there]] = rows[: len(there)][there]
        return restored

    def dataset(self, *, replica: int = 0, replicas: int = 1) -> tf.data.Dataset:
        """A replica's elements (inputs, labels): of R replicas, replica r's are r, r + R, …

        Each replica has as many; what the last ones lack is padding, in which no example stands.
        """
        nothing = np.full_like(self._plan[0], -1)
        filled = self._plan + [nothing] * (-len(self._plan) % replicas)
        return _dataset(
            self.examples, self.batching, [[part] for part in filled[replica::replicas]]
        )


def _held(parts: Sequence[np.ndarray]) -> np.ndarray:
    positions = np.concatenate([part.reshape(-1) for part in parts])
    return positions[positions >= 0]


def _dataset(
    examples, batching, plan, start=0, class_weights=None, is_ready=lambda number: None
) -> tf.data.Dataset:
    def generate() -> Iterator[tuple]:
        for number in range(start, len(plan)):
            element = _element(examples, batching, plan[number], class_weights)
            is_ready(number)
            yield element

    first = _element(examples, batching, plan[0], class_weights)
    signature = tf.nest.map_structure(lambda x: _spec(x, batching.fixed_shape), first)
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    # So that Keras knows where an epoch ends.
    return dataset.apply(tf.data.experimental.assert_cardinality(len(plan) - start)).prefetch(4)


def _spec(array: np.ndarray, fixed_shape: bool) -> tf.TensorSpec:
    return tf.TensorSpec(array.shape if fixed_shape else (None,) * array.ndim, array.dtype)


def _element(examples: Examples, batching, parts: Sequence[np.ndarray], class_weights) -> tuple:
    """(inputs, labels[, weights]) of these parts, stacked where there are several."""
    positions = _stacked(parts)
    leading = positions.shape[:1] if len(parts) > 1 else ()
    rows = _inputs(examples, batching, positions.reshape(-1, *positions.shape[2:]))
    inputs = {name: array.reshape(*leading, -1, *array.shape[1:]) for name, array in rows.items()}
    positions = positions.reshape(*leading, -1)
    there = positions >= 0
    labels = np.where(there, examples.own_labels[positions], -1)
    if class_weights is None:
        return inputs, labels
    return inputs, labels, np.where(there, class_weights[labels], 0).astype(np.float32)


def _inputs(examples: Examples, batching, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Token ids, as the batching lays them out, or where there are vectors, those of each place."""
    if examples.vectors is None:
        return batching.collate(examples, positions)
    flat = positions.reshape(-1)
    return {"vector": examples.vectors.at(examples.rows[flat], flat >= 0)}


def _stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """[parts, rows, …], each as long as the longest and at least 1, filled up with -1."""
    rows = max(1, *map(len, parts))
    return np.stack(
        [
            np.pad(p, [(0, rows - len(p)), *[(0, 0)] * (p.ndim - 1)], constant_values=-1)
            for p in parts
        ]
    )
