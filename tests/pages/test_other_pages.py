"""The pages about a comparison, a cross-validation and a search."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.figures import style
from ftkeras.figures.parts import Table
from ftkeras.pages import comparison_page, cross_validation_page, search_page
from ftkeras.problems.classification import Classification
from ftkeras.runs import comparison, crossvalidation, layout
from ftkeras.search import plots
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result
from ftkeras.statistics.class_predictions import ClassPredictions
from tests.pages import finished_runs
from tests.pages.test_page import Parser
from tests.search import searches

LABELS = ["no", finished_runs.HOSTILE]
SEARCH = searches.config(search=(*searches.LINES, "regularizer=choice(none, l2(strength=0.1))"))


def _is_self_contained(path):
    text = path.read_text(encoding="utf-8")
    elements = Parser(text).elements
    loading = [v for _, a in elements for n, v in a.items() if n in ("src", "href", "xlink:href")]
    assert all(value.startswith("#") for value in loading)
    assert "url(" not in text.replace("url(#", "")
    assert "default-src 'none'" in text
    assert len(text.encode()) < 1e6
    return text


def _run(seed: int, skill: float) -> SimpleNamespace:
    """Return a stand-in for one of several finished runs on the same 60 examples."""
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=60)
    noise = np.random.default_rng(seed).normal(size=60)
    p = 1 / (1 + np.exp(-(skill * (2 * truth - 1) + noise)))
    probabilities = np.stack([1 - p, p], axis=1)
    return SimpleNamespace(
        folder=f"runs/{seed}",
        config=SimpleNamespace(seed=seed),
        seed_and_repeat=f"seed {seed}",
        ids=tuple(f"test-{n}" for n in range(60)),
        predictions=ClassPredictions(truth, probabilities),
        answers=tuple({"label": LABELS[n]} for n in truth),
        problem=Classification(labels=LABELS),
        curves=([{"epoch": n, "val_loss": 1 / n, "val_accuracy": 0.8} for n in (1, 2)],),
        repeat=None,
        folds=None,
    )


def _compared(monkeypatch, *recipes):
    """Return the content of compare.json for recipes."""
    differences = [{"policy": ("lora", "full")[n:]} for n in range(len(recipes))]
    monkeypatch.setattr(comparison.reader, "recipe_differences", lambda runs: differences)
    monkeypatch.setattr(comparison, "_texts", lambda run, ids: dict.fromkeys(ids, "<b>long</b>"))
    settings = {"split": "test", "confidence": 0.95, "resamples": 200, "seed": 1}
    return comparison.compare(recipes, "ABC"[: len(recipes)], **settings, disagreements=3)


def test_comparison_has_its_conclusions_and_all_numbers(monkeypatch, tmp_path):
    recipes = [[_run(1, 0.5), _run(2, 0.5)], [_run(3, 3.0)]]
    result = _compared(monkeypatch, *recipes)
    path = comparison_page.write(tmp_path / "c.html", tmp_path / "plots", result, recipes)
    text = _is_self_contained(path)
    for sentence in result["conclusions"]:
        assert sentence.partition(":")[0] in text
    difference = result["pairs"][0]["differences"]["accuracy"]
    assert f"{difference['value']:+.4f}" in text
    assert "A (mean of 2)" in text
    assert "&lt;b&gt;long" in text
    assert "<b>long" not in text
    plots = {path.name for path in (tmp_path / "plots").iterdir()}
    assert {"differences_intervals.svg", "accuracy_by_epoch.png", "loss_by_epoch.png"} <= plots
    assert not (tmp_path / "c.json").exists()


def test_recipes_that_alone_are_right_are_named(monkeypatch):
    recipes = [[_run(1, 0.5)], [_run(3, 3.0)]]
    result = _compared(monkeypatch, *recipes)
    counts = result["pairs"][0]["mcnemar"]
    sections = comparison_page.sections(result, recipes)
    (table,) = [p for s in sections for p in s.parts if isinstance(p, Table) and p.name == "pairs"]
    assert table.rows[0][0] == "B − A"
    assert table.rows[0][-1] == f"B {counts['only_second']}, A {counts['only_first']}"
    assert counts["only_second"] != counts["only_first"]


def test_runs_of_one_recipe_have_no_differences(monkeypatch, tmp_path):
    recipes = [[_run(1, 1.0), _run(2, 1.0)]]
    result = _compared(monkeypatch, *recipes)
    path = comparison_page.write(tmp_path / "c.html", tmp_path / "plots", result, recipes)
    text = _is_self_contained(path)
    assert "Runs of a recipe" in text
    assert 'id="differences"' not in text


@pytest.mark.parametrize("repeats", [1, 2])
def test_cross_validation_has_its_folds_and_predictions(tmp_path, repeats):
    config = CrossvalidateConfig(task="imdb", folds=3, repeats=repeats, learning_rate=1e-5)
    folds = crossvalidation.fold_configs(config, repeats=repeats)
    measured = []
    for n, fold in enumerate(folds):
        run = crossvalidation.fold_folder(tmp_path, fold)
        view = finished_runs.classes(run, LABELS)
        (run / layout.PREDICTIONS["test"]).rename(run / layout.PREDICTIONS["validation"])
        validation = dict.fromkeys(view.problem.columns, 0.5) | view.metrics["test"]
        validation |= {"accuracy": 0.8 + n / 100, "examples": 80}
        measured.append(
            {
                "validation": validation,
                "train": {"best_epoch": 1 + n % 2, "seconds": 9.0},
                "data": {"train": 160, "validation": 80},
            }
        )
    result = crossvalidation.summary(folds, measured, view.problem.measures)
    lines = crossvalidation.out_of_fold_predictions(folds, tmp_path)
    (tmp_path / layout.OUT_OF_FOLD_PREDICTIONS).write_text(lines)
    text = _is_self_contained(cross_validation_page.write(tmp_path, config, result))
    mean = result["figures"]["accuracy"]
    assert f"{mean['mean']:.3f}" in text
    assert f"{mean['low']:.3f} to {mean['high']:.3f}" in text.replace("\n", " ")
    assert "cross-validated on 240 examples" in text
    assert "Each fold picked its own best epoch" in text
    assert "pool the predictions of all folds" in text
    assert 'id="plot-confusion' in text or "Confusion" in text
    assert text.count("<script") == 1
    assert (">repeat</th>" in text) == (repeats > 1)


@pytest.fixture(scope="module")
def ended() -> list[Result]:
    """Return six trials with two scores each, except one that failed; one was pruned."""
    space, rows = searches.space_of(SEARCH), []
    for number, corner in enumerate(list(space.corners())[::3][:6]):
        status = {2: FAILED, 4: PRUNED}.get(number, COMPLETED)
        scores = () if status == FAILED else (0.8 + number / 100, 0.82)
        reason = None if status == COMPLETED else f"because of <{status}>"
        settings = space.settings(corner)
        rows.append(Result(f"{number:04d}", corner, settings, status, scores, reason, 61.0, (2, 3)))
    return rows


def _search(folder, rows, recipe=""):
    parameters = searches.space_of(SEARCH).parameters
    return _is_self_contained(
        search_page.write(folder, SEARCH, parameters, rows, recipe, seconds=60.0)
    )


def test_search_has_its_trials_plots_and_best_settings(ended, tmp_path):
    text = _search(tmp_path, ended, "# a < b\n--task=x\n")
    assert "because of &lt;failed&gt;" in text
    assert "# a &lt; b" in text
    assert "0.8350 ± 0.0212" in text
    assert "is optimistic" in text
    assert text.count("<svg") == 3
    assert re.findall(r"<td[^>]*>(000\d)</td>", text)[:2] == ["0005", "0003"]
    for parameter in searches.space_of(SEARCH).parameters:
        assert parameter.name in text
    svg = (tmp_path / layout.SEARCH_PLOTS / "progress.svg").read_text()
    _search(tmp_path, ended)
    assert (tmp_path / layout.SEARCH_PLOTS / "progress.svg").read_text() == svg


@pytest.mark.parametrize("objective", ["accuracy", "loss"])
def test_only_completed_trials_are_the_best_or_in_means(objective):
    given = searches.config(search=("schedule=choice(linear, cosine)",))
    (parameter,) = searches.space_of(given).parameters
    extreme = 0.99 if objective == "accuracy" else 0.01
    rows = [
        Result(f"{n:04d}", {"schedule": label}, {}, status, (score,))
        for n, (label, status, score) in enumerate(
            [
                *(("linear", COMPLETED, 0.5), ("cosine", COMPLETED, 0.6)),
                *(("linear", PRUNED, extreme), ("linear", FAILED, extreme)),
            ]
        )
    ]
    drawn, parallel = Figure(), Figure()
    plots.ByParameter(rows, [parameter], objective)(drawn)
    points, *means = drawn.axes[0].lines
    assert sorted(points.get_ydata()) == sorted([0.5, 0.6, extreme])  # not that of the failed one
    assert [line.get_ydata()[0] for line in means] == [0.5, 0.6]
    plots.ParallelCoordinates(rows, [parameter], objective)(parallel)
    (best,) = [line for line in parallel.axes[0].lines if line.get_color() == style.ORANGE]
    assert best.get_ydata()[0] == (1.0 if objective == "accuracy" else 0.0)


@pytest.mark.parametrize("count", [0, 1])
def test_search_needs_no_completed_trial(ended, tmp_path, count):
    failed = [row for row in ended if row.status == FAILED][:count]
    assert "No trial was completed" in _search(tmp_path, failed)
