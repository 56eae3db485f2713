"""Batches of questions, which hold the rows of all their options."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data import token_store
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed

# The rows of four questions with two options each; the third question lacks the second option.
ROWS = [[1, 9, 11], [1, 9, 12, 12], [2, 9, 21], [2, 9, 22], [3, 9, 31], [], [4, 9, 41], [4, 9, 42]]
TARGETS = [1, 0, 0, 1]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Return questions as a store holds them, whose text layer splits the rows of a text."""
    numbers = [" ".join(map(str, row)) for row in ROWS]
    texts = ["/".join(numbers[at : at + 2]) for at in range(0, len(ROWS), 2)]
    answers = {"text": texts, "pair": [""] * 4, "label": np.array(TARGETS, np.int64)}
    dataset = tf.data.Dataset.from_tensor_slices(answers)

    def layer(texts, pairs):
        rows = tf.strings.split(tf.strings.split(texts, "/").flat_values)
        ids = tf.ragged.map_flat_values(tf.strings.to_number, rows, tf.int32)
        return {"token_ids": ids, "segment_ids": tf.cast(ids > 10, tf.int32)}

    folder = tmp_path_factory.mktemp("store")
    return token_store.write(dataset, layer, folder, name="train", pairs=True, reads="options")


def test_store_has_the_rows_of_each_question(examples):
    assert len(examples) == 4
    assert examples.targets.tolist() == TARGETS
    assert examples.row_lengths.tolist() == [4, 3, 3, 3]
    assert examples.lengths.tolist() == [7, 6, 3, 6]
    assert examples.ids(1).tolist() == [2, 9, 21, 2, 9, 22]


def _rows(inputs) -> list[list[int]]:
    return [[i for i in row if i] for row in np.array(inputs["token_ids"]).tolist()]


def _expected(positions) -> list[list[int]]:
    return [row for at in positions for row in (ROWS[2 * at : 2 * at + 2] if at >= 0 else [[], []])]


@pytest.mark.parametrize("start", [0, 1])
def test_batch_holds_all_rows_of_its_questions(examples, start):
    feed = TrainingFeed(examples, Padded(batch_size=2, pad_id=0), seed=3)
    plan = feed.batches(epoch=0)[start:]
    batches = list(feed.dataset(0, start=start).as_numpy_iterator())
    assert len(batches) == len(plan)
    for positions, (inputs, answers) in zip(plan, batches, strict=True):
        assert _rows(inputs) == _expected(positions)
        segments = np.where(inputs["token_ids"] > 10, 1, 0)
        assert inputs["segment_ids"].tolist() == segments.tolist()
        assert answers["targets"].tolist() == [TARGETS[at] for at in positions]


def test_parts_without_a_question_are_rows_of_padding(examples):
    three = examples.select(np.array([2, 0, 1]))
    feed = TrainingFeed(three, Padded(batch_size=3, pad_id=0, parts=2), seed=3)
    ((inputs, answers),) = feed.dataset(0).as_numpy_iterator()
    assert inputs["token_ids"].shape[:2] == (2, 4)
    assert answers["example_mask"].tolist() == [[True, True], [True, False]]
    assert _rows({"token_ids": inputs["token_ids"][1]})[2:] == [[], []]


def test_outputs_are_put_in_the_order_of_the_questions(examples):
    feed = OrderedFeed(examples, Bucketed(batch_size=3, pad_id=0, max_length=8, multiple=2))
    outputs = []
    for inputs, _ in feed.dataset().as_numpy_iterator():
        outputs += (
            inputs["token_ids"].reshape(-1, 2, inputs["token_ids"].shape[1])[:, :, 0].tolist()
        )
    found = feed.in_example_order(np.array(outputs))
    assert found.tolist() == [[1, 1], [2, 2], [3, 0], [4, 4]]
