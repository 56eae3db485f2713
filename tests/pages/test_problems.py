"""Sections about the predictions of each problem, against scikit-learn and sums by hand."""

import itertools
import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn import metrics as sklearn_metrics

from ftkeras.figures import curves, heat_map, style
from ftkeras.figures.bars import StackedBars
from ftkeras.figures.curves import Scored
from ftkeras.figures.parts import Missing, Plot, Slider, Table
from ftkeras.pages import report
from ftkeras.problems import _answers_page, _entities_page, _thresholds_page
from tests.pages import finished_runs

RNG = np.random.default_rng(0)


def _entity(kind, start, end, **more):
    return {"type": kind, "start": start, "end": end, **more}


def _choice(n):
    return {"answer": n % 3, "predicted": n % 2, "probabilities": [0.5, 0.3, 0.2][: 3 + n % 2]}


def _answer(n, *, none):
    span = {"text": "in 1999", "start": 0, "end": 7, "score": 0.5}
    predicted = None if none else span
    answers = [] if n % 3 == 0 else ["1999", "in 1999"]
    difference = 1.0 if none else -1.0 - n
    row = {"answers": answers, "predicted": predicted, "null_score_diff": difference}
    return {**row, "n_best": [span]}


# A row of predictions.jsonl by its number, the labels, and what problem.json has.
PROBLEMS = {
    "multi_label": (
        lambda n: {
            "labels": [["a"], ["b", "c"], []][n % 3],
            "predicted": [["a"], ["b"], ["c"]][n % 3],
            "probabilities": [0.1 * (n % 9), 0.5, 0.9 - 0.1 * (n % 8)],
        },
        ["a", "b", "c"],
        {"threshold": "tuned", "thresholds": [0.3, 0.5, 0.7], "tuned_on": 20, "temperature": 1.0},
    ),
    "regression": (
        lambda n: {"targets": [n / 10, -n], "values": [n / 9, 3.0 - n]},
        ["stars", "price"],
        {"scale": "standard", "mean": [0.0, 0.0], "sd": [1.0, 1.0]},
    ),
    "similarity": (
        lambda n: {"score": n % 6, "target": (n % 6) / 5, "cosine": ((n + 1) % 6) / 6},
        ["score"],
        {"low": 0.0, "high": 5.0},
    ),
    "positive_pairs": (lambda n: {"cosine": 0.5 + n / 100, "rank": 1 + n % 12}, ["pair"], {}),
    "multiple_choice": (_choice, ["1", "2", "3", "4"], {"temperature": 1.0}),
    "token_classification": (
        lambda n: {
            "entities": [_entity("PER", 0, 4), _entity("LOC", 9, 12)],
            "predicted": [_entity("PER", 0, 4 + n % 2, score=0.9)],
            "tags": [],
        },
        ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
        {"temperature": 1.0},
    ),
    "question_answering": (
        lambda n: _answer(n, none=n % 4 == 0),
        ["answer"],
        {
            "no_answer": True,
            "threshold": "tuned",
            "null_threshold": 0.0,
            "longest": 30,
            "n_best": 20,
            "tuned_on": 20,
        },
    ),
}


def _view(folder, name, examples=30):
    row, labels, state = PROBLEMS[name]
    texts = [["who came?", "How many?", "der Rest"][n % 3] for n in range(examples)]
    rows = [row(n) for n in range(examples)]
    state = {"problem": name, **state}
    metrics = {
        "test": {"examples": examples, "accuracy": 0.5, "guessing": 0.3},
        "labels_per_text": {"targets": 1.0, "predicted": 1.0},
        "spread": {"targets": [1.0, 1.0], "values": [1.0, 1.0]},
    }
    finished_runs.write(folder, labels, rows, metrics, state=state)
    return finished_runs.read(folder, finished_runs.TextsInMemory(texts))


@pytest.mark.parametrize("name", PROBLEMS)
def test_page_of_each_problem_has_its_tables_and_plots(name, tmp_path):
    view = _view(tmp_path, name)
    parts = view.problem.page_parts(view.rows, view.split_texts, view.measured)
    assert any(isinstance(part, Plot) for part in parts)
    assert not any(isinstance(part, Missing) for part in parts)
    for part in parts:
        if isinstance(part, Plot):
            part.draw(Figure())
        elif isinstance(part, Table):
            assert {len(row) for row in part.rows} == {len(part.columns)}
    for section in (build(view) for build in report.SECTIONS):
        json.dumps(dict(section.figures))


def _scored(classes=1, examples=300):
    positive = RNG.random(examples) < 0.3
    scores = np.round(RNG.normal(size=examples) + positive, 1)  # with ties
    return Scored("a", positive, scores, scores >= 0.8)


def test_areas_and_curves_are_scikit_learns():
    one = _scored()
    false, true, thresholds = sklearn_metrics.roc_curve(one.is_positive, one.scores)
    np.testing.assert_array_equal(curves.roc_points(one), (false, true))
    assert one.auc == sklearn_metrics.auc(false, true)
    # The decision is a point of the curve.
    at = np.flatnonzero(np.isclose(thresholds, 0.8))[0]
    assert curves.roc_decision(one) == pytest.approx((false[at], true[at]))
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(
        one.is_positive, one.scores
    )
    at = np.flatnonzero(np.isclose(thresholds, 0.8))[0]
    assert curves.precision_recall_decision(one) == pytest.approx((recall[at], precision[at]))


def test_thin_curve_keeps_its_shape():
    x = np.sort(RNG.random(5000))
    y = np.sqrt(x)
    some_x, some_y = curves.thin(x, y, 100)
    assert len(some_x) <= 100
    assert (some_x[0], some_x[-1]) == (x[0], x[-1])
    assert np.abs(np.interp(x, some_x, some_y) - y).max() < 0.01


def test_row_of_a_slider_is_scikit_learns():
    one = _scored()
    rows = _thresholds_page.at_thresholds(one, 0.81)
    row = next(row for row in rows if row[0] == "0.81")
    predicted = one.scores >= 0.81
    expected = [
        sklearn_metrics.precision_score(one.is_positive, predicted),
        sklearn_metrics.recall_score(one.is_positive, predicted),
        sklearn_metrics.f1_score(one.is_positive, predicted),
    ]
    assert row[1:4] == [f"{value:.3f}" for value in expected]
    assert int(row[4]) == predicted.sum()
    slider = _thresholds_page.slider([one], "a", 0.81)
    assert isinstance(slider, Slider)
    assert slider.rows["a"][slider.starts["a"]] == row


def test_confused_classes_stand_next_to_each_other():
    counts = np.eye(8, dtype=int) * 50
    counts[0, 7] = counts[7, 0] = counts[2, 5] = 30
    order = heat_map.order_by_similarity(counts).tolist()
    assert abs(order.index(0) - order.index(7)) == 1
    assert abs(order.index(2) - order.index(5)) == 1
    assert sorted(order) == list(range(8))


def test_errors_of_entities_are_told_apart():
    truth = [("PER", 0, 4), ("LOC", 5, 9), ("ORG", 10, 14), ("PER", 20, 24), ("LOC", 30, 34)]
    found = [("PER", 0, 4), ("LOC", 5, 8), ("PER", 10, 14), ("LOC", 19, 24), ("ORG", 40, 44)]
    pairs = _entities_page.match(truth, found)
    outcomes = [_entities_page.outcome(t, f) for t, f in pairs if t is not None]
    assert outcomes == ["right", "boundary", "type", "type and boundary", "missed"]
    assert pairs[-1] == (None, ("ORG", 40, 44))


def test_entities_of_a_long_text_are_paired_whatever_their_order():
    text = [("PER", 10 * n, 10 * n + 5) for n in range(500)]
    assert _entities_page.match(text, text[::-1]) == list(zip(text, text, strict=True))


def test_one_long_entity_does_not_slow_down_the_pairs_of_a_long_text():
    text = [("PER", 10 * n, 10 * n + 5) for n in range(5000)]
    whole = ("ORG", 0, 50_000)
    pairs = _entities_page.match(text, [whole, *text])  # not each with each
    assert pairs == [*zip(text, text, strict=True), (None, whole)]


def test_pairs_are_those_of_spans_that_overlap():
    rng = np.random.default_rng(0)
    for _ in range(20):
        starts, lengths = rng.integers(0, 40, (2, 15)), rng.integers(0, 12, (2, 15))
        truth, found = (
            [("PER", int(start), int(start + length)) for start, length in zip(*side, strict=True)]
            for side in zip(starts, lengths, strict=True)
        )
        covered = [[set(range(*span[1:])) for span in spans] for spans in (truth, found)]
        every = itertools.product(range(15), repeat=2)
        expected = {(t, f) for t, f in every if covered[0][t] & covered[1][f]}
        pairs = list(_entities_page._overlapping(truth, found))
        assert set(pairs) == expected
        assert len(pairs) == len(expected)


def test_questions_are_grouped_by_their_word_and_their_answers_length(tmp_path):
    view = _view(tmp_path, "question_answering")
    parts = view.problem.page_parts(view.rows, None, view.measured)
    assert any(isinstance(part, Missing) for part in parts)
    others = [_answers_page.question_word(question) for question in ("Pourquoi ?", "2+2=?", "")]
    assert others == ["other"] * 3
    (slider,) = (part for part in parts if isinstance(part, Slider))
    row = slider.rows["all"][slider.starts["all"]]
    right = [_said(row) == (row["answers"] or [""])[-1] for row in view.rows]
    assert row[1] == f"{np.mean(right):.3f}"


def _said(row):
    return "" if row["predicted"] is None else row["predicted"]["text"]


@pytest.mark.parametrize("prefix", ["_", "a class with a name that has a long beginning "])
def test_legend_names_each_class(prefix):
    rng = np.random.default_rng(0)
    names = [f"{prefix}{end}" for end in ("one", "two")]
    positive, scores = rng.random(60) < 0.5, rng.random(60)
    scored = [Scored(name, positive, scores, scores > 0.5) for name in names]
    svg = style.draw(Plot("roc", "t", curves.Roc(scored), alt="x")).svg
    shown = re.findall(r">([^<>]*) \(0\.\d+\)<", svg)
    assert len(set(shown)) == 2
    assert all(text[0] == prefix[0] and text[-3:] in ("one", "two") for text in shown)


def test_legend_of_bars_names_each_part():
    drawn = style.draw(Plot("bars", "t", StackedBars(["x"], {"_a": [1], "b": [2]}, "n"), alt="x"))
    assert ">_a<" in drawn.svg
