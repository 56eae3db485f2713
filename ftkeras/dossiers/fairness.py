"""The part about fairness: how good the model is for each group, and what it answers to them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.figures.parts import Column, Missing, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.pages.metric_names import title
from ftkeras.statistics import groups
from ftkeras.statistics.groups import Gap, Group

NOTE = (
    "Wilson's or Student's intervals, which hold together for all groups of a column with 95 % "
    f"probability (Bonferroni). Groups with fewer than {groups.LEAST} examples have none; all but "
    f"the {groups.MOST_SMALL} largest of these are one row."
)
MEASURES = (
    "Demographic parity: the largest difference between groups in the share that gets this answer. "
    "Equalized odds: the largest difference in the share of those, right or wrong, that get it. "
    f"By fairlearn, over groups with at least {groups.LEAST} examples. Equalized odds leave out "
    "groups in which no text, or every text, should get this answer: a share of theirs is unknown."
)
FEWER_THAN_TWO = "fewer than two groups have texts that should get this answer and others"


def part(subject: Subject) -> Part:
    """Return the part about the groups in some columns of the data.

    Raises:
        UserError: if no column is named, there is none of that name, or the data can't be read.
    """
    if not subject.groups:
        raise UserError(
            "no column was named whose values are groups; name one with --groups=column"
        )
    view = subject.view
    tested = view.predictions.tested
    scores = np.asarray(view.predictions.scores, float)
    by_group: dict[str, Any] = {}
    shown: list[Shown] = []
    for name in subject.groups:
        values = [value or "(empty)" for value in view.texts.column(view.split, name)]
        compared, gap = groups.compare(values, scores)
        odds, missing = _measures(subject, values, compared)
        by_group[name] = {
            "groups": [vars(one) for one in compared],
            "gap": None if gap is None else vars(gap),
            "measures": odds,
        }
        shown += [
            _verdict(name, compared, gap, tested.name),
            _table(name, compared, tested.name),
            *_odds_table(name, odds),
            *missing,
        ]
    data = {
        "metric": tested.name,
        "split": view.split,
        "groups": by_group,
        "compared": [name for name, one in by_group.items() if one["gap"] is not None],
    }
    return Part("fairness", "Fairness", data, shown)


def _measures(
    subject: Subject, values: Sequence[str], compared: Sequence[Group]
) -> tuple[list[dict[str, Any]], list[Shown]]:
    """Return fairlearn's measures of each answer; none unless answers are one of a few names."""
    rows = subject.view.rows
    pairs = [(row.get("label"), row.get("predicted")) for row in rows]
    if not all(isinstance(one, str) for pair in pairs for one in pair):
        return [], []
    large = {one.name for one in compared if one.low is not None}
    kept = [n for n, value in enumerate(values) if value in large]
    if len(large) < 2:
        return [], []
    try:
        from fairlearn import metrics
    except ImportError:
        reason = "they need the package fairlearn: pip install 'ftkeras[dossier]'"
        return [], [Missing("Measures of fairness", f"{reason}.")]
    sensitive = np.array([values[n] for n in kept])
    measured = []
    for label in subject.view.problem.names:
        truth, answers = (np.array([pairs[n][side] == label for n in kept]) for side in (0, 1))
        arguments: dict[str, Any] = {
            "y_true": truth,
            "y_pred": answers,
            "sensitive_features": sensitive,
        }
        parity = float(metrics.demographic_parity_difference(**arguments))
        odds = _odds(metrics.equalized_odds_difference, arguments)
        measured.append({"answer": label, "demographic_parity": parity, **odds})
    return measured, []


def _odds(measure: Callable[..., Any], arguments: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return equalized odds, and the groups left out: fairlearn counts an unknown rate as 0."""
    truth, sensitive = arguments["y_true"], arguments["sensitive_features"]
    comparable = set(sensitive[truth]) & set(sensitive[~truth])
    left_out = sorted({str(name) for name in sensitive} - comparable)
    if len(comparable) < 2:
        return {"equalized_odds": None, "left_out": left_out, "reason": FEWER_THAN_TWO}
    kept = np.isin(sensitive, list(comparable))
    odds = measure(**{name: values[kept] for name, values in arguments.items()})
    return {"equalized_odds": float(odds), "left_out": left_out}


def _verdict(name: str, compared: Sequence[Group], gap: Gap | None, metric: str) -> Notice:
    small = [f"{one.name} ({one.count:,})" for one in compared if one.low is None]
    also = f" Too small to conclude anything: {', '.join(small)}." if small else ""
    if gap is None:
        return Notice(f"{name}: fewer than two groups are large enough to compare.{also}", "info")
    about = (
        f"{title(metric)} differs by {gap.value:.3f} between {gap.best} and {gap.worst}, "
        f"95 % interval {gap.low:+.3f} to {gap.high:+.3f}"
    )
    if gap.low > 0:
        return Notice(f"{name}: {about}.{also}")
    return Notice(f"{name}: no difference is shown. {about}.{also}", "info")


def _table(name: str, compared: Sequence[Group], metric: str) -> Table:
    columns: list[str | Column] = [
        *("group", "examples", title(metric)),
        "interval, from",
        "to",
    ]
    rows = [[one.name, one.count, one.mean, one.low, one.high] for one in compared]
    return Table(f"groups_{_key(name)}", f"Groups by {name}", columns, rows, NOTE)


def _odds_table(name: str, odds: Sequence[dict[str, Any]]) -> list[Shown]:
    if not odds:
        return []
    columns = [
        "answer",
        "demographic parity difference",
        "equalized odds difference",
        "groups that equalized odds leave out",
    ]
    rows = [
        [
            *(one["answer"], one["demographic_parity"], one["equalized_odds"]),
            ", ".join(one["left_out"]) or None,
        ]
        for one in odds
    ]
    table = Table(f"measures_{_key(name)}", f"Answers by {name}", columns, rows, MEASURES)
    return [table]


def _key(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower())
