import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data import token_store
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from tests.matrix import matrix

TEXTS = [b"a", b"bb cc dd", b"", b"e f", b"g h i j k", b"a"]
LABELS = [0, 1, 0, 1, 1, 0]


def _text_layer(texts, pairs=None):
    """Make each byte a token, preceded by a 1 so that no text is empty."""

    def ids(strings):
        values = tf.cast(tf.strings.unicode_decode(strings, "UTF-8"), tf.int32)
        return tf.concat([tf.ones_like(values[:, :1].to_tensor(shape=[None, 1])), values], axis=1)

    first = ids(texts)
    if pairs is None:
        return {"token_ids": first}
    second = ids(pairs)
    segments = tf.concat([tf.zeros_like(first), tf.ones_like(second)], axis=1)
    return {"token_ids": tf.concat([first, second], axis=1), "segment_ids": segments}


def _expected(text: bytes) -> list[int]:
    return [1, *text]


@pytest.fixture(autouse=True)
def few_texts_a_step(monkeypatch):
    monkeypatch.setattr(token_store, "TEXTS_PER_STEP", 4)


@pytest.fixture
def examples(tmp_path):
    dataset = tf.data.Dataset.from_tensor_slices({"text": TEXTS, "label": np.int64(LABELS)})
    return token_store.write(dataset, _text_layer, tmp_path, name="train")


@pytest.fixture
def pairs(tmp_path):
    columns = {"text": TEXTS, "pair": TEXTS[::-1], "label": np.int64(LABELS)}
    dataset = tf.data.Dataset.from_tensor_slices(columns)
    return token_store.write(dataset, _text_layer, tmp_path, name="train", pairs=True)


def test_store_keeps_every_text_in_order(examples):
    assert [examples.ids(i).tolist() for i in range(len(examples))] == list(map(_expected, TEXTS))
    assert examples.targets.tolist() == LABELS
    assert examples.lengths.tolist() == [1 + len(text) for text in TEXTS]


def test_equal_texts_have_equal_digests(examples):
    _, counts = np.unique(examples.digests, return_counts=True)
    assert sorted(counts) == [1, 1, 1, 1, 2]


def test_token_ids_stay_on_disk(examples):
    assert isinstance(examples.token_ids, np.memmap)


def test_view_holds_the_examples_asked_for(examples):
    view = examples.select(np.array([4, 1])).select(np.array([1]), name="validation")
    assert (len(view), view.name, view.ids(0).tolist()) == (1, "validation", _expected(TEXTS[1]))


def test_empty_dataset_gives_no_examples(tmp_path):
    dataset = tf.data.Dataset.from_tensor_slices({"text": TEXTS, "label": np.int64(LABELS)}).take(0)
    assert len(token_store.write(dataset, _text_layer, tmp_path, name="none")) == 0


def test_batch_is_padded_to_its_longest(examples):
    batch = Padded(batch_size=2, pad_id=9).collate(examples, np.array([0, 3]))
    assert batch["token_ids"].tolist() == [[1, 97, 9, 9], [1, *b"e f"]]


def test_pairs_have_segment_ids(pairs):
    batch = Padded(batch_size=2, pad_id=9).collate(pairs, np.array([0, 2]))
    assert batch["token_ids"].tolist() == [[1, 97, 1, 97, 9], [1, 1, *b"e f"]]
    assert batch["segment_ids"].tolist() == [[0, 0, 1, 1, 0], [0, 1, 1, 1, 1]]


def _epoch(examples, *, seed: int, epoch: int) -> list[list[int]]:
    feed = TrainingFeed(examples, Padded(batch_size=2, pad_id=0), seed=seed)
    return [a["targets"].tolist() for _, a in feed.dataset(epoch).as_numpy_iterator()]


def test_order_depends_on_seed_and_epoch_only(examples):
    wide = examples.select(np.tile(np.arange(6), 20))
    assert _epoch(wide, seed=1, epoch=3) == _epoch(wide, seed=1, epoch=3)
    assert _epoch(wide, seed=1, epoch=3) != _epoch(wide, seed=1, epoch=4)
    assert _epoch(wide, seed=1, epoch=3) != _epoch(wide, seed=2, epoch=3)


def test_epoch_can_be_resumed_at_any_batch(examples):
    wide = examples.select(np.tile(np.arange(6), 20))
    feed = TrainingFeed(wide, Padded(batch_size=2, pad_id=0), seed=1)
    rest = [a["targets"].tolist() for _, a in feed.dataset(4, start=57).as_numpy_iterator()]
    assert rest == _epoch(wide, seed=1, epoch=4)[57:]
    assert len(feed.dataset(4, start=57)) == 3


def test_row_without_an_example_is_padding(pairs):
    batch = Padded(batch_size=2, pad_id=9).collate(pairs, np.array([2, -1]))
    assert batch["token_ids"].tolist() == [[1, 1, *b"e f"], [9] * 5]
    assert batch["segment_ids"].tolist() == [[0, 1, 1, 1, 1], [0] * 5]


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    batch_size=st.integers(1, 9),
    parts=st.integers(1, 4),
    seed=st.integers(0, 5),
)
def test_every_example_occurs_once_per_epoch(lengths, batch_size, parts, seed):
    order = np.random.default_rng(seed).permutation(len(lengths))
    plan = Padded(batch_size=batch_size, pad_id=0, parts=parts).plan(np.array(lengths), order)
    assert {len(batch) for batch in plan} == {parts}
    batches = [np.concatenate(batch) for batch in plan]
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(positions) == batch_size for positions in batches[:-1])
    assert 1 <= len(batches[-1]) <= batch_size


def _feed(examples, *, parts: int, weights=None) -> TrainingFeed:
    """Return a feed of two batches, of 4 and of 2 examples."""
    batching = Padded(batch_size=4, pad_id=9, parts=parts)
    return TrainingFeed(
        examples, batching, seed=1, weights=None if weights is None else weights[examples.targets]
    )


def test_micro_batches_are_stacked_on_a_leading_axis(examples):
    weights = np.array([1, 5], np.float32)
    feed = _feed(examples, parts=3, weights=weights)
    elements = list(feed.dataset(0).as_numpy_iterator())
    for batch, (inputs, answers, weighted) in zip(feed.parts(0), elements, strict=True):
        labels, there = answers["targets"], answers["example_mask"]
        rows, width = (max(map(len, batch)), examples.lengths[np.concatenate(batch)].max())
        assert inputs["token_ids"].shape == (3, rows, width)
        assert labels.shape == there.shape == weighted.shape == (3, rows)
        columns = (batch, inputs["token_ids"], labels, there, weighted)
        for part, ids, own, mask, scale in zip(*columns, strict=True):
            texts = [row[row != 9].tolist() for row in ids]
            missing = rows - len(part)
            assert texts == [*(examples.ids(p).tolist() for p in part), *[[]] * missing]
            assert own.tolist() == [*examples.targets[part], *[0] * missing]
            assert mask.tolist() == [*[True] * len(part), *[False] * missing]
            assert scale.tolist() == [*weights[examples.targets[part]], *[0] * missing]


def test_replicas_share_a_batch_by_its_parts(examples):
    feed = _feed(examples, parts=4)
    for micro_batches, replicas in ((1, 4), (2, 2)):
        shares = [
            list(feed.dataset(2, replica=r, replicas=replicas).as_numpy_iterator())
            for r in range(replicas)
        ]
        for parts, elements in zip(feed.parts(2), zip(*shares, strict=True), strict=True):
            labels, there = (
                np.concatenate([a[name].reshape(micro_batches, -1) for _, a in elements])
                for name in ("targets", "example_mask")
            )
            for part, own, mask in zip(parts, labels, there, strict=True):
                assert own[mask].tolist() == examples.targets[part].tolist()


def test_part_without_an_example_is_a_row_of_padding(examples):
    last = list(_feed(examples, parts=4).dataset(0, replica=3, replicas=4).as_numpy_iterator())[-1]
    inputs, answers = last
    assert inputs["token_ids"].tolist() == [[9]]
    assert answers["example_mask"].tolist() == [False]


def test_replicas_that_do_not_divide_the_parts_are_refused(examples):
    with pytest.raises(ValueError, match="`replicas` must divide .*4 parts. Received: 3"):
        _feed(examples, parts=4).dataset(0, replicas=3)


def test_evaluation_order_can_be_undone(examples):
    feed = OrderedFeed(examples, Padded(batch_size=4, pad_id=0))
    batches = list(feed.dataset().as_numpy_iterator())
    labels = np.concatenate([answers["targets"] for _, answers in batches])
    assert feed.in_example_order(labels).tolist() == LABELS
    widths = [inputs["token_ids"].shape[1] for inputs, _ in batches]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("parts", matrix([1, 2], default=[2]))
@pytest.mark.parametrize("replicas", matrix([1, 2, 4], default=[1, 4]))
def test_evaluation_is_sharded_evenly_and_put_back_in_order(examples, parts, replicas):
    feed = OrderedFeed(examples, Padded(batch_size=3, pad_id=0, parts=parts))
    shares = [
        list(feed.dataset(replica=r, replicas=replicas).as_numpy_iterator())
        for r in range(replicas)
    ]
    elements = [element for step in zip(*shares, strict=True) for element in step]
    rows = np.concatenate([inputs["token_ids"].sum(axis=1) for inputs, _ in elements])
    assert feed.in_example_order(rows).tolist() == [
        examples.ids(i).sum() for i in range(len(examples))
    ]
    labels, there = (
        np.concatenate([answers[name] for _, answers in elements])
        for name in ("targets", "example_mask")
    )
    assert sorted(labels[there]) == sorted(LABELS)
