"""Reports are text that a reader can check line by line."""

import pathlib

import numpy as np
import pytest

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment.range_test import Curve, Suggestion
from ftkeras.problems import _class_report
from ftkeras.problems.classification import Classification
from ftkeras.processes.child_run import Outcome
from ftkeras.reports import (
    comparison,
    crossvalidation,
    deployment,
    exports,
    metrics,
    plots,
    range_test,
    schedule,
)
from ftkeras.serving.manifests import Plan
from ftkeras.statistics.class_predictions import ClassPredictions

SCORES = {"accuracy": 0.5, "loss": 0.7, "precision": 0.25, "recall": 1.0, "f1": 0.4}


def test_metrics_are_a_row_per_split_and_a_confusion_matrix():
    found = {
        "validation": {**SCORES, "auc": None, "examples": 1234},
        "test": {**SCORES, "auc": 0.75, "examples": 3},
        "confusion": [[1, 0], [2, 1500]],
    }
    rows = [
        line.split() for line in metrics.table(found, _classes("bad", "very good")).splitlines()
    ]
    assert rows[0] == [*SCORES, "auc", "examples"]
    assert rows[1] == ["validation", "0.5000", "0.7000", "0.2500", "1.0000", "0.4000", "-", "1,234"]
    assert rows[2][-2:] == ["0.7500", "3"]
    assert rows[4] == ["on", "test", "predicted", "bad", "predicted", "very", "good"]
    assert rows[5:] == [["bad", "1", "0"], ["very", "good", "2", "1,500"]]


TESTED = ClassPredictions.tested


def _classes(*labels: str) -> Classification:
    return Classification(labels=labels)


def _by_class(labels, absent=0) -> dict:
    rows = [
        {"label": label, "precision": 0.5, "recall": 0.5, "f1": n / 20, "support": n}
        for n, label in enumerate(labels, 1 - absent)
    ]
    means = {"macro_f1": 0.5, "balanced_accuracy": 0.25, "mcc": 0.125}
    positive = labels[1] if len(labels) == 2 else None
    return {
        **{**means, "per_class": rows, "positive_class": positive},
        "absent_classes": [row["label"] for row in rows if not row["support"]],
    }


def test_two_classes_are_a_row_each_and_the_positive_one_is_named():
    lines = _class_report.table(_by_class(["bad", "good"]), "test").splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["on", "test", "precision", "recall", "f1", "support"],
        ["bad", "0.5000", "0.5000", "0.0500", "1"],
        ["good", "0.5000", "0.5000", "0.1000", "2"],
    ]
    assert lines[4] == "test: macro f1 0.5000, balanced accuracy 0.2500, mcc 0.1250"
    assert lines[5] == "precision, recall, f1 and auc are those of 'good'"


def test_of_many_classes_the_worst_ten_are_shown_and_absent_ones_named():
    labels = [f"intent number {n:02} with a long name of its own" for n in range(13)]
    text = _class_report.table(_by_class(labels, absent=1), "validation")
    assert max(map(len, text.splitlines())) <= 80
    assert "intent number 10" in text
    assert "intent number 11" not in text
    assert "… the 10 of 12 classes with the lowest f1" in text
    assert "means exclude 1 class without an example in validation:\n  'intent number 00" in text


def test_columns_of_the_confusion_matrix_are_aligned():
    found = {"test": {**SCORES, "auc": 0.5, "examples": 4}, "confusion": [[1, 0], [2, 1]]}
    lines = metrics.table(found, _classes("a", "b")).splitlines()[-3:]
    assert len({len(line) for line in lines}) == 1


def test_wide_confusion_matrix_fits_80_columns():
    labels = ("World", "Sports", "Business", "Science")
    found = {"test": {**SCORES, "auc": 0.5, "examples": 4}, "confusion": np.eye(4, dtype=int) * 900}
    lines = metrics.table(found, _classes(*labels)).splitlines()[-5:]
    assert lines[0].startswith("on test, predicted")
    assert max(map(len, lines)) <= 80
    assert lines[-1].split() == ["Science", "0", "0", "0", "900"]


def test_of_many_classes_only_the_worst_pairs_are_shown():
    confusion = np.eye(77, dtype=int) * 30
    confusion[3, 5], confusion[5, 3] = 10, 20
    confusion[60, 61:76] = 2
    found = {"test": {**SCORES, "auc": 0.5, "examples": 2370}, "confusion": confusion.tolist()}
    lines = metrics.table(found, _classes(*(f"label {n}" for n in range(77)))).splitlines()
    assert "most frequent errors of 60 on test; metrics.json has the whole matrix" in lines
    assert lines[-10].split() == ["20", "40%", "label", "5", "label", "3"]
    assert lines[-9].split() == ["10", "25%", "label", "3", "label", "5"]
    assert lines[-8].split() == ["2", "3%", "label", "60", "label", "61"]
    assert len(lines) < 20


def _interval(value: float | None) -> dict:
    return {"value": value, "low": value and value - 0.1, "high": value and value + 0.1}


def _comparison(**pair) -> dict:
    recipe = {
        "draws": ["seed 0"],
        "over_runs": {"accuracy": {"mean": 0.8, "sd": None}},
        "figures": {"accuracy": _interval(0.8), "auc": _interval(None)},
    }
    return {
        "split": "test",
        "examples": 1200,
        "confidence": 0.95,
        "ways": [
            {**recipe, "name": "A", "settings": {"epochs": 2}, "folders": ["runs/a"]},
            {**recipe, "name": "B", "settings": {"epochs": 3}, "folders": ["runs/b"]},
        ],
        "pairs": [
            {
                "first": "A",
                "second": "B",
                "differences": {"accuracy": {"value": 0.02, "low": -0.01, "high": 0.05}},
                "test": "McNemar's mid-p",
                "p_value": 0.03,
                "p_value_holm": 0.00001,
                "mcnemar": {"only_first": 1000, "only_second": 2},
                "over_folds": None,
                **pair,
            }
        ],
        "conclusions": ["B is better."],
    }


def test_comparison_shows_recipes_metrics_pairs_and_conclusions():
    text = comparison.tables(_comparison(), TESTED)
    assert text.startswith("A  epochs=2\n   seed 0: runs/a\nB  epochs=3\n   seed 0: runs/b\n\n")
    assert "on 1,200 test examples, 95 % bootstrap intervals" in text
    row = next(line for line in text.splitlines() if line.startswith("A    "))
    assert row.split() == ["A", "0.8000", "[0.700,", "0.900]", "-"]
    pair = next(line for line in text.splitlines() if line.startswith("B − A"))
    assert "+2.00 [-1.00, +5.00]" in pair
    assert "0.03" in pair
    assert "< 0.001" in pair
    assert pair.endswith("McNemar's mid-p: only A correct on 1,000, only B on 2")
    assert text.endswith("\n\n- B is better.")


def test_pair_over_folds_shows_the_interval_of_its_test():
    over_folds = {"mean": -0.01, "low": -0.02, "high": 0.0}
    pair = {"test": "corrected t over folds", "mcnemar": None, "over_folds": over_folds}
    assert "-1.00 [-2.00, +0.00]" in comparison.tables(_comparison(**pair), TESTED)


def test_disagreements_are_cut_to_a_line_each():
    row = {"id": "test-3", "label": "good", "probability_of_label": {"A": 0.1, "B": 0.9}}
    text = comparison.disagreements(
        [{**row, "text": "one\n two  three"}, {**row, "text": "x" * 100}, {**row, "text": None}],
        TESTED,
    )
    lines = text.splitlines()[2:]
    assert lines[0] == "test-3  good    0.10  0.90  one two three"
    assert lines[1].endswith("x" * 71 + "…")
    assert lines[2] == "test-3  good    0.10  0.90"


def _folds(*epochs: int) -> dict:
    fold = {**SCORES, "auc": None, "examples": 10, "seconds": 61.4, "repeat": 0}
    estimate = {"mean": 0.5, "sd": 0.1, "low": 0.4, "high": 0.6}
    return {
        "folds": [{**fold, "fold": n, "best_epoch": epoch} for n, epoch in enumerate(epochs)],
        "figures": {**dict.fromkeys(SCORES, estimate), "auc": None},
        "interval": {"method": "Student's t", "degrees_of_freedom": len(epochs) - 1},
    }


def test_cross_validation_is_a_row_per_fold_and_per_estimate():
    rows = [
        line.split() for line in crossvalidation.table(_folds(2, 2), Classification).splitlines()
    ]
    assert rows[1] == ["0", "0", *(f"{v:.4f}" for v in SCORES.values()), "-", "10", "2", "61"]
    assert rows[3] == ["mean", *["0.5000"] * 5, "-"]
    assert rows[6] == ["95", "%", "to", *["0.6000"] * 5, "-"]
    assert "1 degrees of freedom" in crossvalidation.table(_folds(2, 2), Classification)
    assert "optimistic" not in crossvalidation.table(_folds(2, 2), Classification)
    assert "optimistic" in crossvalidation.table(_folds(2, 3), Classification)


def test_finished_fold_says_how_long_the_others_take():
    done = {"validation": {"accuracy": 0.9, "loss": 0.3}}
    name = pathlib.Path("repeat-0/fold-1")
    shown = crossvalidation.fold(name, Outcome(done, None, 90.0), "accuracy", seconds_left=180.0)
    assert shown == (
        "  repeat-0/fold-1: accuracy 0.9000, loss 0.3000, in 1 min 30 s; about 3 min 00 s left"
    )
    before = crossvalidation.fold(name, Outcome(done, None, 0.0), "accuracy", seconds_left=0.0)
    assert before.endswith(", finished before")


def test_label_that_cannot_move_yet_says_so():
    text = deployment.text(pathlib.Path("d"), Plan((1, 2), {"stable": 1}), {"stable": 2})
    assert text == (
        "deploy  d\n        stable stays version 1 while 2 is loaded; run this again when it is"
    )


def test_export_is_a_line_with_its_message():
    assert exports.line(pathlib.Path("a/1")) == "export  a/1"
    assert exports.line("a/1", "2 MB") == "export  a/1\n        2 MB"


def test_schedule_is_sampled_at_the_steps_of_its_table():
    curve = schedule.sample(lambda step: step / 100, total=10_000, warmup=7)
    assert len(curve.steps) < 1_020
    assert {0, 7, 100, 9_500, 10_000} <= set(curve.steps.tolist())
    np.testing.assert_allclose(curve.learning_rates, curve.steps / 100)
    lines = schedule.table(curve).splitlines()
    assert lines[2].split() == ["7", "0.1%", "7.0000e-02", "end", "of", "the", "warm-up"]
    assert lines[-1].split() == ["10,000", "100.0%", "1.0000e+02"]


def test_steps_of_a_run_are_explained():
    config = Config(batch_size=10, epochs=2)
    assert schedule.steps(config, 99, 20) == (
        "20 steps: 99 examples in batches of 10, 2 times (`steps` sets another number)"
    )
    assert "`oversample`" in schedule.steps(Config(oversample=True), 99, 20)


def test_range_test_is_a_line_per_update_and_a_suggestion(tmp_path):
    curve = Curve(np.array([1e-5, 1e-4]), np.array([0.7, 0.6]), np.array([0.69, 0.61]))
    assert range_test.csv(curve) == (
        "step,learning_rate,loss,smoothed_loss\n"
        "0,1.000000e-05,0.700000,0.690000\n1,1.000000e-04,0.600000,0.610000\n"
    )
    assert "learning_rate=3.0e-05" in range_test.text(Suggestion(1e-5, 3e-4, None))
    assert range_test.text(Suggestion(1e-5, 3e-4, "noise")) == "No suggestion: noise."


def test_plot_is_written_where_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plots.output_path(None, None, "a.png") == pathlib.Path("a.png")
    assert plots.output_path(None, "run", "a.png") == pathlib.Path("run/a.png")
    assert plots.output_path("b.png", "run", "a.png") == pathlib.Path("b.png")
    with pytest.raises(UserError, match=r"^output=\. can't be written: \. is a folder"):
        plots.output_path(".", None, "a.png")
    with plots.new_plot(tmp_path / "c.png") as axes:
        axes.set_title("c")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_long_labels_of_the_confusion_matrix_are_cut_and_stay_apart():
    labels = [f"a label that has a very long beginning and ends in {end}" for end in "xy"]
    lines = _class_report.confusion([[3, 1], [2, 4]], labels, "test", "metrics.json")
    assert max(map(len, lines)) < 120
    assert len({line.split("  ")[0] for line in lines[1:]}) == 2
