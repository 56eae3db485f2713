"""Examples that are cut into windows: batches of windows, outputs and weights by example."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data import token_cache, token_store
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.problems.question_answering import QuestionAnswering
from ftkeras.support import answers
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.windows import Windows as Cut
from ftkeras.text.wordpiece import WordPiece

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij"]
# Of a context of n pieces, the last one answers; a row of 8 tokens has 4 of them.
SIZES = [3, 9, 6, 0, 4]
LAYER = TextLayer(
    tokenizer=WordPiece(vocabulary=VOCABULARY),
    truncation=Cut(overlap=1),
    max_length=8,
    contexts=True,
)
ENCODE = tf.function(LAYER, autograph=False)  # traced once for all datasets


def _dataset():
    contexts = [" ".join("abcdefghij"[n] for n in range(size)) for size in SIZES]
    stored = [
        answers.encode(text, [(len(text) - 1, text[-1])] if text else []) for text in contexts
    ]
    rows = {"text": ["j"] * len(SIZES), "pair": contexts, "label": stored}
    return tf.data.Dataset.from_tensor_slices(rows)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    settings = {"name": "train", "pairs": True, "reads": "contexts"}
    found = token_store.write(_dataset(), ENCODE, folder, **settings)
    outputs = found.context_outputs(np.zeros((len(found.token_ids), 0)))
    targets = QuestionAnswering().window_targets(found.targets, outputs)
    windows = dataclasses.replace(found.windows, targets=targets)
    return dataclasses.replace(found, windows=windows)


@pytest.mark.matrix
def test_cache_returns_the_same_windows(examples, tmp_path):
    cache = token_cache.Cache(tmp_path, settings={})
    for was_cached in (False, True):
        found = cache.examples(_dataset(), ENCODE, name="train", pairs=True, reads="contexts")
        assert found[1] == was_cached
        assert found[0].windows.firsts.tolist() == examples.windows.firsts.tolist()
        assert found[0].targets.tobytes() == examples.targets.tobytes()


def test_view_by_row_holds_the_windows_of_the_selected_examples(examples):
    assert examples.windows.counts.tolist() == [1, 3, 2, 1, 1]
    chosen = examples.select(np.array([2, 0, 2]))
    rows = chosen.by_row()
    assert len(chosen) == 3
    assert len(rows) == 5
    assert rows.lengths.tolist() == [8, 7, 7, 8, 7]
    assert rows.targets.tolist() == [[0, 0], [5, 5], [5, 5], [0, 0], [5, 5]]
    assert chosen.lengths.tolist() == [15, 7, 15]
    weights = chosen.row_weights()
    assert weights == pytest.approx(np.array([0.5, 0.5, 1, 0.5, 0.5]) * 5 / 3)
    assert examples.select(np.array([0, 4])).row_weights() is None


def _rows_of(inputs, width=2):
    """Return outputs as a head gives them: the ids of each window, of packed rows too."""
    ids = inputs["token_ids"]
    if "starts" not in inputs:
        return np.repeat(ids.reshape(-1, 1), width, axis=1)
    found = []
    for row, starts in zip(ids, inputs["starts"], strict=True):
        for start in starts:
            found.append(np.pad(row[start:], (0, min(start, len(row)))))
    return np.repeat(np.concatenate(found)[:, np.newaxis], width, axis=1)


@pytest.mark.parametrize(
    "batching",
    [
        Padded(batch_size=3, pad_id=0),
        Bucketed(batch_size=3, pad_id=0, max_length=8),
        Packed(batch_size=4, pad_id=0, max_length=24),
    ],
    ids=lambda batching: type(batching).__name__,
)
def test_outputs_are_those_of_each_example(examples, batching):
    chosen = examples.select(np.array([4, 1, 0, 2]))
    feed = OrderedFeed(chosen, batching)
    elements = list(feed.dataset().as_numpy_iterator())
    rows = np.concatenate([_rows_of(inputs) for inputs, _, _ in elements])
    found = feed.in_example_order(rows.astype(np.float32))
    for example, windows in enumerate(found):
        assert len(windows) == chosen.windows.counts[chosen.rows[example]]
        ids = np.concatenate([window.logits[:, 0] for window in windows])
        assert ids.tolist() == chosen.ids(example).tolist()
        assert [window.first_piece for window in windows] == [3 * n for n in range(len(windows))]
    # The weights of an example's windows add up to those of any other.
    weights = np.concatenate([w.reshape(-1) for _, _, w in elements])
    assert weights.sum() == pytest.approx(len(chosen.by_row()))


def test_training_batches_have_the_targets_and_weights_of_windows(examples):
    rows, weights = examples.by_row(), examples.row_weights()
    feed = TrainingFeed(rows, Padded(batch_size=3, pad_id=0), seed=0, weights=weights)
    assert len(feed) == 3
    found, targets = [], []
    for inputs, answered, weight in feed.dataset(0).as_numpy_iterator():
        found += weight.tolist()
        targets += answered["targets"].tolist()
        for ids, (start, end) in zip(inputs["token_ids"], answered["targets"], strict=True):
            assert start == end
            following = ids[start + 1]  # the answer is the last piece of its context
            assert start == 0 or following == 3
    assert found == pytest.approx(weights[np.concatenate(feed.batches(0))])
    assert sorted(targets) == sorted(rows.targets.tolist())
