"""The texts that a run keeps are those that it was measured on."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.problems.classification import Classification
from ftkeras.runs import layout, samples


class Task:
    """Texts of their own in each split."""

    def __init__(self, *, pairs: bool, own_validation: bool):
        self.pairs, self.names = pairs, ["train", "test"] + ["validation"] * own_validation

    problem_class = Classification
    needs_test, guards_test = True, False

    def problem(self):
        return Classification(labels=("even", "odd"))

    def splits(self):
        return {name: self._dataset(name) for name in self.names}

    def _dataset(self, name):
        count = 60
        columns = {
            "text": [f"{name} {n}" for n in range(count)],
            "label": np.arange(count, dtype=np.int64) % 2,
        }
        if self.pairs:
            columns["pair"] = [f"beside {name} {n}" for n in range(count)]
        return tf.data.Dataset.from_tensor_slices(columns)


def _no_tokens(texts, pairs=None):
    ids = tf.RaggedTensor.from_tensor(tf.ones([tf.size(texts), 2], tf.int32))
    return {"token_ids": ids} if pairs is None else {"token_ids": ids, "segment_ids": ids - 1}


_no_tokens.redacted = lambda texts: texts


@pytest.mark.parametrize(
    ("pairs", "own_validation", "folds"),
    [(False, False, None), (True, True, None), (False, True, 3)],
)
def test_texts_are_those_of_the_rows(pairs, own_validation, folds):
    task = Task(pairs=pairs, own_validation=own_validation)
    grouping = {"folds": folds, "fold": 1, "group_by": "none"} if folds else {}
    config = Config(task="imdb", cache_dir="none", test_examples=20, **grouping)
    with open_splits(config, task, _no_tokens) as splits:
        for examples in (splits.train, splits.validation, splits.test):
            kept = samples.positions(len(examples))[::3]
            texts = splits.raw_texts(examples, kept)
            whole = [
                b"\0".join([row["text"], row["pair"]] if pairs else [row["text"]]) for row in texts
            ]
            found = tf.bitcast(tf.fingerprint(whole), tf.uint64).numpy()
            np.testing.assert_array_equal(found, examples.digests[kept])


@pytest.mark.parametrize(("examples", "count"), [(3, 3), (100, 100), (101, 100), (25_000, 100)])
def test_samples_lie_evenly_over_all(examples, count):
    kept = samples.positions(examples)
    assert (len(kept), kept[0], kept[-1]) == (count, 0, examples - 1)
    assert np.ptp(np.diff(kept)) <= 1


def test_bytes_that_are_no_text_come_back(tmp_path):
    samples.write(tmp_path, [{"id": "test-0"}], [{"text": "né".encode() + b"\xff\n"}])
    (row,) = samples.read(tmp_path)
    assert row["id"] == "test-0"
    assert row["text"].encode("utf-8", "surrogateescape") == "né".encode() + b"\xff\n"


@pytest.mark.parametrize("content", [None, '{"id": "te'])
def test_run_without_samples_says_how_to_get_them(tmp_path, content):
    if content is not None:
        (tmp_path / layout.SAMPLES).write_text(content)
    with pytest.raises(UserError, match=f"evaluate --run_dir={tmp_path}"):
        samples.read(tmp_path)


def test_run_keeps_texts_of_test_with_what_it_said(finished_run):
    run = finished_run / "run"
    said = {p["id"]: p for p in map(json.loads, (run / "predictions.jsonl").open())}
    for sample in samples.read(run):
        text = sample.pop("text")
        assert sample == said[sample["id"]]
        assert len(text) > 10
