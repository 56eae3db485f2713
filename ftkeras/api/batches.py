"""Transformations of tf.data datasets into batches with little padding."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ftkeras.api.columns import received
from ftkeras.data import elements
from ftkeras.data.batching import Batching
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.examples import Examples
from ftkeras.data.generated import from_generator
from ftkeras.support import bounds
from ftkeras.text.preprocessor import Preprocessor

# Texts that are tokenized at a time.
CHUNK = 1024
Transformation = Callable[[tf.data.Dataset], tf.data.Dataset]


def bucketed_batches(
    preprocessor: Preprocessor,
    batch_size: int | None = 32,
    *,
    batch_tokens: int | None = None,
    multiple: int = 16,
    shuffle: bool = True,
    seed: int = 0,
    replicas: int = 1,
) -> Transformation:
    """Return a transformation that tokenizes texts and batches those of similar length.

    Use it with `tf.data.Dataset.apply`. The texts are tokenized once and kept in memory, 4 bytes a
    token. In each pass over the dataset, the batches are made and shuffled anew.

    Args:
        preprocessor: turns texts into token ids, such as `TextClassifier.preprocessor`.
        batch_size: texts per batch; positive, or None if `batch_tokens` limits a batch.
        batch_tokens: the maximum number of tokens per batch, including padding; or None.
        multiple: rows are padded to a multiple of this many tokens; positive.
        shuffle: whether each pass has other batches; if not, all have those of the first. Shuffling
            depends on `seed` and the number of the pass only.
        seed: integer, at least 0.
        replicas: the number of replicas of the strategy that the model trains under; positive. If
            there are several, each gets as many rows of a batch. Rows without a text have weight
            0, so there is always a sample_weight.

    Returns:
        A function that turns a dataset of single examples into a dataset of batches. Examples are
        `x`, `(x, y)` or `(x, y, sample_weight)`, where x is a string or a dict {"text": …, "pair":
        …}. The x of a batch is a dict of `token_ids` and, of pairs, `segment_ids`, and of
        `padding_mask`, 1 for tokens, all int32 [batch, length], as the encoder takes them.

    Raises:
        ValueError: if an argument is out of bounds, or the dataset is empty, infinite or batched.

    >>> from ftkeras.text.wordpiece import WordPiece
    >>> tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad"]
    >>> preprocessor = Preprocessor(8, tokenizer=WordPiece(vocabulary=tokens))
    >>> data = tf.data.Dataset.from_tensor_slices((["good", "good", "bad bad bad"], [1, 1, 0]))
    >>> for x, y in data.apply(bucketed_batches(preprocessor, 2, multiple=4, shuffle=False)):
    ...     print(x["token_ids"].numpy().tolist(), y.numpy())
    [[2, 4, 3, 0]] [1]
    [[2, 5, 5, 5, 3, 0, 0, 0], [2, 4, 3, 0, 0, 0, 0, 0]] [0 1]
    """
    _check(preprocessor, batch_size, batch_tokens)
    batching = Bucketed(
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        pad_id=preprocessor.tokenizer.pad_id,
        max_length=preprocessor.max_length,
        multiple=multiple,
        parts=replicas,
    )
    return _transformation(preprocessor, batching, shuffle=shuffle, seed=seed)


def packed_batches(
    preprocessor: Preprocessor,
    batch_size: int | None = 32,
    *,
    batch_tokens: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
) -> Transformation:
    """Return a transformation that tokenizes texts and puts several into each row.

    All batches have one shape, as XLA requires, and little padding. The encoder computes each text
    as if it were alone. Use it as `bucketed_batches`, but not under a strategy with several
    replicas, which Keras gives rows and texts that do not belong together.

    Args:
        preprocessor: turns texts into token ids, such as `TextClassifier.preprocessor`.
        batch_size: texts per batch; positive, or None if `batch_tokens` limits a batch.
        batch_tokens: the maximum number of tokens per batch, including padding; or None.
        shuffle: as of `bucketed_batches`.
        seed: integer, at least 0.

    Returns:
        A function as that of `bucketed_batches` returns. A batch of R rows with T places for texts
        each has, in addition, `starts` in x, int32 [R, T], where each text starts. Its y and
        sample_weight are [R * T, …], as the encoder's "first" and "pooled" are. Empty places have
        weight 0, so there is always a sample_weight, and `weighted_metrics` are those to compile.
        The weights of texts are larger than 1, so that Keras's mean loss is that of the texts.

    Raises:
        ValueError: as `bucketed_batches` does.
    """
    _check(preprocessor, batch_size, batch_tokens)
    batching = Packed(
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        pad_id=preprocessor.tokenizer.pad_id,
        max_length=preprocessor.max_length,
    )
    return _transformation(preprocessor, batching, shuffle=shuffle, seed=seed)


def _check(preprocessor: Any, batch_size: int | None, batch_tokens: int | None) -> None:
    if not isinstance(preprocessor, Preprocessor):
        raise ValueError(
            "`preprocessor` must be a layer that ftkeras.text.from_pretrained returns. Received: "
            f"{preprocessor!r}."
        )
    if preprocessor.reads != "texts":
        raise ValueError(
            "`preprocessor` must be made with reads='texts', so that each text has a row. "
            f"Received: reads={preprocessor.reads!r}."
        )
    if batch_size is None and batch_tokens is None:
        raise ValueError(
            "`batch_size` or `batch_tokens` must be a number. Received: None for both."
        )


def _transformation(
    preprocessor: Preprocessor, batching: Batching, *, shuffle: bool, seed: int
) -> Transformation:
    bounds.boolean(shuffle=shuffle)
    bounds.integer(0, seed=seed)

    def transform(dataset: tf.data.Dataset) -> tf.data.Dataset:
        if not isinstance(dataset, tf.data.Dataset):
            raise ValueError(
                "`dataset` must be a tf.data.Dataset of single texts, such as "
                "tf.data.Dataset.from_tensor_slices((texts, answers)). "
                f"Received: {received(dataset)}."
            )
        examples, answers, weights = _tokenized(dataset, preprocessor)
        source = _Batches(examples, answers, weights, batching, seed=seed if shuffle else None)
        found = from_generator(source.passes(), source.signature())
        return found.apply(tf.data.experimental.assert_cardinality(len(source)))

    return transform


class _Batches:
    """The batches of each pass over tokenized examples.

    Args:
        examples: the tokens.
        answers: arrays of the examples in any structure, or None.
        weights: float32 [examples], or None.
        batching: groups the examples.
        seed: determines the order of each pass; None for the same batches in all.
    """

    def __init__(
        self,
        examples: Examples,
        answers: Any,
        weights: np.ndarray | None,
        batching: Batching,
        seed: int | None,
    ):
        self.examples, self.answers, self.weights = examples, answers, weights
        self.batching, self.seed = batching, seed
        plan = self._plan(0)
        self._first, self._count = plan[0], len(plan)
        self.has_empty_places = batching.fixed_shape or batching.parts > 1
        # Keras divides a loss by the places of a batch. So weighted, its mean is that of the texts.
        self._weight = np.float32(sum(part.size for part in plan) / len(examples))

    def __len__(self) -> int:
        return self._count

    def passes(self) -> Callable[[], Iterator[Any]]:
        """Return a function that returns the batches of the next pass each time."""
        numbers = itertools.count()
        return lambda: map(self.batch, self._plan(next(numbers)))

    def batch(self, positions: np.ndarray) -> Any:
        """Return x, (x, y) or (x, y, sample_weight) of the examples at these positions."""
        x = elements.inputs(self.examples, self.batching, positions)
        lengths = np.where(positions >= 0, self.examples.lengths[positions], 0)
        used = lengths.reshape(len(positions), -1).sum(axis=1)
        mask = np.arange(x["token_ids"].shape[1]) < used[:, None]
        x["padding_mask"] = mask.astype(np.int32)  # `tf.distribute` adds zeros to no booleans
        flat = positions.reshape(-1)
        is_there = flat >= 0
        if self.answers is None:
            return x
        y = keras.tree.map_structure(lambda values: _at(values, flat, is_there), self.answers)
        weights = is_there.astype(np.float32)
        if self.weights is not None:
            weights = _at(self.weights, flat, is_there)
        elif not self.has_empty_places:
            return x, y
        return x, y, weights * self._weight

    def signature(self) -> Any:
        """Return the `tf.TensorSpec`s of a batch."""
        fixed = self.batching.fixed_shape
        batch = self.batch(self._first)
        x, *others = batch if isinstance(batch, tuple) else (batch,)
        texts = {n: _spec(rows, rows.shape if fixed else (None, None)) for n, rows in x.items()}
        answers: Any = keras.tree.map_structure(
            lambda rows: _spec(rows, (len(rows) if fixed else None, *rows.shape[1:])),
            tuple(others),
        )
        return (texts, *answers) if others else texts

    def _plan(self, number: int) -> list[np.ndarray]:
        rng = np.random.default_rng((self.seed or 0, 0 if self.seed is None else number))
        order = rng.permutation(len(self.examples))
        return [_joined(parts) for parts in self.batching.plan(self.examples.lengths, order)]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Return parts as one array, each filled with empty rows until all have as many."""
    rows = max(map(len, parts))
    fills = [np.full((rows - len(part), *part.shape[1:]), -1) for part in parts]
    return np.concatenate([piece for pair in zip(parts, fills, strict=True) for piece in pair])


def _at(values: np.ndarray, positions: np.ndarray, is_there: np.ndarray) -> np.ndarray:
    """Return the values at these positions, 0 where there is no example."""
    found = values[positions]
    found[~is_there] = 0
    return found


def _spec(rows: np.ndarray, shape: tuple[int | None, ...]) -> tf.TensorSpec:
    return tf.TensorSpec(shape, rows.dtype)


def _tokenized(
    dataset: tf.data.Dataset, preprocessor: Preprocessor
) -> tuple[Examples, Any, np.ndarray | None]:
    """Return the tokens, the answers or None, and the weights or None of all examples."""
    x, y, weight = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    names = _columns(dataset, x, {"y": y, "sample_weight": weight})

    def tokenize(*example: Any) -> tuple:
        x, *others = example
        texts = [x[name] for name in names] if names else [x]
        return (preprocessor(*texts), *others)

    chunks = list(dataset.batch(CHUNK).map(tokenize).as_numpy_iterator())
    if not chunks:
        raise ValueError("the dataset must have examples. Received: an empty one.")
    examples = _examples([tokens for tokens, *_ in chunks])
    others = [keras.tree.map_structure(np.asarray, tuple(other)) for _, *other in chunks]
    joined: Any = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *others)
    answers = None if y is None else joined[0]
    weights = None if weight is None else joined[1].astype(np.float32)
    return examples, answers, weights


def _columns(dataset: tf.data.Dataset, x: Any, others: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the texts of an example, or none if it is one text.

    Raises:
        ValueError: if a dataset has no end, or no single examples of texts with numbers.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            "the dataset must have an end; remove `repeat`. Received: an infinite one."
        )
    names = tuple(x) if isinstance(x, Mapping) else ()
    specs: list[Any] = list(x.values()) if names else [x]
    for name, given in others.items():
        if given is not None and any(s.dtype == tf.string for s in keras.tree.flatten(given)):
            raise ValueError(
                f"the dataset's {name} must be numbers; map names to numbers first. "
                "Received: strings."
            )
    is_text = all(isinstance(one, tf.TensorSpec) and one.dtype == tf.string for one in specs)
    if not is_text or set(names) not in (set(), {"text"}, {"text", "pair"}):
        raise ValueError(
            "the dataset's x must be a string or a dict of strings, text and pair. Received: "
            f"{x!r}."
        )
    if any(one.shape.rank != 0 for one in specs):
        raise ValueError(
            "the dataset must have single examples; use `dataset.unbatch()`, or give them the "
            f"shape (). Received: texts of shape {specs[0].shape}."
        )
    return tuple(name for name in ("text", "pair") if name in names)


def _examples(chunks: list[dict[str, np.ndarray]]) -> Examples:
    """Return examples from the outputs of a preprocessor. Their targets are their numbers."""
    masks = [chunk["padding_mask"] for chunk in chunks]
    lengths = np.concatenate([mask.sum(axis=1) for mask in masks])
    pairs = "segment_ids" in chunks[0]
    seconds = np.zeros(len(lengths), np.int64)
    if pairs:
        seconds = np.concatenate([(chunk["segment_ids"] == 1).sum(axis=1) for chunk in chunks])
    numbers = np.arange(len(lengths))
    return Examples(
        token_ids=np.concatenate(
            [chunk["token_ids"][mask] for chunk, mask in zip(chunks, masks, strict=True)]
        ),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        second_starts=lengths - seconds,
        stored_targets=numbers,
        stored_digests=np.zeros(len(lengths), np.uint64),
        rows=numbers,
        name="dataset",
        pairs=pairs,
    )
