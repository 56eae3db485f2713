"""Compare recipes on the same examples: a test for each pair, and conclusions in sentences."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ftkeras.statistics import bootstrap, significance
from ftkeras.statistics.bootstrap import Predictions, Tested

# A division of the examples into folds: the repeat, and the fold of each example as bytes.
Division = tuple[int, bytes]
FOLDS, MCNEMAR, BOOTSTRAP = "corrected t over folds", "McNemar's mid-p", "paired bootstrap"


class Run(Protocol):
    """A finished run, or one repeat of a cross-validation.

    Attributes:
        predictions: in the same order of examples for all runs.
        repeat: number of the repeat; None for a single run.
        folds: the fold of each example; None for a single run.
    """

    @property
    def predictions(self) -> Predictions: ...
    @property
    def repeat(self) -> int | None: ...
    @property
    def folds(self) -> np.ndarray | None: ...


def compare(
    recipes: Sequence[Sequence[Run]],
    names: Sequence[str],
    *,
    resamples: int,
    seed: int,
    confidence: float,
) -> tuple[list[dict], list[dict]]:
    """Compute the metrics of each recipe and test each pair of recipes, with intervals.

    The p-value of a pair concerns the metric that the predictions name as `tested`, such as
    accuracy. It comes from McNemar's test if both recipes are a single run of correct and wrong
    answers, from the corrected t-test if both are cross-validations with the same folds, and
    otherwise from the bootstrap over examples and runs. Holm's correction covers all pairs.

    Args:
        recipes: the runs of each recipe, all on the same examples.
        names: one name per recipe.
        resamples: number of bootstrap samples.
        seed: of the bootstrap.
        confidence: level of all intervals, between 0 and 1.

    Returns:
        The metrics of each recipe, each with value, low and high; and for each pair its names
        (first, second), the differences of all metrics, the test with its p_value, p_value_holm,
        and the details of the test under mcnemar or over_folds.
    """
    predictions = [[run.predictions for run in runs] for runs in recipes]
    divisions = [[_division(run) for run in runs] for runs in recipes]
    samples = bootstrap.resample(predictions, resamples=resamples, seed=seed, divisions=divisions)
    values = bootstrap.evaluate(predictions)
    count, order = len(recipes), recipes[0][0].predictions.metrics
    tested = order.index(recipes[0][0].predictions.tested.name)
    metrics = [
        _with_ends(
            order, values[n], *bootstrap.intervals(predictions[n], samples[:, n], confidence)
        )
        for n in range(count)
    ]
    pairs = []
    for first, second in itertools.combinations(range(count), 2):
        differences = samples[:, second] - samples[:, first]
        pair = {
            "first": names[first],
            "second": names[second],
            "differences": _with_ends(
                order,
                values[second] - values[first],
                *bootstrap.percentile_interval(differences, confidence),
            ),
            **_test(recipes[first], recipes[second], differences[:, tested], confidence),
        }
        pairs.append(pair)
    for pair, p_value in zip(pairs, significance.holm([p["p_value"] for p in pairs]), strict=True):
        pair["p_value_holm"] = float(p_value)
    return metrics, pairs


def spread(runs: Sequence[Run]) -> dict[str, dict]:
    """Return each metric's mean and standard deviation over the runs of a recipe.

    Returns:
        For each metric, mean and sd (with n − 1 in the denominator): None for a single run, or if
        the metric is undefined.
    """
    values = np.concatenate([bootstrap.evaluate([[run.predictions]]) for run in runs])
    return {
        name: {"mean": _known(column.mean()), "sd": _sd(column)}
        for name, column in zip(runs[0].predictions.metrics, values.T, strict=True)
    }


def _sd(values: np.ndarray) -> float | None:
    return None if len(values) < 2 else _known(values.std(ddof=1))


def _known(value: np.floating | float) -> float | None:
    return None if np.isnan(value) else float(value)


def tested_difference(pair: Mapping[str, Any], tested: Tested) -> dict:
    """Return value, low and high of the difference that the pair's test concerns."""
    if pair["over_folds"] is None:
        return pair["differences"][tested.name]
    estimate = pair["over_folds"]
    return {"value": estimate["mean"], "low": estimate["low"], "high": estimate["high"]}


def shown_p(value: float, *, sign: bool = False) -> str:
    """Format a p-value.

    >>> shown_p(0.0312), shown_p(0.00002), shown_p(0.5, sign=True)
    ('0.031', '< 0.001', 'p = 0.5')
    """
    shown = "< 0.001" if value < 0.001 else f"{value:.2g}"
    return shown if not sign else f"p {shown}" if value < 0.001 else f"p = {shown}"


def _with_ends(
    names: Sequence[str], values: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, dict]:
    rows = zip(names, values.tolist(), low.tolist(), high.tolist(), strict=True)
    return {
        name: {"value": None, "low": None, "high": None}
        if np.isnan(value)
        else {"value": value, "low": _known(lower), "high": _known(upper)}
        for name, value, lower, upper in rows
    }


def _test(
    first: Sequence[Run], second: Sequence[Run], differences: np.ndarray, confidence: float
) -> dict:
    """Test a pair of recipes by the differences of the tested metric in the bootstrap samples."""
    details: dict[str, dict | None] = {"mcnemar": None, "over_folds": None}
    is_count = first[0].predictions.scores.dtype == bool
    if len(first) == len(second) == 1 and first[0].folds is None and is_count:
        correct = (runs[0].predictions.scores for runs in (first, second))
        details["mcnemar"] = mcnemar = significance.mcnemar(*correct)
        return {"test": MCNEMAR, "p_value": mcnemar["p_value"], **details}
    folds, by_fold = fold_count(first[0]), _fold_differences(first, second)
    if folds is not None and len(by_fold):
        share = 1 / (folds - 1)
        estimate = significance.corrected_t(by_fold, test_share=share, confidence=confidence)
        if estimate.p_value is not None:
            details["over_folds"] = {**vars(estimate), "folds": len(by_fold)}
            return {"test": FOLDS, "p_value": estimate.p_value, **details}
    return {"test": BOOTSTRAP, "p_value": bootstrap.p_value(differences), **details}


def _fold_differences(first: Sequence[Run], second: Sequence[Run]) -> np.ndarray:
    """Return the tested difference of each fold; empty unless both recipes share their folds.

    Several seeds with the same folds are no further folds: their mean is compared.
    """
    differences = []
    for division in shared_divisions(first, second):
        same = [[run for run in runs if _division(run) == division] for runs in (first, second)]
        scores = [np.mean([r.predictions.scores for r in runs], 0, dtype=float) for runs in same]
        gain, folds = scores[1] - scores[0], np.frombuffer(division[1], np.int64)
        differences += [gain[folds == fold].mean() for fold in np.unique(folds)]
    return np.array(differences)


def shared_divisions(first: Sequence[Run], second: Sequence[Run]) -> list[Division]:
    """Return the divisions into folds of two recipes, sorted; none if they are not the same."""
    divisions = {division for run in first if (division := _division(run))}
    return sorted(divisions) if divisions == set(map(_division, second)) else []


def _division(run: Run) -> Division | None:
    return None if run.folds is None else (run.repeat or 0, run.folds.astype(np.int64).tobytes())


def fold_count(run: Run) -> int | None:
    """Return the number of folds of a cross-validation; None for a single run."""
    return None if run.folds is None else len(np.unique(run.folds))
