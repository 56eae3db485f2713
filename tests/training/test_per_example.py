"""The gradients of a private step are those of its examples, one at a time."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.privacy import Sampling
from ftkeras.privacy.dp_sgd import DPSGD
from tests.matrix import matrix
from tests.strategies import tiny
from tests.strategies.tiny import Setting

COUNT, CLIP = 5, 0.3
RUN = Sampling(examples=COUNT, batch_size=COUNT, steps=1)
POLICIES = {
    "full": (),
    "lora": ("lora(rank=2)",),
    "bitfit": ("bitfit",),
    "adapters": ("adapters(size=2)",),
    "head_only": ("head_only",),
    "freeze": ("freeze(layers=1)",),
}
REGULARIZERS = ("r_drop", "fgm", "freelb", "smart", "confidence_penalty", "embedding_noise")


class Kept:
    """A mechanism that keeps the sums instead of releasing them with noise."""

    def __init__(self, clip: float):
        self.inner = DPSGD(noise=0.0, clip=clip, delta=0.1, sampling=RUN)
        self.add = self.inner.add

    def release(self, sums, step):
        self.sums = [total.numpy() for total in sums]
        return sums


def _batch(examples):
    """Return each example as a micro-batch of one row: ids [examples, 1, 8], and classes."""
    ids = np.zeros((len(examples), 1, 8), np.int32)
    for position in range(len(examples)):
        own = examples.ids(position)
        ids[position, 0, : len(own)] = own
    return ids, examples.targets[:, None]


def _sums(model, ids, labels, clip=CLIP):
    """Return the sums of the clipped gradients, by an eager step."""
    kept = Kept(clip)
    model.private = kept
    model.train_step(({"token_ids": tf.constant(ids)}, tf.constant(labels)))
    return kept.sums


def _alone(model, ids, label):
    """Return the gradients of the loss of one text alone, without padding, float64."""
    with tf.GradientTape() as tape:
        logits = model({"token_ids": ids[ids > 0][None]}, training=True)
        loss = model.compute_loss(None, label[None], logits, training=True)
    variables = [v.value for v in model.trainable_variables]
    found = tape.gradient(loss, variables)
    return [tf.convert_to_tensor(g).numpy().astype(float) for g in found]


def _setting(**settings):
    # A learning rate of 0 leaves the weights as they are.
    return Setting(optimizer="sgd", rate=0.0, clip_norm=0.0, **settings)


@pytest.mark.parametrize("policy", matrix(POLICIES, default=["full", "lora"]))
def test_sums_are_those_of_clipped_gradients_one_at_a_time(policy):
    model, _ = tiny.compiled(_setting(policy=POLICIES[policy]))
    ids, labels = _batch(tiny.examples(COUNT))
    expected, norms = None, []
    for text, label in zip(ids, labels[:, 0], strict=True):
        gradients = _alone(model, text[0], label)
        norms.append(np.sqrt(sum((g**2).sum() for g in gradients)))
        clipped = [g * min(1, CLIP / norms[-1]) for g in gradients]
        before = expected or [np.zeros_like(g) for g in gradients]
        expected = [a + b for a, b in zip(before, clipped, strict=True)]
    assert max(norms) > CLIP
    for found, wanted in zip(_sums(model, ids, labels), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("name", matrix(REGULARIZERS, default=["r_drop"]))
def test_one_more_example_changes_a_step_by_at_most_the_clip(name):
    model, _ = tiny.compiled(_setting(regularizer=(name,)))
    ids, labels = _batch(tiny.examples(COUNT))
    # Examples before it draw the same random numbers, with and without it.
    streams = [v for v in model.variables if "seed" in v.path]
    streams += [v for r in model.regularizers for v in r.variables]
    state = [v.numpy() for v in streams]
    with_it = _sums(model, ids, labels, clip=0.01)
    for variable, before in zip(streams, state, strict=True):
        variable.assign(before)
    without = _sums(model, ids[:-1], labels[:-1], clip=0.01)
    change = np.sqrt(
        sum(((a - b).astype(float) ** 2).sum() for a, b in zip(with_it, without, strict=True))
    )
    assert 0.009 < change < 0.01 * (1 + 1e-5)


def test_part_without_an_example_adds_nothing():
    model, _ = tiny.compiled(_setting())
    ids, labels = _batch(tiny.examples(COUNT))
    expected = _sums(model, ids, labels)
    kept = Kept(CLIP)
    model.private = kept
    padded = np.concatenate([ids, np.zeros_like(ids[:2])])
    answers = {
        "targets": tf.constant(np.concatenate([labels, labels[:2]])),
        "example_mask": tf.constant(np.arange(COUNT + 2)[:, None] < COUNT),
    }
    model.train_step(({"token_ids": tf.constant(padded)}, answers))
    for found, wanted in zip(kept.sums, expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.matrix
def test_noise_is_added_by_its_seed():
    setting = Setting(private=1.3, optimizer="sgd", rate=0.1)
    noisy, again = tiny.run(setting), tiny.run(setting)
    silent = tiny.run(dataclasses.replace(setting, private=0.0))
    for path, weights in noisy.weights.items():
        np.testing.assert_array_equal(again.weights[path], weights)
        assert not np.array_equal(silent.weights[path], weights), path
