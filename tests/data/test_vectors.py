import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.vectors import add_vectors
from tests.data.batching.making import examples_of

LENGTHS = [3, 8, 5, 1, 8, 2, 7, 6, 4, 3, 5]
BATCHINGS = {
    "padded": lambda parts: Padded(batch_size=4, pad_id=0, parts=parts),
    "bucketed": lambda parts: Bucketed(batch_size=4, pad_id=0, max_length=8, parts=parts),
    "packed": lambda parts: Packed(batch_size=4, pad_id=0, max_length=8, parts=parts),
}


def _sums(view, seen):
    """Yield two vectors at a time, [sum of a text's ids, 1], from the last text to the first."""
    for start in range(0, len(view), 2):
        positions = np.arange(len(view))[::-1][start : start + 2]
        seen += view.rows[positions].tolist()
        yield positions, np.array([[view.ids(p).sum(), 1] for p in positions], np.float64)


def _with_vectors(path):
    """Return a view that has some texts twice and omits some, and the texts that were encoded."""
    examples, seen = examples_of(LENGTHS).select(np.array([9, 1, 1, 4, 0, 9, 6, 7])), []
    return add_vectors(examples, lambda view: _sums(view, seen), path), seen


def test_each_text_of_a_view_is_encoded_once_and_found_again(tmp_path):
    examples, seen = _with_vectors(tmp_path)
    assert sorted(seen) == [0, 1, 4, 6, 7, 9]
    there = np.arange(len(examples)) != 2
    expected = [[examples.ids(p).sum(), 1] if there[p] else [0, 0] for p in range(len(examples))]
    found = examples.vectors.at(examples.rows, there)
    assert found.dtype == np.float32
    assert found.tolist() == expected
    assert isinstance(examples.vectors.values.base, np.memmap)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", BATCHINGS)
@pytest.mark.parametrize("parts", [1, 3])
def test_batches_of_vectors_are_the_batches_of_ids(name, parts, tmp_path):
    examples, _ = _with_vectors(tmp_path)
    plain = examples_of(LENGTHS).select(np.array([9, 1, 1, 4, 0, 9, 6, 7]))
    weights = np.array([1.0, 2.0, 3.0])
    feeds = [
        TrainingFeed(e, BATCHINGS[name](parts), seed=1, weights=weights[e.targets])
        for e in (examples, plain)
    ]
    for positions, one, other in zip(
        feeds[0].parts(2), *(f.dataset(2).as_numpy_iterator() for f in feeds), strict=True
    ):
        (inputs, *answers), (_, *expected) = one, other
        tf.nest.map_structure(np.testing.assert_array_equal, answers, expected)
        vectors, there = inputs["vector"], answers[0]["example_mask"]
        assert vectors.shape == (*there.shape, 2)
        flat = np.concatenate([p.reshape(-1) for p in positions])
        own = vectors[there]
        assert own[:, 0].tolist() == [examples.ids(p).sum() for p in flat if p >= 0]
        assert not vectors[~there].any()


def test_evaluation_finds_every_vector(tmp_path):
    examples, _ = _with_vectors(tmp_path)
    feed = OrderedFeed(examples, BATCHINGS["packed"](1))
    rows = np.concatenate([x["vector"] for x, _ in feed.dataset().as_numpy_iterator()])
    assert feed.in_example_order(rows)[:, 0].tolist() == [examples.ids(p).sum() for p in range(8)]


def test_steps_on_vectors_read_no_tokens(tmp_path):
    examples, _ = _with_vectors(tmp_path)
    plain = examples_of(LENGTHS)
    assert TrainingFeed(examples, BATCHINGS["padded"](1), seed=0).tokens() == 0
    assert TrainingFeed(plain, BATCHINGS["padded"](1), seed=0).tokens(np.array([1, 3])) == 9
