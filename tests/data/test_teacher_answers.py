"""A teacher's answer follows its example through every batching."""

import dataclasses

import numpy as np
import pytest

from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.batching.padded import Padded
from ftkeras.data.examples import Examples
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.teacher_answers import TeacherAnswers
from ftkeras.data.windows import Windows
from ftkeras.problems.token_classification import TokenClassification

LENGTHS = np.array([3, 7, 5, 4, 8, 3, 6])
OFFSETS = np.concatenate([[0], np.cumsum(LENGTHS)])
BATCHINGS = [Padded, Bucketed, Packed]


def _examples(**fields):
    """Return texts whose first token is 100 + their number."""
    token_ids = np.concatenate([100 * n + 100 + np.arange(k) for n, k in enumerate(LENGTHS)])
    given = {
        "token_ids": token_ids.astype("int32"),
        "offsets": OFFSETS,
        "second_starts": LENGTHS.astype("int32"),
        "stored_targets": np.arange(7) % 2,
        "stored_digests": np.arange(7, dtype="uint64"),
        "rows": np.array([6, 1, 5, 3, 0, 1]),
        **fields,
    }
    return Examples(**given, name="train", pairs=False)


def _elements(examples, batching, parts=1, **settings):
    made = batching(batch_size=4, pad_id=0, parts=parts, **settings)
    feed = TrainingFeed(examples, made, seed=3)
    return feed.dataset(1).as_numpy_iterator()


def _texts(inputs):
    """Return the number of the text at each place of the answers of a batch, below 0 for none."""
    token_ids = inputs["token_ids"]
    if "starts" not in inputs:
        return token_ids[..., 0] // 100 - 1
    starts = inputs["starts"]
    firsts = np.take_along_axis(token_ids, np.minimum(starts, token_ids.shape[-1] - 1), axis=-1)
    firsts = np.where(starts < token_ids.shape[-1], firsts, 0)
    is_start = firsts % 100 == 0
    return np.where(is_start, firsts // 100 - 1, -1).reshape(*starts.shape[:-2], -1)


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("batching", BATCHINGS)
def test_each_text_has_its_own_answer(batching, parts):
    """Text 5 is unlabelled, and the teacher has no answer to text 3."""
    values = np.arange(14, dtype="float32").reshape(7, 2)
    index = np.array([6, 5, 4, -1, 2, 1, 0])
    labelled = np.arange(7) != 5
    teacher = TeacherAnswers(values=values, index=index, labelled=labelled, teacher="t")
    length = {} if batching is Padded else {"max_length": 16}
    seen = []
    for inputs, answers in _elements(_examples(teacher=teacher), batching, parts, **length):
        texts = _texts(inputs)
        is_text = texts >= 0
        seen += texts[is_text].tolist()
        np.testing.assert_array_equal(answers["example_mask"], is_text)
        np.testing.assert_array_equal(answers["labelled"], is_text & labelled[texts])
        np.testing.assert_array_equal(answers["taught"], is_text & (texts != 3))
        expected = np.where(
            (is_text & (texts != 3))[..., None], values[6 - np.maximum(texts, 0)], 1
        )
        np.testing.assert_array_equal(answers["teacher"], expected)
        np.testing.assert_array_equal(answers["targets"][is_text], texts[is_text] % 2)
    assert sorted(seen) == [0, 1, 1, 3, 5, 6]


@pytest.mark.parametrize("batching", BATCHINGS)
def test_each_word_has_its_own_answer(batching):
    """Only every second token is a word; those of text 1 have no label, and one is not taught."""
    tokens = OFFSETS[-1]
    tags = np.where(np.arange(tokens) % 2 == 0, 1, -1)
    teacher = TeacherAnswers(
        values=np.arange(tokens, dtype="float32")[:, None],
        index=np.where((tags >= 0) & (np.arange(tokens) != OFFSETS[6] + 1), np.arange(tokens), -1),
        labelled=np.repeat(np.arange(7) != 1, LENGTHS),
        teacher="t",
    )
    examples = _examples(teacher=teacher, token_targets=tags)
    length = {} if batching is Padded else {"max_length": 16}
    made = batching(batch_size=4, pad_id=0, **length)
    problem = TokenClassification(labels=("O", "B-A"))
    found = 0
    feed = TrainingFeed(examples, made, seed=3, collate=problem.collate)
    for inputs, answers in feed.dataset(0).as_numpy_iterator():
        ids = inputs["token_ids"].ravel()
        texts, places = ids // 100 - 1, ids % 100
        numbers = np.where(ids > 0, OFFSETS[texts] + places, -1)
        is_word = (ids > 0) & (numbers % 2 == 0)
        is_taught = is_word & (numbers != OFFSETS[6] + 1)
        np.testing.assert_array_equal(answers["labelled"], is_word & (texts != 1))
        np.testing.assert_array_equal(answers["taught"] > 0, is_taught)
        np.testing.assert_array_equal(answers["teacher"][:, 0], np.where(is_taught, numbers, 1))
        np.testing.assert_array_equal(answers["example_mask"], (is_word & (texts != 1)) | is_taught)
        found += is_word.sum()
    assert found == sum(
        (np.arange(OFFSETS[n], OFFSETS[n + 1]) % 2 == 0).sum() for n in (6, 1, 5, 3, 0, 1)
    )


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("batching", BATCHINGS)
def test_each_token_of_a_context_has_its_own_probability(batching, parts):
    """Of start and end; the teacher has no answer to text 3."""
    tokens = np.arange(OFFSETS[-1], dtype="float32")
    teacher = TeacherAnswers(
        values=np.stack([tokens + 1, -tokens - 1], axis=1),
        index=np.where(np.arange(7) != 3, OFFSETS[:-1], -1),
        labelled=np.ones(7, bool),
        teacher="t",
        of_places=True,
    )
    length = {} if batching is Padded else {"max_length": 16}
    made = batching(batch_size=4, pad_id=0, parts=parts, **length)
    feed = TrainingFeed(_examples(teacher=teacher), made, seed=3, by_text=True)
    seen = []
    for inputs, answers in feed.dataset(1).as_numpy_iterator():
        texts, width = _texts(inputs), inputs["token_ids"].shape[-1]
        assert answers["teacher"].shape == (*texts.shape, width, 2)
        for text, found in zip(
            texts.ravel(), answers["teacher"].reshape(-1, width, 2), strict=True
        ):
            if text < 0 or text == 3:
                assert (found == 1).all()
                continue
            expected = np.zeros((width, 2))
            own = slice(OFFSETS[text], OFFSETS[text + 1])
            expected[: LENGTHS[text]] = teacher.values[own]
            np.testing.assert_array_equal(found, expected)
            seen.append(text)
        np.testing.assert_array_equal(answers["taught"], (texts >= 0) & (texts != 3))
    assert sorted(seen) == [0, 1, 1, 5, 6]


def test_windows_of_a_text_have_its_answer_and_share_its_weight():
    firsts = np.array([0, 2, 3, 3, 3, 4, 4, 7])  # 2, 1, 0, 0, 1, 0 and 3 windows
    windows = Windows(np.arange(8) * 3, np.full(7, 3), np.zeros(7), firsts)
    teacher = TeacherAnswers(
        values=np.arange(7, dtype="float32")[:, None],
        index=np.arange(7),
        labelled=np.arange(7) != 1,
        teacher="t",
        weights=np.arange(7, dtype="float32"),  # by window
    )
    rows = _examples(teacher=teacher, windows=windows, rows=np.array([6, 0, 1])).by_row()
    assert rows.rows.tolist() == [4, 5, 6, 0, 1, 2]
    none = {"targets": np.zeros(6), "example_mask": np.ones(6, bool)}
    found = rows.teacher.add_to(none, rows.rows)
    assert found["teacher"].ravel().tolist() == [6, 6, 6, 0, 0, 1]
    assert found["taught"].tolist() == [4, 5, 6, 0, 1, 2]
    assert found["labelled"].tolist() == [True, True, True, True, True, False]
    again = dataclasses.replace(rows, name="again").by_row()
    assert again.teacher is rows.teacher
