"""A split's token ids on disk: written once, then memory-mapped, so that memory stays flat."""

import hashlib
import pathlib
import shutil
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ftkeras.data.examples import Examples

# The texts that go through the text layer together: enough to keep its vectorized ops busy.
TEXTS_PER_STEP = 512

# What is stored of a split, one file per column. The names are attributes of `Examples`.
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
    """Tokenize a dataset into files that last as long as the process.

    Args:
        dataset: elements {"text", "label"} and, if `pairs`, "pair".
        text_layer: texts, pairs -> ragged token ids (and segment ids).
        folder: an existing folder for the files.
        name: the name of the split.
        pairs: whether the elements contain a second text.
    """
    subfolder = folder / name
    subfolder.mkdir(exist_ok=True)
    write_arrays(dataset, text_layer, subfolder, pairs=pairs)
    examples = read_arrays(subfolder, name=name, pairs=pairs)
    shutil.rmtree(subfolder)  # the maps keep the data; a killed process leaves nothing behind
    return examples


def write_arrays(
    dataset: tf.data.Dataset, text_layer: Callable, folder: pathlib.Path, *, pairs: bool
) -> str:
    """Tokenize a dataset into files, in parallel, and return the key of its content."""

    @tf.autograph.experimental.do_not_convert
    def tokenize(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
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

    key, end = _ContentKey(), 0
    steps = dataset.batch(TEXTS_PER_STEP).map(tokenize, num_parallel_calls=tf.data.AUTOTUNE)
    files = {column: (folder / column).open("wb") for column in COLUMNS}
    try:
        np.zeros(1, np.int64).tofile(files["offsets"])
        for step in steps.prefetch(2).as_numpy_iterator():
            step["offsets"] = end + np.cumsum(step["offsets"])
            end = step["offsets"][-1]
            key.add(step["stored_digests"], step["stored_labels"])
            for column, dtype in COLUMNS.items():
                step[column].astype(dtype, copy=False).tofile(files[column])
    finally:
        for file in files.values():
            file.close()
    return key.result(pairs)


def read_arrays(folder: pathlib.Path, *, name: str, pairs: bool) -> Examples:
    """Return what `write_arrays` has written, memory-mapped."""
    columns = {column: _map(folder / column, dtype) for column, dtype in COLUMNS.items()}
    rows = np.arange(len(columns["stored_labels"]))
    return Examples(**columns, rows=rows, name=name, pairs=pairs, source=name)


def content_key(dataset: tf.data.Dataset, *, pairs: bool) -> str:
    """Return the key that `write_arrays` would return, without tokenizing the texts."""

    @tf.autograph.experimental.do_not_convert
    def digest(batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return _digests(batch, pairs), batch["label"]

    key = _ContentKey()
    steps = dataset.batch(TEXTS_PER_STEP).map(digest, num_parallel_calls=tf.data.AUTOTUNE)
    for digests, labels in steps.prefetch(2).as_numpy_iterator():
        key.add(digests, labels)
    return key.result(pairs)


class _ContentKey:
    """A hash over all texts and labels in their order, however they are batched."""

    def __init__(self) -> None:
        self._texts, self._labels = hashlib.sha256(), hashlib.sha256()

    def add(self, digests: np.ndarray, labels: np.ndarray) -> None:
        self._texts.update(digests.astype("<u8").tobytes())
        self._labels.update(labels.astype("<i8").tobytes())

    def result(self, pairs: bool) -> str:
        whole = self._texts.digest() + self._labels.digest() + bytes([pairs])
        return hashlib.sha256(whole).hexdigest()[:32]


def _digests(batch: dict[str, tf.Tensor], pairs: bool) -> tf.Tensor:
    whole = tf.strings.join([batch["text"], batch["pair"]], "\0") if pairs else batch["text"]
    return tf.bitcast(tf.fingerprint(whole), tf.uint64)


def _map(path: pathlib.Path, dtype: type) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file can't be mapped
        return np.zeros(0, dtype)
    return np.memmap(path, dtype=dtype, mode="r")
