"""Perturbations of texts: they are reproducible, and change only what their names say."""

import numpy as np
import pytest

from ftkeras.dossiers.perturbations import CHANGES, negation

TEXT = "A slow, but truly WONDERFUL film; it's worth every minute (and more)!"


def changed(name: str, text: str = TEXT, seed: int = 0) -> str:
    return CHANGES[name](text, np.random.default_rng(seed))


@pytest.mark.parametrize("name", CHANGES)
def test_same_seed_gives_the_same_text(name):
    assert changed(name) == changed(name)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("text", ["", " ", "a", "…", "日本語のテキスト", "naïve café"])
def test_any_text_can_be_changed(name, text):
    assert isinstance(changed(name, text), str)


@pytest.mark.parametrize("seed", range(20))
def test_typing_errors_swap_letters_within_words(seed):
    found = changed("typos", seed=seed)
    assert len(found) == len(TEXT)
    assert sorted(found) == sorted(TEXT)
    words, others = TEXT.split(), found.split()
    differ = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    assert all(len(a) >= 4 and a[0] == b[0] for a, b in differ)


def test_inserted_words_leave_the_others():
    found = changed("inserted_words").split(" ")
    kept = [word for word in found if word in TEXT.split(" ")]
    assert kept == TEXT.split(" ")
    assert 1 <= len(found) - len(kept) <= 6


def test_long_texts_are_longer_than_any_encoder_reads():
    assert len(changed("very_long").split()) > 2000
    assert changed("very_long").startswith(TEXT)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("It was good.", "It was not good."),
        ("It wasn't good.", "It was good."),
        ("the plot is n't bad", "the plot is bad"),
        ("I cannot say it won't work", "I can say it will work"),
        ("I can’t say it isn’t, or that they don’t", "I can say it is, or that they do"),
        ("WE ARE NOT SURE", "WE ARE SURE"),
        ("I did not laugh and I had fun", "I did laugh and I had fun"),
        ("a canny wolf, isolated", "a canny wolf, isolated"),
        ("", ""),
    ],
)
def test_negation_turns_statements_round(text, wanted):
    assert negation(text) == wanted
