import json
import os
import time

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data import cache_entries, token_store
from ftkeras.data.token_cache import Cache
from tests.matrix import matrix

TEXTS = [b"a", b"bb cc", b"", b"d e f", b"a"]
LABELS = [0, 1, 1, 0, 1]


@pytest.fixture(autouse=True)
def few_texts_a_step(monkeypatch):
    monkeypatch.setattr(token_store, "TEXTS_PER_STEP", 2)


class Bytes:
    """A text layer whose tokens are a 1 and the text's bytes; counts how often it is traced."""

    calls = 0

    def __call__(self, texts, pairs=None):
        self.calls += 1
        whole = texts if pairs is None else tf.strings.join([texts, pairs])
        ids = tf.cast(tf.strings.unicode_decode(whole, "UTF-8"), tf.int32)
        ids = tf.concat([tf.ones([ids.nrows(), 1], tf.int32), ids], axis=1)
        return {"token_ids": ids} | ({} if pairs is None else {"segment_ids": tf.zeros_like(ids)})


def _dataset(texts=TEXTS, labels=LABELS, **more):
    columns = {"text": list(texts), "label": np.int64(labels), **more}
    return tf.data.Dataset.from_tensor_slices(columns)


def _read(folder, dataset=None, *, settings=None, pairs=False):
    """Return the examples and whether they were cached; check that only others are tokenized."""
    layer = Bytes()
    cache = Cache(folder, settings=settings or {"vocabulary": "v"})
    dataset = _dataset() if dataset is None else dataset
    examples, was_cached = cache.examples(dataset, layer, name="train", pairs=pairs)
    assert was_cached == (layer.calls == 0)
    return examples, was_cached


def _entry(folder):
    (entry,) = [path for path in folder.glob("*/*") if not path.name.startswith(".")]
    return entry


def _same(one, other) -> None:
    for column in (*token_store.COLUMNS, "rows"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    assert one.pairs == other.pairs


def test_nothing_is_tokenized_the_second_time(tmp_path):
    written, was_cached = _read(tmp_path)
    assert not was_cached
    read, was_cached = _read(tmp_path)
    assert was_cached
    _same(read, written)
    assert [read.ids(i).tolist() for i in range(5)] == [[1, *text] for text in TEXTS]
    assert read.targets.tolist() == LABELS


def test_all_columns_stay_on_disk(tmp_path):
    examples, _ = _read(tmp_path)
    kinds = {column: type(getattr(examples, column)) for column in token_store.COLUMNS}
    assert set(kinds.values()) == {np.memmap}


OTHERS = {
    "a text": _dataset([b"A", *TEXTS[1:]]),
    "a label": _dataset(TEXTS, [1, *LABELS[1:]]),
    "the order": _dataset(TEXTS[::-1], LABELS[::-1]),
    "one less": _dataset(TEXTS[:-1], LABELS[:-1]),
    "one more": _dataset([*TEXTS, b""], [*LABELS, 0]),
    "the ends of texts": _dataset([b"ab", b"b cc", *TEXTS[2:]]),
}


@pytest.mark.parametrize(
    "other",
    matrix(OTHERS, default=["a text", "a label", "the order"]),
)
def test_other_content_is_another_entry(tmp_path, other):
    other = OTHERS[other]
    _read(tmp_path)
    assert not _read(tmp_path, other)[1]
    assert _read(tmp_path)[1]
    assert _read(tmp_path, other)[1]


def test_second_texts_are_content_too(tmp_path):
    def pairs(second):
        return _read(tmp_path, _dataset(pair=second), pairs=True)[1]

    assert not _read(tmp_path)[1]
    assert not pairs(TEXTS)
    assert not pairs([b"z", *TEXTS[1:]])
    assert pairs(TEXTS)
    assert pairs([b"z", *TEXTS[1:]])


def test_other_settings_are_another_entry(tmp_path):
    _read(tmp_path, settings={"vocabulary": "v", "max_length": 8})
    assert not _read(tmp_path, settings={"vocabulary": "v", "max_length": 9})[1]
    assert _read(tmp_path, settings={"max_length": 8, "vocabulary": "v"})[1]


@pytest.mark.parametrize("column", matrix(token_store.COLUMNS, default=["offsets"]))
@pytest.mark.parametrize("damage", matrix(["cut", "changed", "gone"], default=["changed"]))
def test_damaged_entry_is_written_again(tmp_path, column, damage):
    written, _ = _read(tmp_path)
    expected = {name: np.array(getattr(written, name)) for name in token_store.COLUMNS}
    path = _entry(tmp_path) / column
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-4])
    elif damage == "changed":
        content[-1] ^= 1
        path.write_bytes(content)
    found, was_cached = _read(tmp_path)
    assert not was_cached
    for name, array in expected.items():
        np.testing.assert_array_equal(getattr(found, name), array)
    assert _read(tmp_path)[1]
    assert list(_entry(tmp_path).parent.glob(".*")) == []


def test_entry_without_its_checksums_is_ignored(tmp_path):
    _read(tmp_path)
    (_entry(tmp_path) / cache_entries.CHECKSUMS).write_text("{")
    assert not _read(tmp_path)[1]
    assert json.loads((_entry(tmp_path) / cache_entries.CHECKSUMS).read_text())


def test_broken_source_leaves_nothing(tmp_path):
    def texts():
        yield {"text": b"a", "label": 0}
        raise RuntimeError("the disk is gone")

    kinds = {"text": tf.TensorSpec((), tf.string), "label": tf.TensorSpec((), tf.int64)}
    broken = tf.data.Dataset.from_generator(texts, output_signature=kinds)
    with pytest.raises(tf.errors.OpError):
        _read(tmp_path, broken)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_two_processes_may_write_at_once(tmp_path, monkeypatch):
    """While one process writes, another one finishes the same entry: the first uses that."""
    checksum, others = cache_entries._checksum, []

    def meanwhile(path):
        if not others:
            others.append(None)
            others[0] = _read(tmp_path)[0]
            others.append((_entry(tmp_path) / "token_ids").stat().st_ino)
        return checksum(path)

    monkeypatch.setattr(cache_entries, "_checksum", meanwhile)
    examples, _ = _read(tmp_path)
    _same(examples, others[0])
    assert (_entry(tmp_path) / "token_ids").stat().st_ino == others[1]
    assert list(_entry(tmp_path).parent.glob(".*")) == []


def test_old_draft_of_a_killed_process_is_deleted(tmp_path):
    _read(tmp_path)
    home = _entry(tmp_path).parent
    old, young = home / ".old.partial", home / ".young.partial"
    for draft in (old, young):
        draft.mkdir()
        (draft / "token_ids").write_bytes(b"")
    past = time.time() - 2 * cache_entries.SECONDS_TO_LIVE
    for path in (old / "token_ids", old):
        os.utime(path, (past, past))
    _read(tmp_path, _dataset([b"new", *TEXTS[1:]]))
    assert not old.exists()
    assert young.exists()
