"""What may be concluded from ways measured on the same examples: tests of pairs, and words."""

import itertools
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ftkeras.statistics import bootstrap, significance

FOLDS, MCNEMAR, BOOTSTRAP = "corrected t over folds", "McNemar's mid-p", "paired bootstrap"


class Measured(Protocol):
    """A run, or one repeat of a cross-validation, as it answered the examples.

    Attributes:
        answers: what it answered.
        repeat: of the cross-validation; None of a run.
        folds: integer [examples], the fold of each example; None of a run.
    """

    @property
    def answers(self) -> bootstrap.Answers: ...
    @property
    def repeat(self) -> int | None: ...
    @property
    def folds(self) -> np.ndarray | None: ...


def pairs(
    ways: Sequence[Sequence[Measured]], names: str, *, resamples: int, seed: int, confidence: float
) -> tuple[list[dict], list[dict]]:
    """The figures of each way, and each pair of ways tested, with their intervals.

    The p-value of a pair is on accuracy: where both ways are one run, by McNemar's test; of
    cross-validations with the same folds, over those; else by the bootstrap over examples and
    seeds. Holm's correction is over all pairs.

    Args:
        ways: the runs of each, all on the same examples.
        names: a letter a way.
        resamples, seed: of the bootstrap.
        confidence: of all intervals.
    """
    answers = [[run.answers for run in runs] for runs in ways]
    samples = bootstrap.resampled(answers, resamples=resamples, seed=seed)
    measured = bootstrap.measured(answers)
    figures = [_intervals(measured[way], samples[:, way], confidence) for way in range(len(ways))]
    found = []
    for first, second in itertools.combinations(range(len(ways)), 2):
        apart = samples[:, second] - samples[:, first]
        pair = {
            "first": names[first],
            "second": names[second],
            "differences": _intervals(measured[second] - measured[first], apart, confidence),
            **_tested(ways[first], ways[second], apart[:, 0], confidence),
        }
        found.append(pair)
    for pair, p_value in zip(found, significance.holm([p["p_value"] for p in found]), strict=True):
        pair["p_value_holm"] = float(p_value)
    return figures, found


def _intervals(values: np.ndarray, samples: np.ndarray, confidence: float) -> dict[str, dict]:
    low, high = bootstrap.interval(samples, confidence)
    rows = zip(bootstrap.FIGURES, values.tolist(), low.tolist(), high.tolist(), strict=True)
    return {
        name: {"value": None, "low": None, "high": None}
        if np.isnan(value)
        else {"value": value, "low": least, "high": most}
        for name, value, least, most in rows
    }


def _tested(
    first: Sequence[Measured], second: Sequence[Measured], apart: np.ndarray, confidence: float
) -> dict:
    tests = {"mcnemar": None, "over_folds": None}
    if len(first) == len(second) == 1 and first[0].folds is None:
        tests["mcnemar"] = significance.mcnemar(first[0].answers.right, second[0].answers.right)
        return {"test": MCNEMAR, "p_value": tests["mcnemar"]["p_value"], **tests}
    if (by_fold := _fold_differences(first, second)) is not None:
        share = 1 / (_fold_count(first[0]) - 1)
        found = significance.over_folds(by_fold, test_share=share, confidence=confidence)
        tests["over_folds"] = {**vars(found), "folds": len(by_fold)}
        return {"test": FOLDS, "p_value": found.p_value, **tests}
    return {"test": BOOTSTRAP, "p_value": bootstrap.p_value(apart), **tests}


def _fold_differences(first: Sequence[Measured], second: Sequence[Measured]) -> np.ndarray | None:
    """The difference in accuracy of each fold; None where the two do not share their folds."""
    by_repeat = [{run.repeat: run for run in way} for way in (first, second)]
    unlike = by_repeat[0].keys() != by_repeat[1].keys() or None in by_repeat[0]
    if unlike or len(by_repeat[0]) < max(len(first), len(second)):
        return None
    found = []
    for repeat, run in sorted(by_repeat[0].items()):
        other = by_repeat[1][repeat]
        if not np.array_equal(run.folds, other.folds):
            return None
        apart = other.answers.right.astype(float) - run.answers.right
        found += [apart[run.folds == fold].mean() for fold in np.unique(run.folds)]
    return np.array(found)


def _fold_count(run: Measured) -> int:
    return len(np.unique(run.folds))


def accuracy_difference(pair: dict) -> dict:
    """The difference in accuracy that the pair's test is about: value, low and high."""
    if pair["over_folds"] is None:
        return pair["differences"]["accuracy"]
    return {
        "value": pair["over_folds"]["mean"],
        **{k: pair["over_folds"][k] for k in ("low", "high")},
    }


def conclusions(
    ways: Sequence[Sequence[Measured]], found: Sequence[dict], *, split: str, confidence: float
) -> list[str]:
    """Sentences: what is shown, what is not, and what it is about."""
    shown = [pair for pair in found if pair["p_value_holm"] < 1 - confidence]
    told = _shown(shown)
    if unshown := [pair for pair in found if pair not in shown]:
        told.append(_not_shown(unshown, len(found)))
    return [*told, _about(ways, split), _draws(ways)]


def _shown(pairs: Sequence[dict]) -> list[str]:
    """A sentence a winner."""
    won = {}
    for pair in pairs:
        apart = accuracy_difference(pair)
        better, worse = pair["second"], pair["first"]
        value, low, high = (100 * apart[key] for key in ("value", "low", "high"))
        if value < 0:
            better, worse, value, low, high = worse, better, -value, -high, -low
        p_value = shown_p(pair["p_value_holm"], sign=True)
        by = f"than {worse} by {value:.1f} points [{low:.1f}, {high:.1f}], {p_value}"
        won.setdefault(better, []).append(by)
    return [f"{better} is more accurate {'; '.join(by)}." for better, by in won.items()]


def _not_shown(pairs: Sequence[dict], count: int) -> str:
    if count > 1:
        named = ", ".join(f"{pair['first']} and {pair['second']}" for pair in pairs)
        which = f"between {named}" if len(pairs) <= 3 else f"within the other {len(pairs)} pairs"
        which = "between any two" if len(pairs) == count else which
        return (
            f"No difference in accuracy is shown {which}; that is not to say that there is none: "
            "the intervals say how large it may be."
        )
    apart, p_value = accuracy_difference(pairs[0]), shown_p(pairs[0]["p_value_holm"], sign=True)
    low, high = 100 * apart["low"], 100 * apart["high"]
    return (
        f"No difference in accuracy is shown between {pairs[0]['first']} and {pairs[0]['second']} "
        f"({p_value}); that is not to say that there is none: from {low:+.1f} to {high:+.1f} "
        "points would fit what was seen."
    )


def _about(ways: Sequence[Sequence[Measured]], split: str) -> str:
    examples, first = len(ways[0][0].answers.labels), ways[0][0]
    if first.folds is not None:
        folds = _fold_count(first)
        return (
            f"It is about models trained on {folds - 1} of {folds} folds "
            f"of these {examples:,} examples, whose own fold picked the epoch; it says nothing "
            "about other data."
        )
    flatters = ", which picked each run's epoch and so flatter all" * (split == "validation")
    return (
        f"It is about these {examples:,} {split} examples{flatters}, and others drawn as they "
        "were; it says nothing about other data."
    )


def _draws(ways: Sequence[Sequence[Measured]]) -> str:
    counts = [len(runs) for runs in ways]
    cross_validated = ways[0][0].folds is not None
    kind = "drawing of the folds" if cross_validated else "seed"
    if max(counts) == 1 and cross_validated:
        return "One drawing of the folds each: another may turn a close result round (--repeats)."
    if max(counts) == 1:
        return (
            "One seed each: it is about these models, not about the ways they were trained; "
            "another seed may turn it round."
        )
    plural = "drawings of the folds" if cross_validated else "seeds"
    if min(counts) == max(counts):
        return f"{counts[0]} {plural} each; how they scatter is in the intervals."
    return (
        f"From {min(counts)} to {max(counts)} {plural} a way; how they scatter is in the "
        f"intervals, but not of a way with one {kind}."
    )


def shown_p(value: float, *, sign: bool = False) -> str:
    """A p-value for a reader.

    >>> shown_p(0.0312), shown_p(0.00002), shown_p(0.5, sign=True)
    ('0.031', '< 0.001', 'p = 0.5')
    """
    shown = "< 0.001" if value < 0.001 else f"{value:.2g}"
    return shown if not sign else f"p {shown}" if value < 0.001 else f"p = {shown}"
