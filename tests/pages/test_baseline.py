"""Simple models that the encoder is compared with, and the verdict."""

import dataclasses
import itertools

import numpy as np
import pytest

from ftkeras.figures.parts import Missing, Notice
from ftkeras.pages import baseline
from ftkeras.pages.baseline import Difference
from ftkeras.problems import BaselineData, _baselines
from ftkeras.problems._known_phrases import KnownPhrases
from ftkeras.statistics.number_predictions import NumberPredictions
from tests.pages import finished_runs

GOOD, BAD = ("great", "superb", "lovely"), ("awful", "dull", "weak")
TEXTS = [f"the {thing} was {word}" for thing in "abcdefghij" for word in (*GOOD, *BAD)]
LABELS = [int(text.split()[-1] in GOOD) for text in TEXTS]


def _view(tmp_path):
    texts = finished_runs.TextsInMemory(TEXTS, (TEXTS, LABELS))
    examples = len(TEXTS)
    return finished_runs.classes(
        tmp_path, ["no", "yes"], examples=examples, texts=texts, truth=LABELS
    )


def test_encoder_that_loses_to_word_frequencies_is_flagged(tmp_path):
    (notice, table), figures = baseline.parts(_view(tmp_path))
    assert isinstance(notice, Notice)
    assert notice.level == "warning"
    assert "not certain that the encoder beats the baseline (TF-IDF and logistic" in notice.text
    accuracy = {row[0]: row[1] for row in table.rows}
    assert accuracy["always the most frequent class"] == 0.5
    assert accuracy["TF-IDF and logistic regression"] == 1
    found = figures["baseline"]
    assert found["value"] == pytest.approx(accuracy["this model"] - 1)
    assert found["low"] <= found["value"] <= found["high"] <= 0


@pytest.mark.parametrize(
    ("difference", "level"),
    [
        (Difference(0.1, 0.05, 0.15), "good"),
        (Difference(0.1, -0.05, 0.25), "warning"),
        (Difference(-0.1, -0.2, 0.1), "warning"),
        (Difference(0.0, 0.0, 0.0), "warning"),
        (Difference(-0.1, -0.2, -0.01), "error"),
        (Difference(None, -0.9, -0.8), "error"),
    ],
)
def test_verdict(difference, level):
    assert baseline.verdict("a", "F1", difference).level == level


def test_correlation_of_equal_answers_is_undefined():
    truth = np.arange(30.0)[:, None]
    constant, good = NumberPredictions(truth, truth * 0), NumberPredictions(truth, truth + 1)
    settings = {"metric": "spearman", "is_lower_better": False, "columns": 1}
    (found,) = baseline.compare(constant, [good], **settings)
    assert found.value is None
    assert "its Spearman is undefined" in baseline.verdict("a", "Spearman", found).text
    (found,) = baseline.compare(good, [constant], **settings)
    assert found.value == pytest.approx(1)


def test_without_texts_the_page_says_why(tmp_path):
    (part,), _ = baseline.parts(finished_runs.classes(tmp_path, ["no", "yes"]))
    assert part == Missing("Comparison with a simple model", "no texts.")


def test_it_can_be_switched_off(tmp_path):
    view = dataclasses.replace(_view(tmp_path), baseline=False)
    assert baseline.parts(view) == ([], {})


def _data(targets, texts=TEXTS):
    return BaselineData([{"text": t} for t in TEXTS], targets, [{"text": t} for t in texts], ())


def test_probabilities_of_several_classes_add_up_to_one():
    words = ("awful", "great", "superb")
    classes = np.array([words.index(w) if (w := t.split()[-1]) in words else 0 for t in TEXTS])
    found = _baselines.class_probabilities(_data(classes), 4)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == classes).mean() > 0.95
    assert (found[:, 3] == 0).all()


def test_linear_model_equals_scikit_learns_pipeline():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]"
    )
    model = make_pipeline(vectorizer, LogisticRegression(C=5, solver="liblinear", dual=True))
    expected = model.fit(TEXTS, LABELS).predict_proba(TEXTS)
    found = _baselines.class_probabilities(_data(np.array(LABELS)), 2)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_labels_have_thresholds_of_their_own():
    targets = np.array([[label, 1 - label] for label in LABELS])
    predicted, probabilities = _baselines.label_answers(_data(targets), None)
    assert probabilities.shape == targets.shape
    assert (predicted == targets).mean() > 0.9


def test_numbers_are_predicted_from_words():
    found = _baselines.numbers(_data(np.array(LABELS, float)[:, np.newaxis]))
    assert np.corrcoef(found[:, 0], LABELS)[0, 1] > 0.9


def test_pairs_are_ranked_by_the_words_they_share():
    pairs = [{"text": f"where is the {w}", "pair": f"the {w} is here"} for w in (*GOOD, *BAD)]
    data = BaselineData(pairs, np.zeros(len(pairs)), pairs, ())
    assert _baselines.nearest_ranks(data, step=4).tolist() == [1] * len(pairs)


def test_second_texts_that_words_do_not_tell_are_ranked_in_the_middle():
    pairs = [{"text": "what", "pair": name} for name in (*"abcde", "e")]
    ranks = _baselines.nearest_ranks(BaselineData(pairs, np.zeros(6), pairs, ()))
    assert ranks.tolist() == [3] * 6


def test_options_are_chosen_by_their_words():
    questions = [{"text": "what", "pair": f"{b}\n{g}\nnothing"} for g in GOOD for b in BAD]
    data = BaselineData(questions, np.ones(len(questions)), questions, ())
    assert [int(own.argmax()) for own in _baselines.right_options(data)] == [1] * len(questions)


# "The food of this shop is great" and so on, in Chinese, Japanese and Thai.
UNSPACED = {
    "zh": ("这家{}的菜{}极了", "店馆厅楼铺", "好", "差"),
    "ja": ("この{}の料理は{}です", "店家町村駅", "うまい", "まずい"),
    "th": ("อาหารที่{}นี้{}มาก", "กขคงจ", "อร่อย", "แย่"),
}


@pytest.mark.parametrize("language", UNSPACED)
def test_words_are_known_in_scripts_without_spaces(language):
    pattern, places, good, bad = UNSPACED[language]
    by_place = [[{"text": pattern.format(p, word)} for word in (good, bad)] for p in places]
    train, texts = [*itertools.chain(*by_place[:4])], by_place[4]
    data = BaselineData(train, np.array([1, 0] * 4), texts, ())
    assert _baselines.class_probabilities(data, 2).argmax(axis=1).tolist() == [1, 0]


def test_known_phrase_is_found_in_a_script_without_spaces():
    assert KnownPhrases(["我在北京住"], [[("LOC", 2, 4)]]).find("他去北京了") == {("LOC", 2, 4)}


def test_known_phrases_prefer_the_longest_and_need_a_majority():
    texts = ["May lives in New York", "it may rain in York", "may he , may she"]
    entities = [[("PER", 0, 3), ("LOC", 13, 21)], [("LOC", 15, 19)], []]
    known = KnownPhrases([text.replace("May", "may") for text in texts], entities)
    assert known.find("may New York or York ?") == {("LOC", 4, 12), ("LOC", 16, 20)}
