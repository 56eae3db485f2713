"""A split's token ids on disk: written once, memory-mapped after, so memory stays flat."""

import functools
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

# Texts that go through the text layer together: enough to fill its vectorised ops.
TEXTS_A_STEP = 512


@dataclass(frozen=True)
class Examples:
    """Examples of a split: views into the arrays of its store.

    Attributes:
        token_ids: int32 [total], all texts' ids end to end.
        offsets: int64 [texts + 1], where each text's ids start.
        seconds: int32 [texts], where the second segment starts inside a text; its length if none.
        labels: int64 [texts].
        digests: uint64 [texts], a hash of each raw text.
        rows: int64 [examples], the texts of the store that this view holds.
        name: the split's name.
    """

    token_ids: np.ndarray
    offsets: np.ndarray
    seconds: np.ndarray
    labels: np.ndarray
    digests: np.ndarray
    rows: np.ndarray
    name: str
    pairs: bool

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, positions: np.ndarray, name: str | None = None) -> "Examples":
        """The view of these of its examples."""
        return replace(self, rows=self.rows[positions], name=name or self.name)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens an example, int64 [examples]."""
        return self.offsets[self.rows + 1] - self.offsets[self.rows]

    @functools.cached_property
    def longest(self) -> int:
        """Tokens of the longest example."""
        return int(self.lengths.max())

    @property
    def own_labels(self) -> np.ndarray:
        """The label of each example, int64 [examples]."""
        return self.labels[self.rows]

    def ids(self, position: int) -> np.ndarray:
        """Token ids of one example, int32 [length]."""
        row = self.rows[position]
        return self.token_ids[self.offsets[row] : self.offsets[row + 1]]


def write(
    dataset: tf.data.Dataset,
    text_layer: Callable,
    folder: pathlib.Path,
    *,
    name: str,
    pairs: bool = False,
) -> Examples:
    """Runs every text of `dataset` through the text layer, once and in parallel, onto disk.

    Args:
        dataset: elements {"text", "label"} and, where `pairs`, "pair".
        text_layer: texts, pairs -> ragged token ids (and segment ids).
        folder: an existing folder for the arrays.
        name: the split's name.
        pairs: whether elements carry a second text.
    """

    def ids_of(batch):
        inputs = text_layer(batch["text"], batch["pair"] if pairs else None)
        ids = inputs["token_ids"]
        firsts = tf.reduce_sum(1 - inputs["segment_ids"], axis=1) if pairs else ids.row_lengths()
        whole = tf.strings.join([batch["text"], batch["pair"]], "\0") if pairs else batch["text"]
        digests = tf.bitcast(tf.fingerprint(whole), tf.uint64)
        return ids.flat_values, ids.row_lengths(), firsts, batch["label"], digests

    steps = dataset.batch(TEXTS_A_STEP).map(ids_of, num_parallel_calls=tf.data.AUTOTUNE)
    columns: list[list[np.ndarray]] = [[], [], [], []]
    path = folder / f"{name}.token_ids"
    with path.open("wb") as file:
        for ids, *rest in steps.prefetch(2).as_numpy_iterator():
            ids.astype(np.int32).tofile(file)
            for column, part in zip(columns, rest, strict=True):
                column.append(part)
    lengths, seconds, labels, digests = (
        np.concatenate(column) if column else np.zeros(0, np.int64) for column in columns
    )
    return Examples(
        token_ids=_mapped(path, np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        seconds=seconds.astype(np.int32),
        labels=labels.astype(np.int64),
        digests=digests,
        rows=np.arange(len(labels)),
        name=name,
        pairs=pairs,
    )


def _mapped(path: pathlib.Path, dtype) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file can't be mapped
        return np.zeros(0, dtype)
    mapped = np.memmap(path, dtype=dtype, mode="r")
    path.unlink()  # the map holds it while it is used; a killed process leaves nothing behind
    return mapped
