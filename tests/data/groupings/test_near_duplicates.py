import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.groupings import _minhash
from ftkeras.data.groupings.near_duplicates import NearDuplicates, nearest_in
from tests.matrix import examples


def _examples(texts) -> SimpleNamespace:
    """Return texts as the token store has them, after a text that is not one of the examples."""
    kept = [[9, 9, 9], *texts]
    offsets = np.cumsum([0, *(len(text) for text in kept)])
    token_ids = np.concatenate([np.array(text, np.int32) for text in kept])
    return SimpleNamespace(
        token_ids=token_ids, offsets=offsets, rows=np.arange(1, len(kept)), __len__=len(texts)
    )


def _groups(texts, **keys) -> list[int]:
    return NearDuplicates(**keys).groups(_examples(texts)).tolist()


def _exact(first, second, size) -> float:
    """Return the resemblance, computed from the sets."""
    sets = [
        {tuple(text[at : at + size]) for at in range(max(1, len(text) - size + 1))}
        for text in (first, second)
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def _edited(text, edits, rng) -> list[int]:
    text = list(text)
    for place in rng.choice(len(text), edits, replace=False):
        text[place] = int(rng.integers(10**6, 10**7))
    return text


def test_estimate_is_the_resemblance_within_its_standard_error():
    rng = np.random.default_rng(0)
    firsts = [rng.integers(0, 30_000, 120).tolist() for _ in range(150)]
    seconds = [_edited(text, edits % 12, rng) for edits, text in enumerate(firsts)]
    signatures = _minhash.signatures(_examples(firsts + seconds), shingle=5)
    estimated = _minhash._resemblance(signatures, np.arange(150), np.arange(150, 300))
    exact = np.array([_exact(*pair, 5) for pair in zip(firsts, seconds, strict=True)])
    error = np.sqrt(exact * (1 - exact) / _minhash.HASHES)
    assert np.all(estimated[exact == 1] == 1)
    off = (estimated - exact)[error > 0] / error[error > 0]
    assert abs(off.mean()) < 3 / np.sqrt(len(off))
    assert 0.8 < off.std() < 1.2


def test_few_edits_are_found_and_many_are_not():
    rng = np.random.default_rng(1)
    texts = [rng.integers(0, 30_000, 120).tolist() for _ in range(40)]
    near = [_edited(text, 3, rng) for text in texts]
    far = [_edited(text, 40, rng) for text in texts]
    groups = np.array(_groups(texts + near + far)).reshape(3, 40)
    assert np.array_equal(groups[0], groups[1])
    assert len(np.unique(groups)) == 80


def test_texts_that_agree_in_a_band_are_linked_only_if_similar_enough():
    """A quarter of the pairs with resemblance 1/3 agree in a band nevertheless."""
    rng = np.random.default_rng(3)
    texts = [rng.integers(0, 30_000, 120).tolist() for _ in range(200)]
    edited = [_edited(text, 16, rng) for text in texts]
    resemblance = [_exact(*pair, 5) for pair in zip(texts, edited, strict=True)]
    assert 0.3 < np.mean(resemblance) < 0.36
    assert 400 - len(set(_groups(texts + edited, similarity=0.15))) > 40
    assert 400 - len(set(_groups(texts + edited, similarity=0.6))) < 2


def test_texts_that_agree_in_a_band_are_compared_with_the_first_and_the_one_before():
    signatures = np.random.default_rng(0).integers(2**32, size=(9, 128), dtype=np.uint32)
    signatures[[2, 5, 7, 8], 4:8] = 11
    pairs = np.concatenate(list(_minhash._candidates(signatures)), axis=1)
    assert {(2, 5), (2, 7), (2, 8), (5, 7), (7, 8)} == set(zip(*pairs.tolist(), strict=True))


def test_chain_of_edits_is_one_group():
    rng = np.random.default_rng(2)
    chain = [rng.integers(0, 30_000, 120).tolist()]
    for _ in range(30):
        chain.append(_edited(chain[-1], 3, rng))
    assert _exact(chain[0], chain[-1], 5) < 0.1
    assert len(set(_groups(chain))) == 1


def test_many_of_one_text_are_one_group():
    assert set(_groups([[1, 2, 3]] * 5000 + [[1, 2, 4]])) == {0, 1}


def test_text_shorter_than_a_shingle_equals_only_itself():
    texts = [[1], [1, 2], [1, 2, 3], [1, 2], [2, 1], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]
    groups = _groups(texts, similarity=0.6)
    assert groups[1] == groups[3]
    assert len(set(groups)) == len(texts) - 1


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=1, max_size=30))
@examples(50)
def test_equal_texts_are_in_one_group_whatever_the_size_of_a_step(texts):
    groups = _groups(texts)
    for (a, first), (b, second) in itertools.combinations(enumerate(texts), 2):
        assert first != second or groups[a] == groups[b]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_minhash, "TOKENS_PER_STEP", 7)
        patch.setattr(_minhash, "PAIRS_PER_STEP", 2)
        assert _groups(texts) == groups


@pytest.mark.parametrize("keys", [{"similarity": 0}, {"similarity": 1}, {"shingle": 0}])
def test_number_out_of_bounds_is_named(keys):
    with pytest.raises(ValueError, match=f"`{next(iter(keys))}` must be"):
        NearDuplicates(**keys)


@pytest.mark.real_data
def test_repeated_review_of_imdb_is_found(shared_data):
    import tensorflow as tf

    from ftkeras.tasks.imdb import Imdb

    reviews = Imdb(data_dir=str(shared_data / "tfds")).splits()["train"].take(4000)
    texts = [row["text"].numpy() for row in reviews]
    ids = tf.ragged.map_flat_values(
        lambda words: tf.strings.to_hash_bucket_fast(words, 30_000), tf.strings.split(texts)
    ).to_list()
    groups = _groups(ids)
    twice = {text for text in texts if texts.count(text) > 1}
    assert twice
    for text in twice:
        assert (
            len({group for group, other in zip(groups, texts, strict=True) if other == text}) == 1
        )
    assert len(set(groups)) < len(set(texts)) + 1


def test_examples_that_repeat_one_of_train_are_found_with_the_nearest():
    rng = np.random.default_rng(3)
    train = [rng.integers(0, 30_000, 60).tolist() for _ in range(50)]
    others = [rng.integers(0, 30_000, 60).tolist() for _ in range(20)]
    others[4], others[9] = train[7], _edited(train[12], 1, rng)
    others += [train[7], train[7]]  # copies of each other, too
    positions, sources, shares = nearest_in(_examples(train), _examples(others))
    assert sorted(positions.tolist()) == [4, 9, 20, 21]
    assert dict(zip(positions.tolist(), sources.tolist(), strict=True)) == {
        4: 7,
        9: 12,
        20: 7,
        21: 7,
    }
    assert shares[:3].tolist() == [1, 1, 1]
    assert positions[3] == 9
    assert shares[3] == pytest.approx(_exact(train[12], others[9], 5), abs=0.12)
    assert nearest_in(_examples(train), _examples(others[:4]))[0].tolist() == []
