"""Masks of a batch: independent of how texts are batched, on special tokens never."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.masker import Masker
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from ftkeras.heads.masked_lm import MaskedLm
from ftkeras.losses.cross_entropy import CrossEntropy
from ftkeras.maskings.tokens import Tokens
from ftkeras.maskings.words import Words
from ftkeras.optimizers.sgd import SGD
from ftkeras.problems.masked_lm import MaskedLm as Problem
from ftkeras.text.pieces import Pieces
from ftkeras.training.finetuner import FineTuner
from ftkeras.training.validation import predict_in_order
from tests.strategies import tiny

PAD, MASK, FRAME = 0, 19, (17, 18)
SIZES = {"batch_size": 4, "pad_id": PAD}
BATCHINGS = {
    "padded": Padded(**SIZES),
    "bucketed": Bucketed(**SIZES, max_length=24),
    "packed": Packed(**SIZES, max_length=24),
    "in parts": Packed(**SIZES, max_length=24, parts=2),
}


class Vocabulary:
    vocabulary = (*map(str, range(19)), "[MASK]", "##x")
    pad_id, unknown_id, special_ids = PAD, 1, FRAME


def texts(count=13):
    """Return texts that start and end with special tokens."""
    found = tiny.examples(count, longest=20)
    ids = 2 + found.token_ids % 15
    ids[found.offsets[:-1]], ids[found.offsets[1:] - 1] = FRAME
    return dataclasses.replace(found, token_ids=ids.astype(np.int32), token_targets=ids)


@pytest.fixture
def masker():
    pieces = Pieces(Vocabulary(), [True] * 20 + [False])
    return Masker(Tokens(rate=0.3), pieces, seed=5)


def masks(feed, epoch=0):
    """Return what each text of an epoch has become, and its targets, by the text's own ids."""
    found = {}
    for inputs, answers in feed.dataset(epoch).as_numpy_iterator():
        parts = inputs["token_ids"].ndim == 3
        pairs = (inputs["token_ids"], inputs["places"], *answers.values())
        for ids, places, *rest in zip(*(pairs if parts else [[a] for a in pairs]), strict=True):
            targets, used = sorted(rest, key=lambda a: a.dtype == bool)
            whole = ids.ravel().copy()
            whole[places[used]] = targets[used]
            for start in np.flatnonzero(whole == FRAME[0]):
                length = np.flatnonzero(whole[start:] == FRAME[1])[0] + 1
                at = slice(start, start + length)
                inside = used & (places >= at.start) & (places < at.stop)
                key = tuple(whole[at].tolist())
                found[key] = ids.ravel()[at].tolist(), (places[inside] - start).tolist()
    return found


@pytest.mark.parametrize("name", ["bucketed", "packed", "in parts"])
def test_masks_of_a_text_do_not_depend_on_its_batch(name, masker):
    examples = texts()
    padded, other = (
        masks(TrainingFeed(examples, BATCHINGS[n], seed=1, masker=masker)) for n in ("padded", name)
    )
    assert len(padded) == len({examples.ids(n).tobytes() for n in range(len(examples))}) > 10
    assert other == padded


def test_masks_are_new_in_each_epoch_and_the_same_when_repeated(masker):
    feed = TrainingFeed(texts(), BATCHINGS["packed"], seed=1, masker=masker)
    assert masks(feed, 0) == masks(feed, 0)
    assert masks(feed, 0) != masks(feed, 1)


def test_special_tokens_are_neither_chosen_nor_used_as_replacements(masker):
    for epoch in range(5):
        feed = TrainingFeed(texts(), BATCHINGS["padded"], seed=1, masker=masker)
        for text, (masked, places) in masks(feed, epoch).items():
            inner = len(text) - 2
            assert len(places) == min(inner, max(1, round(0.3 * inner + 1e-9))) or inner == 0
            assert not {0, len(text) - 1} & set(places)
            changed = [new for old, new in zip(text, masked, strict=True) if new != old]
            assert not {PAD, 1, *FRAME} & set(changed)


@pytest.mark.parametrize("name", sorted(BATCHINGS))
def test_batches_of_one_shape_have_one_number_of_slots(name, masker):
    feed = TrainingFeed(texts(), BATCHINGS[name], seed=1, masker=masker)
    shapes = {}
    for epoch in range(3):
        for inputs, answers in feed.dataset(epoch).as_numpy_iterator():
            assert inputs["places"].shape == answers["targets"].shape
            shapes.setdefault(inputs["token_ids"].shape, set()).add(inputs["places"].shape)
            assert answers["example_mask"].any(axis=-1).all()
    assert all(len(slots) == 1 for slots in shapes.values())


def test_split_without_a_masked_token_is_refused(masker):
    masker.check(texts())
    masker.masking = Words(rate=0.15)
    one = {"token_ids": np.array([FRAME[0], 5, 20, FRAME[1]] * 3, np.int32)}
    short = dataclasses.replace(texts(3), **one, offsets=np.arange(0, 13, 4))
    with pytest.raises(UserError, match="`masking`: no token of .* is masked"):
        masker.check(short)


@pytest.mark.parametrize("name", ["padded", "packed"])
def test_outputs_of_an_evaluation_come_back_by_text(name, masker):
    feed = OrderedFeed(texts(), BATCHINGS[name], masker=masker)
    rows = [answers["targets"] for _, answers in feed.dataset().as_numpy_iterator()]
    found = feed.in_example_order(np.concatenate(rows)[:, None])
    assert len(found) == 13
    for position, values in enumerate(found):
        left = feed.examples.ids(position).tolist()
        for value in values[:, 0].tolist():
            left.remove(value)  # each is a token of its own text


def test_interrupted_epoch_goes_on_with_the_same_masks(masker):
    feed = TrainingFeed(texts(), BATCHINGS["packed"], seed=1, masker=masker)
    whole, rest = (list(feed.dataset(2, start=n).as_numpy_iterator()) for n in (0, 2))
    for (inputs, answers), (inputs_again, answers_again) in zip(whole[2:], rest, strict=True):
        assert {n: a.tobytes() for n, a in inputs.items()} == {
            n: a.tobytes() for n, a in inputs_again.items()
        }
        assert {n: a.tobytes() for n, a in answers.items()} == {
            n: a.tobytes() for n, a in answers_again.items()
        }


@pytest.fixture(scope="module")
def model():
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    encoder = Bert(vocabulary_size=21, layers=2, hidden=8, heads=2, positions=24, seed=1, **off)
    return FineTuner(
        encoder=encoder, head=MaskedLm(seed=1), pad_id=PAD, condense=Problem().condense
    )


@pytest.mark.parametrize("name", ["packed", "bucketed"])
def test_outputs_do_not_depend_on_how_texts_are_batched(name, masker, model):
    found = [
        predict_in_order(model, OrderedFeed(texts(), BATCHINGS[n], masker=masker))
        for n in ("padded", name)
    ]
    np.testing.assert_array_equal(found[0].lengths, found[1].lengths)
    np.testing.assert_allclose(found[0].flat(), found[1].flat(), rtol=1e-5)


def test_gradients_of_parts_add_up_to_those_of_the_whole_batch(masker, model):
    def gradients(parts):
        batching = Packed(**SIZES, max_length=24, parts=parts)
        feed = TrainingFeed(texts(), batching, seed=1, masker=masker)
        inputs, answers = next(iter(feed.dataset(0)))
        model.compile(optimizer=SGD(learning_rate=0.1), loss=CrossEntropy(), accumulate=parts)
        count = tf.reduce_sum(tf.cast(answers["example_mask"], tf.float32))
        compute = model._gradients if parts == 1 else model._accumulated_gradients
        return [tf.convert_to_tensor(g).numpy() for g in compute(inputs, answers, None, count)]

    model.encoder.pool.trainable = False
    for one, two in zip(gradients(1), gradients(2), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
