"""A split's token ids on disk: written once, memory-mapped after, so memory stays flat."""

import hashlib
import pathlib
import shutil
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ftkeras.data.examples import Examples

# Texts that go through the text layer together: enough to fill its vectorised ops.
TEXTS_A_STEP = 512

# What is kept of a split, a file each.
COLUMNS = {
    "token_ids": np.int32,
    "offsets": np.int64,
    "second_starts": np.int32,
    "stored_labels": np.int64,
    "stored_digests": np.uint64,
}


def write(
    dataset: tf.data.Dataset,
    text_layer: Callable,
    folder: pathlib.Path,
    *,
    name: str,
    pairs: bool = False,
) -> Examples:
    """The examples of `dataset`, for as long as this process has them.

    Args:
        dataset: elements {"text", "label"} and, where `pairs`, "pair".
        text_layer: texts, pairs -> ragged token ids (and segment ids).
        folder: an existing folder for the arrays.
        name: the split's name.
        pairs: whether elements carry a second text.
    """
    own = folder / name
    own.mkdir(exist_ok=True)
    write_arrays(dataset, text_layer, own, pairs=pairs)
    examples = read_arrays(own, name=name, pairs=pairs)
    shutil.rmtree(own)  # the maps hold the files; a killed process leaves nothing behind
    return examples


def write_arrays(
    dataset: tf.data.Dataset, text_layer: Callable, folder: pathlib.Path, *, pairs: bool
) -> str:
    """Runs every text through the text layer, once and in parallel; gives its content's key."""

    @tf.autograph.experimental.do_not_convert
    def ids_of(batch):
        inputs = text_layer(batch["text"], batch["pair"] if pairs else None)
        ids = inputs["token_ids"]
        firsts = tf.reduce_sum(1 - inputs["segment_ids"], axis=1) if pairs else ids.row_lengths()
        return {
            "token_ids": ids.flat_values,
            "offsets": ids.row_lengths(),
            "second_starts": firsts,
            "stored_labels": batch["label"],
            "stored_digests": _digests(batch, pairs),
        }

    key, end = _Key(), 0
    steps = dataset.batch(TEXTS_A_STEP).map(ids_of, num_parallel_calls=tf.data.AUTOTUNE)
    files = {column: (folder / column).open("wb") for column in COLUMNS}
    try:
        np.zeros(1, np.int64).tofile(files["offsets"])
        for step in steps.prefetch(2).as_numpy_iterator():
            step["offsets"] = end + np.cumsum(step["offsets"])
            end = step["offsets"][-1]
            key.add(step["stored_digests"], step["stored_labels"])
            for column, kind in COLUMNS.items():
                step[column].astype(kind, copy=False).tofile(files[column])
    finally:
        for file in files.values():
            file.close()
    return key.of(pairs)


def read_arrays(folder: pathlib.Path, *, name: str, pairs: bool) -> Examples:
    """What `write_arrays` has left, memory-mapped."""
    columns = {column: _mapped(folder / column, kind) for column, kind in COLUMNS.items()}
    return Examples(
        **columns,
        rows=np.arange(len(columns["stored_labels"])),
        name=name,
        pairs=pairs,
        source=name,
    )


def content_key(dataset: tf.data.Dataset, *, pairs: bool) -> str:
    """The key that `write_arrays` would give, from the texts and labels alone."""

    @tf.autograph.experimental.do_not_convert
    def seen(batch):
        return _digests(batch, pairs), batch["label"]

    key = _Key()
    steps = dataset.batch(TEXTS_A_STEP).map(seen, num_parallel_calls=tf.data.AUTOTUNE)
    for digests, labels in steps.prefetch(2).as_numpy_iterator():
        key.add(digests, labels)
    return key.of(pairs)


class _Key:
    """A hash over all texts and labels, in their order, however they are batched."""

    def __init__(self):
        self._texts, self._labels = hashlib.sha256(), hashlib.sha256()

    def add(self, digests: np.ndarray, labels: np.ndarray) -> None:
        self._texts.update(digests.astype("<u8").tobytes())
        self._labels.update(labels.astype("<i8").tobytes())

    def of(self, pairs: bool) -> str:
        whole = self._texts.digest() + self._labels.digest() + bytes([pairs])
        return hashlib.sha256(whole).hexdigest()[:32]


def _digests(batch, pairs: bool) -> tf.Tensor:
    whole = tf.strings.join([batch["text"], batch["pair"]], "\0") if pairs else batch["text"]
    return tf.bitcast(tf.fingerprint(whole), tf.uint64)


def _mapped(path: pathlib.Path, kind) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file can't be mapped
        return np.zeros(0, kind)
    return np.memmap(path, dtype=kind, mode="r")
