"""Maskings: the tokens that they choose, against closed forms."""

import numpy as np
import pytest

from ftkeras import catalog
from ftkeras.errors import UserError
from ftkeras.maskings import KEPT, MASKED, RANDOM
from tests import contracts

TEXTS, TOKENS = 1000, 40
NAMES = catalog.names("masking")


def sample(masking, starts, texts=TEXTS):
    return [masking(starts, np.random.default_rng((7, text))) for text in range(texts)]


def deviation(count, share, total):
    """Return how many standard deviations a binomial count is from its mean."""
    return abs(count - share * total) / np.sqrt(total * share * (1 - share))


def starts_of(*lengths):
    starts = np.zeros(sum(lengths), bool)
    starts[np.cumsum((0, *lengths))[:-1]] = True
    return starts


@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_each_token_is_chosen_with_the_same_probability(rate):
    found = sample(contracts.make("masking", "tokens", rate=rate), np.ones(TOKENS, bool))
    assert {len(one.places) for one in found} == {round(rate * TOKENS)}
    counts = np.bincount(np.concatenate([one.places for one in found]), minlength=TOKENS)
    assert max(deviation(count, rate, TEXTS) for count in counts) < 4


@pytest.mark.parametrize("name", NAMES)
def test_chosen_tokens_are_masked_random_or_kept_as_often_as_asked_for(name):
    starts = np.ones(TOKENS, bool)
    found = sample(contracts.make("masking", name, mask=0.7, random=0.2), starts)
    became = np.concatenate([one.becomes for one in found])
    # The tokens of a span become the same: their number is less than it seems.
    groups = 3.2 if name == "spans" else 1.0
    for kind, share in ((MASKED, 0.7), (RANDOM, 0.2), (KEPT, 0.1)):
        assert deviation((became == kind).sum(), share, len(became)) < 4 * groups


@pytest.mark.parametrize("name", NAMES)
def test_choice_depends_on_the_random_numbers_alone(name):
    masking, starts = contracts.make("masking", name), starts_of(3, 1, 4, 1, 5, 9, 2, 6)
    first, again, other = (masking(starts, np.random.default_rng(s)) for s in (1, 1, 2))
    assert first.places.tolist() == again.places.tolist()
    assert first.becomes.tolist() == again.becomes.tolist()
    assert first.places.tolist() != other.places.tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tokens", [1, 2, 3, 30])
def test_no_more_tokens_are_chosen_than_there_are_slots(name, tokens):
    masking = contracts.make("masking", name, rate=0.3)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        places = masking(rng.random(tokens) < 0.6, rng).places
        assert len(places) <= masking.most(tokens)
        assert len(np.unique(places)) == len(places)
        assert (np.diff(places) > 0).all()


@pytest.mark.parametrize("name", ["words", "spans"])
def test_words_are_chosen_whole(name):
    lengths = (1, 2, 3, 2, 1, 1, 2, 4, 1, 3)
    starts, masking = starts_of(*lengths), contracts.make("masking", name, rate=0.4)
    word = np.repeat(np.arange(len(lengths)), lengths)
    for found in sample(masking, starts, 200):
        words, counts = np.unique(word[found.places], return_counts=True)
        assert counts.tolist() == [lengths[number] for number in words]


def test_words_of_one_token_are_chosen_like_tokens():
    found = sample(contracts.make("masking", "words", rate=0.25), np.ones(TOKENS, bool))
    counts = np.bincount(np.concatenate([one.places for one in found]), minlength=TOKENS)
    assert counts.sum() == TEXTS * round(0.25 * TOKENS)
    assert max(deviation(count, 0.25, TEXTS) for count in counts) < 4


def test_first_span_has_the_mean_length_of_the_closed_form():
    masking = contracts.make("masking", "spans", rate=0.5, mean=3.0, longest=6)
    lengths = []
    for seed in range(1500):
        _, groups = masking.choose(np.ones(120, bool), 30, np.random.default_rng(seed))
        lengths.append((groups == 0).sum())
    # A span that starts near the end of the text is cut: of 120 words, by about 1 %.
    assert np.mean(lengths) == pytest.approx((1 - (2 / 3) ** 6) * 3, rel=0.06)


def test_spans_become_one_kind():
    masking = contracts.make("masking", "spans", rate=0.3, mean=4.0)
    for found in sample(masking, np.ones(TOKENS, bool), 100):
        places, groups = masking.choose(np.ones(TOKENS, bool), 12, np.random.default_rng(1))
        assert len(found.places) == 12
        runs = [places[groups == group] for group in np.unique(groups)]
        assert all((np.diff(run) == 1).all() for run in runs)


def test_shares_of_what_replaces_tokens_are_at_most_1():
    with pytest.raises(UserError, match="together at most 1"):
        contracts.make("masking", "tokens", mask=0.8, random=0.3)
