"""Comparisons of cross-validations with several seeds and repeats."""

from dataclasses import dataclass

import numpy as np
import pytest

from ftkeras.statistics import comparison, conclusions, significance
from ftkeras.statistics.class_predictions import ClassPredictions

COUNT = 120
LABELS = np.arange(COUNT) % 2


@dataclass(frozen=True)
class Run:
    predictions: ClassPredictions
    repeat: int | None = None
    folds: np.ndarray | None = None


def _folds(repeat: int, count: int = 4) -> np.ndarray:
    return (np.arange(COUNT) + repeat) // 2 % count


def _recipe(skill: float, *, seeds: int, repeats: int, folds: int = 4, draw: int = 0) -> list[Run]:
    return [
        Run(_predictions(skill, draw + 10 * repeat + seed), repeat, _folds(repeat, folds))
        for seed in range(seeds)
        for repeat in range(repeats)
    ]


def _predictions(skill: float, draw: int) -> ClassPredictions:
    noise = np.random.default_rng(draw).normal(size=COUNT)
    second = 1 / (1 + np.exp(-(noise + skill * (2 * LABELS - 1))))
    return ClassPredictions(LABELS, np.stack([1 - second, second], axis=1))


def _compared(*recipes: list[Run]) -> tuple[list[dict], list[str]]:
    settings = {"resamples": 300, "seed": 0, "confidence": 0.95}
    _, pairs = comparison.compare(recipes, "ABC"[: len(recipes)], **settings)
    said = conclusions.sentences(recipes, pairs, split="test", confidence=0.95)
    return pairs, said


@pytest.mark.parametrize("seeds", [(1, 1), (2, 2), (3, 1)])
def test_folds_are_compared_by_their_means_over_seeds(seeds):
    recipes = [
        _recipe(skill, seeds=count, repeats=2, draw=100 * n)
        for n, (skill, count) in enumerate(zip((0.5, 0.8), seeds, strict=True))
    ]
    by_fold = []
    for repeat in range(2):
        shares = [
            np.mean([run.predictions.correct for run in runs if run.repeat == repeat], axis=0)
            for runs in recipes
        ]
        gain = shares[1] - shares[0]
        by_fold += [gain[_folds(repeat) == fold].mean() for fold in range(4)]
    expected = significance.corrected_t(by_fold, test_share=1 / 3)
    (pair,), _ = _compared(*recipes)
    assert (pair["test"], pair["over_folds"]["folds"]) == ("corrected t over folds", 8)
    assert pair["p_value"] == pytest.approx(expected.p_value)
    assert pair["over_folds"]["low"] == pytest.approx(expected.low)


@pytest.mark.parametrize(("seeds", "repeats"), [(1, 3), (2, 2)])
def test_repeated_cross_validations_with_the_same_predictions_do_not_differ(seeds, repeats):
    """The bootstrap draws the same repeats for both, whose folds are the same."""
    recipe = _recipe(0.5, seeds=seeds, repeats=repeats)
    (pair,), _ = _compared(recipe, recipe)
    assert {tuple(one.values()) for one in pair["differences"].values()} == {(0.0, 0.0, 0.0)}


def test_repeats_with_other_folds_are_not_drawn_together():
    recipes = [_recipe(0.5, seeds=1, repeats=3, folds=folds) for folds in (4, 3)]
    (pair,), _ = _compared(*recipes)
    assert pair["differences"]["log_loss"]["low"] < 0 < pair["differences"]["log_loss"]["high"]


def test_interval_includes_the_spread_between_repeats_rather_than_runs():
    """Seeds of a repeat are alike here, so more of them tell no more about the repeats."""
    one = _recipe(0.5, seeds=1, repeats=3)
    same = [run for run in one for _ in range(4)]
    widths = []
    for recipe in (one, same):
        metrics, _ = comparison.compare([recipe], "A", resamples=300, seed=0, confidence=0.95)
        widths.append(metrics[0]["log_loss"])
    assert widths[0] == pytest.approx(widths[1])


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([(2, 2), (2, 2)], "2 seeds × 2 repeats per recipe; "),
        ([(1, 2), (1, 2)], "2 repeats per recipe; "),
        ([(2, 1), (2, 1)], "2 seeds per recipe; "),
        ([(2, 1), (3, 1)], "2 to 3 seeds per recipe; "),
        ([(1, 2), (2, 2)], "2 to 4 runs per recipe; "),
        ([(2, 3)], "2 seeds × 3 repeats of one recipe, "),
    ],
)
def test_numbers_of_seeds_and_repeats_are_said(numbers, said):
    recipes = [
        _recipe(0.5, seeds=seeds, repeats=repeats, draw=100 * n)
        for n, (seeds, repeats) in enumerate(numbers)
    ]
    assert _compared(*recipes)[1][-1].startswith(said)


def test_different_folds_are_said_and_tested_by_the_bootstrap():
    recipes = [_recipe(0.5, seeds=1, repeats=2, folds=folds, draw=folds) for folds in (4, 3)]
    (pair,), said = _compared(*recipes)
    assert pair["test"] == "paired bootstrap"
    assert "trained on 2 of 3 or 3 of 4 folds of these 120 examples" in " ".join(said)
    assert "with the same folds, so they trained on different amounts of data; " in said[-2]
    _, said = _compared(*[_recipe(0.5, seeds=1, repeats=2, draw=draw) for draw in (0, 50)])
    assert "same folds" not in " ".join(said)
