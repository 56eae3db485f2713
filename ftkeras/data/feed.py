"""Batches as tf.data: training epochs in an order of their own, or a whole split once.

A batch holds the examples of one optimizer update, over all replicas. An element of a dataset is
the part of a batch that one replica reads: inputs, answers and perhaps weights.

- Parts: a batching splits a batch into `parts`, one for each replica and micro-batch. With R
  replicas of k micro-batches, replica r gets the parts r k to r k + k - 1. If k is above 1, an
  element stacks them on a leading axis.
- Padding: a position below 0 holds no example, so a part without examples is a row of padding. The
  "example_mask" beside the targets is false there.
- Vectors: of examples that have `vectors`, an element has {"vector": float32 [examples, size]}
  instead of token ids, in the same batches.
- Targets of tokens: of examples that have `token_targets`, each position of the rows has a target,
  and the mask is false where there is no token. Both are [rows * length], as the model's outputs
  are; or [texts, length], if the outputs for the tokens of a text are one answer, `by_text`.
- Windows: a batch of examples that have several windows is made of windows.
- Several rows: a batch has all rows of its examples, such as the options of a question.
- Masked tokens: a masker chooses tokens whose ids are the targets. An element has their positions,
  counted through all rows, as {"places": int32 [slots]}.
"""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.data.ahead import made_ahead
from ftkeras.data.batching import Batching
from ftkeras.data.elements import Collate, element, inputs, masked_element
from ftkeras.data.examples import Examples
from ftkeras.data.generated import from_generator
from ftkeras.data.masker import Masker
from ftkeras.data.poisson import PoissonSampling
from ftkeras.data.token_numbers import token_numbers
from ftkeras.problems import WordOutputs, per_example
from ftkeras.support.ragged import Ragged

# Elements that are made before they are needed.
AHEAD = 4


class TrainingFeed:
    """The batches of each epoch, in an order that depends on (seed, epoch) only.

    So an epoch can be repeated, and resumed from any of its batches.

    Args:
        examples: what to train on; of windows a view by row, see `Examples.by_row`.
        batching: groups the examples into batches.
        seed: determines the order, together with the epoch.
        sampling: chooses the examples of each batch instead of `batching`, which only lays them
            out; or None. Each part is then one example, and an element stacks all of its replica.
        collate: targets of all examples (or tokens), positions (or numbers of tokens) -> the target
            tensors of a batch.
        weights: float32 [examples], to have each element contain its examples' weights; or None.
        by_text: whether the outputs for the tokens of a text are a row, also if rows are packed.
        masker: chooses the tokens to predict, if these are the answers; or None.

    Attributes:
        ready: time.perf_counter() when a batch was last ready, by its number in the epoch.
    """

    def __init__(
        self,
        examples: Examples,
        batching: Batching,
        *,
        seed: int,
        collate: Collate = per_example,
        weights: np.ndarray | None = None,
        by_text: bool = False,
        masker: Masker | None = None,
        sampling: PoissonSampling | None = None,
    ):
        self.examples, self.batching, self.seed = examples, batching, seed
        self.collate, self.weights, self.by_text = collate, weights, by_text
        self.masker, self.sampling = masker, sampling
        self.ready: dict[int, float] = {}

    def with_examples(self, examples: Examples) -> "TrainingFeed":
        """Return a feed of other examples with the same settings."""
        return TrainingFeed(
            examples,
            self.batching,
            seed=self.seed,
            collate=self.collate,
            weights=self.weights,
            by_text=self.by_text,
            masker=self.masker,
            sampling=self.sampling,
        )

    def parts(self, epoch: int) -> list[list[np.ndarray]]:
        """Return the positions of each part of each batch of an epoch."""
        if self.sampling is not None:
            return self.sampling.parts(epoch)
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.examples))
        return self.batching.plan(self.examples.row_lengths, order)

    def batches(self, epoch: int) -> list[np.ndarray]:
        """Return the positions of the examples in each batch of an epoch."""
        return [_join(parts) for parts in self.parts(epoch)]

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        return self._batch_count

    @functools.cached_property
    def _batch_count(self) -> int:
        # Kept: callbacks ask in each step, and a plan of a million texts takes half a second.
        return len(self.parts(epoch=0))

    def tokens(self, positions: np.ndarray | slice = slice(None)) -> int:
        """Return the number of tokens that the encoder reads; 0 if the examples have vectors."""
        if self.examples.vectors is not None:
            return 0
        return int(self.examples.lengths[positions].sum())

    def dataset(
        self, epoch: int, *, start: int = 0, replica: int = 0, replicas: int = 1
    ) -> tf.data.Dataset:
        """Return a replica's elements (inputs, answers[, weights]) of an epoch.

        Args:
            epoch: counted from 0.
            start: the batch to start from, counted from 0.
            replica: the number of the replica, counted from 0.
            replicas: the number of replicas; must divide the batching's parts.

        Raises:
            ValueError: if the replicas do not divide the parts.
        """
        plan = [_shard(parts, replica, replicas) for parts in self.parts(epoch)]
        return _dataset(
            functools.partial(self._element, epoch),
            plan,
            start,
            fixed_shape=self.batching.fixed_shape,
            is_ready=self._is_ready,
        )

    def _element(self, epoch: int, parts: Sequence[np.ndarray]) -> tuple:
        if self.masker is not None:
            return masked_element(self.examples, self.batching, parts, self.masker, epoch)
        layout = self.collate, self.by_text
        return element(self.examples, self.batching, parts, *layout, self.weights)

    def _is_ready(self, number: int) -> None:
        self.ready[number] = time.perf_counter()


class OrderedFeed:
    """Every example once, sorted by length, for evaluation. Each element is one part.

    Args:
        examples: what to evaluate.
        batching: groups the examples into batches.
        collate, by_text: as of `TrainingFeed`.
        masker: as of `TrainingFeed`; each text always gets the same masks.

    Attributes:
        positions: integer [rows], the example that each row of the inputs belongs to, below 0 for
            padding. The rows are those of the replicas' elements in turn.
    """

    def __init__(
        self,
        examples: Examples,
        batching: Batching,
        collate: Collate = per_example,
        *,
        by_text: bool = False,
        masker: Masker | None = None,
    ):
        self.examples, self.batching, self.collate = examples, batching, collate
        self.by_text, self.masker = by_text, masker
        self._rows, self._weights = examples.by_row(), examples.row_weights()
        by_length = np.argsort(-self._rows.row_lengths, kind="stable")
        plan = batching.plan(self._rows.row_lengths, by_length)
        self._plan = [part for parts in plan for part in parts if (part >= 0).any()]
        self.positions = np.concatenate([part.reshape(-1) for part in self._plan])

    def with_examples(self, examples: Examples) -> "OrderedFeed":
        """Return a feed of other examples with the same batching."""
        layout = {"by_text": self.by_text, "masker": self.masker}
        return OrderedFeed(examples, self.batching, self.collate, **layout)

    def in_example_order(self, rows: np.ndarray) -> Any:
        """Return rows of outputs, [rows, …], in the order of the examples, [examples, …].

        If the outputs belong to tokens, the result is `WordOutputs`, those of words only, or
        `ContextOutputs`. Of masked tokens, it is a `Ragged`, [examples, (tokens), …]. Those for the
        windows of a text are combined otherwise.
        """
        examples, windows = self.examples, self.examples.windows
        if self.masker is not None:
            return self._by_example(rows, self._slot_owners(self.masker))
        if examples.word_starts is None:
            outputs = _ordered(self.positions, rows, len(self._rows))
            if windows is None or windows.combine is None:
                return outputs
            return np.asarray(windows.combine(outputs, windows.counts[examples.rows]))
        outputs = _ordered(self._tokens, rows, int(self._rows.lengths.sum()))
        if examples.token_targets is None:
            return examples.context_outputs(outputs)
        is_word = examples.word_starts[examples.token_numbers()] >= 0
        return WordOutputs(outputs[is_word], examples.words())

    def _by_example(self, rows: np.ndarray, owners: np.ndarray) -> Ragged:
        """Return rows of outputs by example, given the example of each; below 0 for none."""
        used = np.flatnonzero(owners >= 0)
        order = used[np.argsort(owners[used], kind="stable")]
        counts = np.bincount(owners[used], minlength=len(self.examples))
        return Ragged.from_lengths(rows[order], counts)

    def _slot_owners(self, masker: Masker) -> np.ndarray:
        """Return the example whose token each slot holds, below 0 for an unused one."""
        rows, read = self._rows, (inputs(self._rows, self.batching, p) for p in self._plan)
        masked = (masker(rows, p, i["token_ids"]) for p, i in zip(self._plan, read, strict=True))
        places = np.concatenate([part.positions for part in masked])
        windows = self.examples.windows
        if windows is None:
            return places
        counts = windows.counts[self.examples.rows]
        return np.where(places < 0, -1, np.repeat(np.arange(len(counts)), counts)[places])

    @functools.cached_property
    def _tokens(self) -> np.ndarray:
        """The token that each row of the outputs belongs to, counted in the examples' order."""
        lengths = self._rows.lengths
        firsts = np.cumsum(lengths) - lengths
        inputs = ((part, self.batching.collate(self._rows, part)) for part in self._plan)
        numbers = (
            token_numbers(
                *(firsts, lengths, part.reshape(-1) if self.by_text else part),
                arrays["token_ids"].shape[1],
            )
            for part, arrays in inputs
        )
        return np.concatenate([part.reshape(-1) for part in numbers])

    def dataset(self, *, replica: int = 0, replicas: int = 1) -> tf.data.Dataset:
        """Return a replica's elements (inputs, answers[, weights]).

        Of R replicas, replica r gets the parts r, r + R, r + 2 R and so on. All replicas get the
        same number of elements; the last ones may be padding only.

        Args:
            replica: the number of the replica, counted from 0.
            replicas: the number of replicas.
        """
        padding = np.full_like(self._plan[0], -1)
        filled = self._plan + [padding] * (-len(self._plan) % replicas)
        plan = [[part] for part in filled[replica::replicas]]
        return _dataset(self._element, plan, fixed_shape=self.batching.fixed_shape)

    def _element(self, parts: Sequence[np.ndarray]) -> tuple:
        if self.masker is not None:
            return masked_element(self._rows, self.batching, parts, self.masker)
        layout = self.collate, self.by_text
        return element(self._rows, self.batching, parts, *layout, self._weights)


def _ordered(positions: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the rows at the given positions, [count, …]; those below 0 are dropped."""
    is_filled = positions >= 0
    ordered = np.empty((count, *rows.shape[1:]), rows.dtype)
    ordered[positions[is_filled]] = rows[: len(is_filled)][is_filled]
    return ordered


def _shard(parts: list[np.ndarray], replica: int, replicas: int) -> list[np.ndarray]:
    """Return a replica's share of the parts of a batch."""
    each = len(parts) // replicas
    if each * replicas != len(parts):
        raise ValueError(
            f"`replicas` must divide the batch's {len(parts)} parts. Received: {replicas}."
        )
    return parts[replica * each : replica * each + each]


def _join(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the positions of the examples in some parts, without empty places."""
    positions = np.concatenate([part.reshape(-1) for part in parts])
    return positions[positions >= 0]


def _dataset(
    make_element: Callable[[Sequence[np.ndarray]], tuple],
    plan: list[list[np.ndarray]],
    start: int = 0,
    *,
    fixed_shape: bool,
    is_ready: Callable[[int], None] = lambda number: None,
) -> tf.data.Dataset:
    def make(number: int) -> tuple:
        made = make_element(plan[number])
        is_ready(number)
        return made

    def generate() -> Iterator[tuple]:
        return made_ahead(make, range(start, len(plan)), count=AHEAD)

    signature = tf.nest.map_structure(lambda x: _spec(x, fixed_shape), make_element(plan[0]))
    dataset = from_generator(generate, signature)
    # Keras needs the cardinality to know where an epoch ends.
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(plan) - start))
    return dataset.prefetch(AHEAD)  # converts elements to tensors ahead, too, where it may


def _spec(array: np.ndarray, fixed_shape: bool) -> tf.TensorSpec:
    return tf.TensorSpec(array.shape if fixed_shape else (None,) * array.ndim, array.dtype)
