"""A split's token ids on disk: written once, then memory-mapped, so that memory stays flat."""

import contextlib
import hashlib
import pathlib
import shutil
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.data.examples import Examples
from ftkeras.data.windows import ExampleRows, Windows
from ftkeras.problems import SEVERAL_ROWS
from ftkeras.support.ragged import Ragged
from ftkeras.text.words import WORDS

# The texts that go through the text layer together: enough to keep its vectorized ops busy.
TEXTS_PER_STEP = 512

# The columns of a split, one file each, by the attributes of `Examples` that they become. The dtype
# of the targets is that of the dataset: int64 or float64; or uint8 for strings, whose lengths are
# another column.
COLUMNS = {
    "token_ids": np.int32,
    "offsets": np.int64,
    "second_starts": np.int32,
    "stored_targets": np.int64,
    "stored_digests": np.uint64,
}
LENGTHS = "target_lengths"
# Further columns, of words and of windows, by what the problem reads; see `Problem.reads`.
_WORDS = dict.fromkeys(WORDS, np.int32)
_WINDOWS = {"window_counts": np.int32, "first_pieces": np.int32}
EXTRA = {
    "texts": {},
    "words": _WORDS,
    "contexts": {**_WORDS, **_WINDOWS},
    "options": {},
    "each_text": {},
    "tokens": {},
}


def extra(reads: str, *, windows: bool) -> dict[str, type]:
    """Return the dtype of each column that the text layer returns beside token ids.

    Args:
        reads: what the problem reads, a key of `EXTRA`.
        windows: whether the text layer cuts texts into windows.
    """
    return EXTRA[reads] | (_WINDOWS if windows else {})


def write(
    dataset: tf.data.Dataset,
    text_layer: Callable,
    folder: pathlib.Path,
    *,
    name: str,
    pairs: bool = False,
    reads: str = "texts",
    windows: bool = False,
) -> Examples:
    """Tokenize a dataset into files that last as long as the process.

    Args:
        dataset: elements {"text", "label"} and, if `pairs`, "pair".
        text_layer: texts, pairs -> ragged token ids (and segment ids).
        folder: an existing folder for the files.
        name: the name of the split.
        pairs: whether the elements contain a second text.
        reads: what the problem reads, a key of `EXTRA`.
        windows: whether the text layer cuts texts into windows.
    """
    subfolder = folder / name
    subfolder.mkdir(exist_ok=True)
    returned = {"reads": reads, "windows": windows}
    write_arrays(dataset, text_layer, subfolder, pairs=pairs, **returned)
    examples = read_arrays(dataset, subfolder, name=name, pairs=pairs, **returned)
    shutil.rmtree(subfolder)  # the maps keep the data; a killed process leaves nothing behind
    return examples


def write_arrays(
    dataset: tf.data.Dataset,
    text_layer: Callable,
    folder: pathlib.Path,
    *,
    pairs: bool,
    reads: str = "texts",
    windows: bool = False,
) -> str:
    """Tokenize a dataset into files, in parallel, and return the key of its content."""
    tokenize = _tokenizer(text_layer, pairs=pairs, further=extra(reads, windows=windows))
    batches = dataset.batch(TEXTS_PER_STEP).map(tokenize, num_parallel_calls=tf.data.AUTOTUNE)
    dtypes, key, end = columns(dataset, reads=reads, windows=windows), _ContentKey(dataset), 0
    with contextlib.ExitStack() as stack:
        files = {name: stack.enter_context((folder / name).open("wb")) for name in dtypes}
        np.zeros(1, np.int64).tofile(files["offsets"])
        for batch in batches.prefetch(2).as_numpy_iterator():
            key.add(batch["stored_digests"], batch["stored_targets"])
            batch["offsets"] = end + np.cumsum(batch["offsets"])
            end = batch["offsets"][-1]
            if LENGTHS in dtypes:
                batch |= _joined_answers(batch["stored_targets"])
            for name, dtype in dtypes.items():
                batch[name].astype(dtype, copy=False).tofile(files[name])
    return key.result(pairs)


def _tokenizer(
    text_layer: Callable, *, pairs: bool, further: Iterable[str]
) -> Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]:
    """Return a function of a batch of texts that gives the values of each column.

    "offsets" are the lengths of its rows, and "stored_targets" are as in the dataset.

    Args:
        text_layer: see `write`.
        pairs: whether the batches contain second texts.
        further: the columns that the text layer returns beside token ids.
    """

    @tf.autograph.experimental.do_not_convert
    def tokenize(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        inputs = text_layer(batch["text"], batch["pair"] if pairs else None)
        ids = inputs["token_ids"]
        segments = inputs.get("segment_ids")  # missing if the encoder has none
        firsts = ids.row_lengths() if segments is None else tf.reduce_sum(1 - segments, axis=1)
        return {
            "token_ids": ids.flat_values,
            "offsets": ids.row_lengths(),
            "second_starts": firsts,
            "stored_targets": batch["label"],
            "stored_digests": _digests(batch, pairs),
            **{name: _flat(inputs[name]) for name in further},
        }

    return tokenize


def _joined_answers(strings: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of targets that are strings: all their bytes, and their lengths."""
    answers: list[bytes] = list(strings)
    return {
        "stored_targets": np.frombuffer(b"".join(answers), np.uint8),
        LENGTHS: np.array(list(map(len, answers))),
    }


def read_arrays(
    dataset: tf.data.Dataset,
    folder: pathlib.Path,
    *,
    name: str,
    pairs: bool,
    reads: str = "texts",
    windows: bool = False,
) -> Examples:
    """Return the examples that `write_arrays` has written, memory-mapped."""
    dtypes = columns(dataset, reads=reads, windows=windows)
    arrays: dict[str, Any] = {c: _map(folder / c, dtype) for c, dtype in dtypes.items()}
    shape, targets = _label_spec(dataset).shape, arrays.pop("stored_targets")
    if LENGTHS in arrays:
        targets = Ragged.from_lengths(targets, arrays.pop(LENGTHS))
    else:
        targets = targets.reshape(-1, *shape)
    if "window_counts" in arrays:
        arrays |= _by_text(arrays)
    if reads in SEVERAL_ROWS:
        arrays |= _by_example(arrays)
    rows = np.arange(len(arrays["stored_digests"]))
    return Examples(
        **arrays, stored_targets=targets, rows=rows, name=name, pairs=pairs, source=name
    )


def _flat(column: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
    return column.flat_values if isinstance(column, tf.RaggedTensor) else column


def _by_text(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of windows as `Windows`, and those that `Examples` has of texts."""
    firsts = np.concatenate([[0], np.cumsum(arrays.pop("window_counts"), dtype=np.int64)])
    offsets, second_starts = arrays["offsets"], arrays["second_starts"]
    windows = Windows(offsets, second_starts, arrays.pop("first_pieces"), firsts)
    return {
        "windows": windows,
        "offsets": offsets[firsts],
        "second_starts": second_starts[firsts[:-1]],
    }


def _by_example(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of rows, of which each example has the same number, and of examples."""
    offsets, second_starts = arrays["offsets"], arrays["second_starts"]
    each = (len(offsets) - 1) // max(1, len(arrays["stored_digests"]))
    return {
        "several": ExampleRows(offsets, second_starts, each),
        "offsets": offsets[:: max(1, each)],
        "second_starts": second_starts[:: max(1, each)],
    }


def columns(
    dataset: tf.data.Dataset, *, reads: str = "texts", windows: bool = False
) -> dict[str, type]:
    """Return the dtype of each column."""
    dtypes = {**COLUMNS, **extra(reads, windows=windows)}
    answer = _label_spec(dataset).dtype
    if answer == tf.string:
        return {**dtypes, "stored_targets": np.uint8, LENGTHS: np.int64}
    return {**dtypes, "stored_targets": np.float64 if answer.is_floating else np.int64}


def _label_spec(dataset: tf.data.Dataset) -> tf.TensorSpec:
    elements: Any = dataset.element_spec
    return elements["label"]


def content_key(dataset: tf.data.Dataset, *, pairs: bool) -> str:
    """Return the key that `write_arrays` would return, without tokenizing the texts."""

    @tf.autograph.experimental.do_not_convert
    def digest(batch: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        return _digests(batch, pairs), batch["label"]

    key = _ContentKey(dataset)
    steps = dataset.batch(TEXTS_PER_STEP).map(digest, num_parallel_calls=tf.data.AUTOTUNE)
    for digests, targets in steps.prefetch(2).as_numpy_iterator():
        key.add(digests, targets)
    return key.result(pairs)


class _ContentKey:
    """A hash over all texts and targets in their order, however they are batched."""

    def __init__(self, dataset: tf.data.Dataset) -> None:
        self._texts, self._targets = hashlib.sha256(), hashlib.sha256()
        self._dtype = np.dtype(columns(dataset)["stored_targets"]).newbyteorder("<")
        self._shape = _label_spec(dataset).shape.as_list()

    def add(self, digests: np.ndarray, targets: np.ndarray) -> None:
        self._texts.update(digests.astype("<u8").tobytes())
        if targets.dtype == object:  # byte strings
            for answer in targets:
                self._targets.update(len(answer).to_bytes(8, "little") + answer)
        else:
            self._targets.update(targets.astype(self._dtype).tobytes())

    def result(self, pairs: bool) -> str:
        whole = self._texts.digest() + self._targets.digest() + bytes([pairs])
        if self._dtype.kind != "i" or self._shape:  # not one label per text
            whole += f"{self._dtype.str} {self._shape}".encode()
        return hashlib.sha256(whole).hexdigest()[:32]


def _digests(batch: dict[str, tf.Tensor], pairs: bool) -> tf.Tensor:
    whole = tf.strings.join([batch["text"], batch["pair"]], "\0") if pairs else batch["text"]
    return tf.bitcast(tf.fingerprint(whole), tf.uint64)


def _map(path: pathlib.Path, dtype: type) -> np.ndarray:
    if path.stat().st_size == 0:  # an empty file can't be mapped
        return np.zeros(0, dtype)
    return np.memmap(path, dtype=dtype, mode="r")
