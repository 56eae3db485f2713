"""Shared by problems whose answers are numbers: their summary, correlations and errors."""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ftkeras.problems._doubt import doubt_interval


def summarize(targets: np.ndarray) -> dict[str, Any]:
    """Return the number of examples, and each output's mean, sd, lowest and highest answer.

    Args:
        targets: [examples, outputs].
    """
    figures = {
        "mean": targets.mean(axis=0),
        "sd": targets.std(axis=0),
        "lowest": targets.min(axis=0),
        "highest": targets.max(axis=0),
    }
    return {"examples": len(targets), **{name: v.tolist() for name, v in figures.items()}}


def measure(answers: np.ndarray, predicted: np.ndarray) -> dict[str, float | None]:
    """Return the metrics of one output, by SciPy and scikit-learn; None if one is undefined.

    >>> measured = measure(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    >>> round(measured["spearman"], 4), round(measured["mae"], 4)
    (1.0, 0.3333)
    """
    from scipy import stats
    from sklearn import metrics

    with warnings.catch_warnings():  # a constant has no correlation with anything
        warnings.simplefilter("ignore")
        ranked: Any = stats.spearmanr(answers, predicted)
        # Rounding gives a constant such as 3.3 a small standard deviation.
        varies = [bool(np.ptp(column) > 0) for column in (answers, predicted)]
        pearson = float(np.corrcoef(answers, predicted)[0, 1]) if all(varies) else math.nan
        r2 = float(metrics.r2_score(answers, predicted)) if varies[0] else math.nan
    measured = {
        "spearman": float(ranked.statistic),
        "pearson": pearson,
        "rmse": float(metrics.root_mean_squared_error(answers, predicted)),
        "mae": float(metrics.mean_absolute_error(answers, predicted)),
        "r2": r2,
    }
    return {name: None if math.isnan(value) else value for name, value in measured.items()}


def correlation_doubt(metrics: Mapping[str, Any]) -> str | None:
    """Return a sentence if the interval of Spearman's correlation is wide, or None."""
    if metrics["spearman"] is None or metrics["examples"] < 4:
        return None
    correlation = metrics["spearman"]
    interval = fisher(correlation, metrics["examples"])
    return doubt_interval("Spearman correlation", correlation, *interval)


def fisher(correlation: float, examples: int) -> tuple[float, float]:
    """Return the 95 % interval of a correlation by Fisher's z, at least 4 examples.

    Source: Fisher, 1921; with the variance 1.06 / (n - 3) of Spearman's: Fieller et al., 1957,
    https://doi.org/10.1093/biomet/44.3-4.470.

    >>> [round(end, 3) for end in fisher(0.5, 103)]
    [0.334, 0.636]
    """
    z, half = (
        math.atanh(min(0.999999, max(-0.999999, correlation))),
        1.96 * math.sqrt(1.06 / (examples - 3)),
    )
    return math.tanh(z - half), math.tanh(z + half)
