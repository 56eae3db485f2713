"""The section about slices."""

import dataclasses

import numpy as np
import pytest

from ftkeras.figures.parts import Missing, Notice, Table
from ftkeras.pages import page, slices
from tests.pages import finished_runs

TEXTS = [f"{'not ' * (n % 4 == 0)}good {'word ' * (n % 50)}" for n in range(400)]


@pytest.fixture
def view(tmp_path):
    """Return a view of a classifier that is often wrong where the product is "b"."""
    product = ["b" if n % 5 == 0 else "a" for n in range(400)]
    rng = np.random.default_rng(0)
    rows = []
    for n, name in enumerate(product):
        right = rng.random() < (0.5 if name == "b" else 0.95)
        label = ("no", "yes")[n % 2]
        p = [0.9, 0.1] if (label == "no") == right else [0.1, 0.9]
        rows.append({"label": label, "predicted": ("no", "yes")[p[1] > 0.5], "probabilities": p})
    finished_runs.write(tmp_path, ["no", "yes"], rows, {"test": {}})
    texts = finished_runs.TextsInMemory(TEXTS, columns={"product": product})
    options = {"slices": ("product",), "patterns": (r"negation=\bnot\b",)}
    return finished_runs.read(tmp_path, texts, **options)


def test_slices_that_are_worse_are_named(view):
    section = slices.section(view)
    notice, table = section.parts
    assert isinstance(notice, Notice)
    assert isinstance(table, Table)
    assert notice.text.startswith("Worse Accuracy than elsewhere: product b: 0.")
    assert "80 examples" in notice.text
    groups = [row[0] for row in table.rows]
    assert groups == ["label"] * 2 + ["words"] * 4 + ["product"] * 2 + ["pattern"]
    (negation,) = [row for row in table.rows if row[1] == "negation"]
    assert negation[2] == 100
    found = page.figures([section])["slices"]
    assert found["metric"] == "accuracy"
    assert len(found["slices"]) == 9


def test_without_texts_the_label_is_left(view):
    bare = dataclasses.replace(view, texts=finished_runs.NoTexts("no texts"))
    *_, by_length, column, pattern = slices.section(bare).parts
    assert by_length == Missing("Slices by length", "no texts.")
    assert column == Missing("Slices by 'product'", "no texts.")
    assert pattern.what == r"Slice 'negation=\\bnot\\b'"
    assert any(isinstance(part, Table) for part in slices.section(bare).parts)


def test_wrong_pattern_is_said(view):
    section = slices.section(dataclasses.replace(view, patterns=("bad=(",)))
    assert "not a regular expression" in section.parts[-1].reason


def test_labels_of_several_are_slices(tmp_path):
    rows = [
        {"labels": ["a"] * (n % 2) + ["b"], "predicted": ["b"], "probabilities": [0.1, 0.9]}
        for n in range(60)
    ]
    state = {"problem": "multi_label", "threshold": 0.5, "thresholds": [0.5, 0.5], "tuned_on": 0}
    finished_runs.write(tmp_path, ["a", "b"], rows, {"test": {}}, task="multi_label", state=state)
    view = finished_runs.read(tmp_path, finished_runs.NoTexts("no texts"))
    (table,) = [part for part in slices.section(view).parts if isinstance(part, Table)]
    assert [(row[0], row[1], row[2]) for row in table.rows] == [
        ("labels", "a", 30),
        ("labels", "b", 60),
    ]


def test_answers_to_questions_are_no_slices(tmp_path):
    rows = [{"answers": [f"in {n}"], "predicted": None, "null_score_diff": 1.0, "n_best": []} for
            n in range(60)]  # fmt: skip
    state = {
        **{"problem": "question_answering", "no_answer": True, "threshold": 0.0},
        **{"null_threshold": 0.0, "longest": 30, "n_best": 20, "tuned_on": 0},
    }
    finished_runs.write(tmp_path, ["answer"], rows, {"test": {}}, state=state)
    view = finished_runs.read(tmp_path, finished_runs.TextsInMemory(TEXTS[:60]))
    (table,) = [part for part in slices.section(view).parts if isinstance(part, Table)]
    assert {row[0] for row in table.rows} == {"words"}


def test_metric_is_written_in_words(tmp_path):
    rows = [{"targets": [1.0], "values": [1.0 + n % 7]} for n in range(100)]
    state = {"problem": "regression", "scale": "none", "mean": [0.0], "sd": [1.0]}
    finished_runs.write(tmp_path, ["score"], rows, {"test": {}}, task="regression", state=state)
    view = finished_runs.read(tmp_path, finished_runs.TextsInMemory(TEXTS[:100]))
    (notice,) = [part for part in slices.section(view).parts if isinstance(part, Notice)]
    assert notice.text == "None of 4 slices is shown to have a worse MAE than the rest."
