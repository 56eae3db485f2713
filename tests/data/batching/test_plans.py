"""Properties of the plans of all batchings, and of single ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.problems import per_example
from tests.data.batching.making import examples_of
from tests.matrix import examples

LONGEST = 50

LENGTHS = st.lists(st.integers(1, LONGEST), min_size=1, max_size=80)
SIZES = {
    "lengths": LENGTHS,
    "batch_size": st.one_of(st.none(), st.integers(1, 12)),
    "batch_tokens": st.one_of(st.none(), st.integers(1, 400)),
    "parts": st.integers(1, 4),
    "seed": st.integers(0, 3),
}


def _batching(cls, *, batch_size, batch_tokens, parts):
    if cls is Padded:
        return Padded(batch_size=batch_size or 16, pad_id=0, parts=parts)
    if batch_size is None and batch_tokens is None:
        batch_size = 16
    return cls(
        batch_size=batch_size,
        batch_tokens=batch_tokens,
        pad_id=0,
        max_length=LONGEST,
        parts=parts,
    )


def _join(parts) -> np.ndarray:
    positions = np.concatenate([part.reshape(-1) for part in parts])
    return positions[positions >= 0]


@pytest.mark.parametrize("cls", [Padded, Bucketed, Packed])
@examples(80)
@given(**SIZES, epoch=st.integers(0, 3))
def test_every_example_occurs_once_per_epoch_in_a_constant_number_of_batches(
    cls, lengths, batch_size, batch_tokens, parts, seed, epoch
):
    batching = _batching(cls, batch_size=batch_size, batch_tokens=batch_tokens, parts=parts)
    feed = TrainingFeed(examples_of(lengths), batching, seed=seed)
    plan = feed.parts(epoch)
    assert len(plan) == len(feed)
    assert all(len(batch) == parts and len(_join(batch)) >= 1 for batch in plan)
    assert sorted(np.concatenate([_join(batch) for batch in plan])) == list(range(len(lengths)))


def test_epoch_is_planned_once_however_often_its_length_is_asked(monkeypatch):
    plans, plan = [], Padded.plan
    monkeypatch.setattr(Padded, "plan", lambda *given: plans.append(1) or plan(*given))
    feed = TrainingFeed(examples_of([3, 4, 5]), Padded(batch_size=2, pad_id=0), seed=0)
    assert [len(feed), len(feed)] == [2, 2]
    assert len(plans) == 1


@pytest.mark.parametrize("cls", [Bucketed, Packed])
@examples(60)
@given(**SIZES)
def test_batch_is_within_its_bounds(cls, lengths, batch_size, batch_tokens, parts, seed):
    batching = _batching(cls, batch_size=batch_size, batch_tokens=batch_tokens, parts=parts)
    feed = TrainingFeed(examples_of(lengths), batching, seed=seed)
    for batch, (inputs, answers) in zip(
        feed.parts(0), feed.dataset(0).as_numpy_iterator(), strict=True
    ):
        assert answers["targets"].ndim == 1 + (parts > 1)
        if batching.batch_size is not None:
            assert len(_join(batch)) <= batching.batch_size
        rows = inputs["token_ids"].size // inputs["token_ids"].shape[-1]
        if batch_tokens is not None and rows > parts:
            assert inputs["token_ids"].size <= batch_tokens


@pytest.mark.parametrize("cls", [Padded, Bucketed, Packed])
def test_plan_depends_on_seed_and_epoch_only(cls):
    examples = examples_of(np.random.default_rng(0).integers(1, LONGEST, size=300))
    batching = _batching(cls, batch_size=8, batch_tokens=None, parts=1)

    def plan(seed, epoch):
        batches = TrainingFeed(examples, batching, seed=seed).batches(epoch)
        return [batch.tolist() for batch in batches]

    assert plan(1, 3) == plan(1, 3)
    assert plan(1, 3) != plan(1, 4)
    assert plan(1, 3) != plan(2, 3)
    assert {frozenset(b) for b in plan(1, 3)} != {frozenset(b) for b in plan(1, 4)}


@pytest.mark.parametrize("cls", [Padded, Bucketed, Packed])
@pytest.mark.parametrize("parts", [1, 3])
def test_element_holds_the_examples_of_its_batch(cls, parts):
    examples = examples_of([9, 30, 4, 4, 17, 50, 1, 12, 33, 8, 2], pairs=True)
    batching = _batching(cls, batch_size=4, batch_tokens=None, parts=parts)
    feed = TrainingFeed(examples, batching, seed=0, weights=examples.targets + 2.0)
    for batch, element in zip(feed.batches(1), feed.dataset(1).as_numpy_iterator(), strict=True):
        inputs, answers, weights = element
        labels, there = answers["targets"], answers["example_mask"]
        assert sorted(labels[there]) == sorted(examples.targets[batch])
        assert weights[there].tolist() == (labels[there] + 2).tolist()
        assert not weights[~there].any()
        ids, segments = inputs["token_ids"], inputs["segment_ids"]
        assert (ids != 0).sum() == examples.lengths[batch].sum()
        assert segments.sum() == (examples.lengths[batch] - examples.second_starts[batch]).sum()
        assert not segments[ids == 0].any()


@pytest.mark.parametrize("cls", [Padded, Bucketed, Packed])
@pytest.mark.parametrize("replicas", [1, 2])
def test_evaluation_sees_every_example_once(cls, replicas):
    examples = examples_of([9, 30, 4, 4, 17, 50, 1, 12, 33, 8, 2])
    feed = OrderedFeed(examples, _batching(cls, batch_size=4, batch_tokens=None, parts=1))
    shares = [
        list(feed.dataset(replica=r, replicas=replicas).as_numpy_iterator())
        for r in range(replicas)
    ]
    labels = np.concatenate(
        [answers["targets"] for step in zip(*shares, strict=True) for _, answers in step]
    )
    assert feed.in_example_order(labels).tolist() == examples.targets.tolist()


def _padding(batching, examples) -> float:
    elements = TrainingFeed(examples, batching, seed=0).dataset(0).as_numpy_iterator()
    rows = [inputs["token_ids"] for inputs, _ in elements]
    return sum((r == 0).sum() for r in rows) / sum(r.size for r in rows)


def test_little_is_padding():
    examples = examples_of(np.random.default_rng(0).integers(10, 400, size=1000))
    sizes = {"pad_id": 0, "max_length": 400}
    assert _padding(Padded(batch_size=16, pad_id=0), examples) > 0.4
    assert _padding(Bucketed(batch_size=16, **sizes), examples) < 0.06
    assert _padding(Packed(batch_size=32, **sizes), examples) < 0.1


def test_bucketed_batches_have_few_sizes():
    examples = examples_of(np.random.default_rng(0).integers(1, 100, size=400))
    batching = Bucketed(batch_size=8, pad_id=0, max_length=100, multiple=32)
    elements = TrainingFeed(examples, batching, seed=0).dataset(0).as_numpy_iterator()
    assert {inputs["token_ids"].shape[1] for inputs, _ in elements} == {32, 64, 96, 100}


def test_bucketed_batches_come_in_random_order():
    lengths = np.random.default_rng(0).integers(1, LONGEST, size=2000)
    batching = Bucketed(batch_size=8, pad_id=0, max_length=LONGEST, multiple=4)
    batches = TrainingFeed(examples_of(lengths), batching, seed=0).batches(0)
    longest = np.array([lengths[batch].max() for batch in batches])
    assert abs(np.corrcoef(longest[1:], longest[:-1])[0, 1]) < 0.2
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.2


@pytest.mark.parametrize("bounds", [{"batch_size": 16}, {"batch_size": None, "batch_tokens": 640}])
@pytest.mark.parametrize("parts", [1, 2])
def test_packed_batches_have_one_shape(bounds, parts):
    examples = examples_of(np.random.default_rng(0).integers(1, 161, size=500))
    batching = Packed(pad_id=0, max_length=160, parts=parts, **bounds)
    feed = TrainingFeed(examples, batching, seed=0)
    for epoch in range(3):
        element = feed.dataset(epoch).element_spec
        assert all(
            spec.shape.is_fully_defined() for spec in (*element[0].values(), *element[1].values())
        )
        assert element == feed.dataset(0).element_spec
        if "batch_tokens" in bounds:
            assert element[0]["token_ids"].shape.num_elements() == 640


def test_packed_batches_mix_all_lengths():
    lengths = np.random.default_rng(0).integers(1, 161, size=1600)
    batching = Packed(batch_size=16, pad_id=0, max_length=160)
    batches = TrainingFeed(examples_of(lengths), batching, seed=0).batches(0)
    totals = np.array([lengths[batch].sum() for batch in batches])
    assert totals.std() < 0.02 * totals.mean()
    batches_with_first = [
        set(b)
        for epoch in (0, 1)
        for b in TrainingFeed(examples_of(lengths), batching, seed=0).batches(epoch)
        if 0 in b
    ]
    assert len(batches_with_first[0] & batches_with_first[1]) < 4


@pytest.mark.parametrize(
    ("argument", "value"),
    [("batch_size", 0), ("batch_tokens", 0), ("parts", 0), ("max_length", 0), ("batch_size", 1.5)],
)
@pytest.mark.parametrize("cls", [Bucketed, Packed])
def test_bad_size_is_named(cls, argument, value):
    with pytest.raises(ValueError, match=f"`{argument}` must be .*Received: {value}"):
        cls(**{"batch_size": 2, "pad_id": 0, "max_length": 8, argument: value})


def test_padded_does_not_support_batch_tokens():
    with pytest.raises(ValueError, match="padded does not support `batch_tokens`; .* Received: 64"):
        Padded(batch_size=2, pad_id=0, batch_tokens=64)


@pytest.mark.parametrize("cls", [Padded, Bucketed, Packed])
def test_batch_reads_its_own_targets_alone(cls):
    # There may be millions of others, which take longer to look up than the step takes.
    stored = examples_of([3, 9, 4, 7, 5, 8, 6, 2])
    chosen, seen = stored.select(np.array([5, 0, 7, 2, 3])), []

    def collate(targets, positions):
        seen.append(len(targets))
        return per_example(targets, positions)

    batching = _batching(cls, batch_size=2, batch_tokens=None, parts=1)
    feed = TrainingFeed(chosen, batching, seed=0, collate=collate)
    for batch, (_, answers) in zip(feed.parts(0), feed.dataset(0), strict=True):
        places = batch[0].reshape(-1)
        filled = places >= 0
        found = answers["targets"].numpy()
        assert (found[filled] == stored.stored_targets[chosen.rows[places[filled]]]).all()
        assert (answers["example_mask"].numpy() == filled).all()
        assert not found[~filled].any()
    # The first batch is made twice, once for its type.
    assert seen[1:] == [batch[0].size for batch in feed.parts(0)]
