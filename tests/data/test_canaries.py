import numpy as np
import pytest

from ftkeras.config.run import Config
from ftkeras.data import canaries
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from tests.data.test_splits import Colors, _one_token


class _Layer:
    """Stand in for a text layer that replaces nothing."""

    redacted = staticmethod(lambda texts: texts)
    __call__ = staticmethod(_one_token)


def _config(**settings) -> Config:
    return Config(cache_dir="none", **settings)


def test_texts_are_random_and_differ():
    made = canaries.texts(500, seed=3)
    assert len(set(made)) == 500
    assert made == canaries.texts(500, seed=3)
    assert not set(made) & set(canaries.texts(500, seed=4))


def test_canaries_are_behind_the_training_texts_and_nowhere_else():
    with (
        open_splits(_config(), Colors(), _Layer()) as plain,
        open_splits(_config(canaries=5), Colors(), _Layer()) as splits,
    ):
        train, own = splits.train, len(plain.train)
        assert train.rows[:own].tolist() == plain.train.rows.tolist()
        assert train.targets[:own].tolist() == plain.train.targets.tolist()
        assert splits.validation.rows.tolist() == plain.validation.rows.tolist()
        assert splits.test.rows.tolist() == plain.test.rows.tolist()
        planted, candidates = splits.canaries()
        assert planted.rows.tolist() == train.rows[own:].tolist() == [100, 101, 102, 103, 104]
        read = [
            [one["text"].decode() for one in splits.raw_texts(e, np.arange(len(e)))]
            for e in (planted, candidates)
        ]
        assert [*read[0], *read[1]] == canaries.texts(1005, seed=0)
        # Both get their answers from the same distribution: 60, 30 and 10 %.
        shares = np.bincount(candidates.targets, minlength=3) / 1000
        np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.08)


def test_canaries_of_pairs_are_two_texts():
    targets = np.array([0, 1, 1])
    (first, *_) = canaries.planted(targets, 2, seed=0, pairs=True).as_numpy_iterator()
    assert first["text"] != first["pair"]


def test_two_splits_are_joined_in_one_view():
    with open_splits(_config(canaries=5), Colors(), _Layer()) as splits:
        first, second = splits.train.select(np.arange(90, 95)), splits.test.select(np.arange(3))
        joined = splits.joined(first, second)
        assert joined.targets.tolist() == [*first.targets, *second.targets]
        assert joined.digests.tolist() == [*first.digests, *second.digests]
        same = splits.joined(splits.train, splits.train)
        assert same.rows.tolist() == [*splits.train.rows] * 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (
            {"task": "masked_lm(train='a.txt')", "export": ("none",)},
            "`canaries` can't be used with a",
        ),
        ({"canaries": 1}, "`canaries` must be 0 or at least 2"),
    ],
)
def test_canaries_that_can_not_be_planted_are_refused(settings, reason):
    with pytest.raises(UserError, match=reason):
        checks.check(_config(**{"canaries": 5, **settings}))
