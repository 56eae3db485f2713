"""The section about parts of the split: where the model is worse than elsewhere."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.parts import Column, Missing, Notice, Part, Section, Table
from ftkeras.pages.metric_names import title, words
from ftkeras.pages.run_view import RunView
from ftkeras.statistics import slices
from ftkeras.statistics.slices import Result, Slice

log = logging.getLogger(__name__)

LEVEL = 0.05
MOST_NAMED = 5


def section(view: RunView) -> Section:
    """Return the section about slices."""
    try:
        scores = np.asarray(view.predictions.scores, float)
    except UserError as error:
        return Section("Slices", "slices", [Missing("Slices", f"{error}.")])
    asked: list[tuple[str, Callable[[], list[Slice]]]] = [
        ("Slices by true answer", lambda: _by_answer(view)),
        ("Slices by length", lambda: _by_length(view)),
        *(
            (f"Slices by {name!r}", lambda name=name: _by_column(view, name))
            for name in view.slices
        ),
        *((f"Slice {spec!r}", lambda spec=spec: _by_pattern(view, spec)) for spec in view.patterns),
    ]
    chosen: list[Slice] = []
    missing: list[Part] = []
    for what, read in asked:
        try:
            chosen += read()
        except UserError as error:
            missing.append(Missing(what, str(error)))
            log.warning("%s", f"{what[0].lower()}{what[1:]} are missing: {error}")
    results = slices.compare(chosen, scores)
    tested = view.predictions.tested
    parts = [*_verdict(results, tested.name, tested.lower_is_better), *_table(results, tested.name)]
    return Section("Slices", "slices", [*parts, *missing], {"metric": tested.name})


def _by_answer(view: RunView) -> list[Slice]:
    """Return slices by what lines of predictions have as the true answer, if it is of few kinds.

    The answers to a question are a list of strings as well, but nearly all of them are different.
    """
    chosen: list[Slice] = []
    truths = [view.problem.truth(row) for row in view.rows]
    for key in truths[0]:
        values: list[Any] = [truth.get(key) for truth in truths]
        if all(isinstance(value, str) for value in values):
            chosen += slices.by_value(key, values)
        elif all(_has_labels(value, view.problem.names) for value in values):
            names = sorted({label for value in values for label in value})
            members = np.array([[name in value for name in names] for value in values], bool)
            chosen += slices.by_membership(key, names, members) if names else []
    return chosen


def _has_labels(value: object, names: Sequence[str]) -> bool:
    return isinstance(value, list) and all(label in names for label in value)


def _by_length(view: RunView) -> list[Slice]:
    lengths = [sum(len(text.split()) for text in texts.values()) for texts in view.split_texts]
    return slices.by_length(np.array(lengths), "words")


def _by_column(view: RunView, name: str) -> list[Slice]:
    return slices.by_value(name, view.texts.column(view.split, name))


def _by_pattern(view: RunView, spec: str) -> list[Slice]:
    return slices.by_pattern(spec, [" | ".join(texts.values()) for texts in view.split_texts])


def _verdict(results: Sequence[Result], metric: str, lower_is_better: bool) -> list[Part]:
    """Return the verdict of the corrected tests; nothing if nothing was tested."""
    tested = [one for one in results if one.p_value_holm is not None]
    if not tested:
        return []
    worse = [
        one
        for one in tested
        if one.p_value_holm is not None
        and one.p_value_holm < LEVEL
        and (one.mean > one.rest) == lower_is_better
        and one.mean != one.rest
    ]
    if not worse:
        number = words(metric)
        text = f"None of {len(tested)} slices is shown to have a worse {number} than the rest."
        return [Notice(text, "info")]
    worse.sort(key=lambda one: one.p_value_holm or 0.0)
    named = [
        f"{one.group} {one.name}: {one.mean:.3f} against {one.rest:.3f} of the rest, "
        f"{one.count:,} examples"
        for one in worse[:MOST_NAMED]
    ]
    more = f"; and {len(worse) - MOST_NAMED} more" if len(worse) > MOST_NAMED else ""
    return [Notice(f"Worse {title(metric)} than elsewhere: {'; '.join(named)}{more}.")]


def _table(results: Sequence[Result], metric: str) -> list[Part]:
    if not results:
        return []
    columns = [
        "by",
        "slice",
        "examples",
        Column(title(metric)),
        Column("95 % interval, from"),
        "to",
        Column("the rest"),
        Column("p", "{:.2g}", "that both are the same, corrected for all slices by Holm's method"),
    ]
    rows = [
        [r.group, r.name, r.count, r.mean, r.low, r.high, r.rest, r.p_value_holm] for r in results
    ]
    note = (
        f"Slices with fewer than {slices.LEAST} examples, in them or outside, are not tested. "
        r"Other slices: --slices=column or '--slice=negation=\bnot\b'."
    )
    return [Table("slices", "Parts of the split, each compared with the rest", columns, rows, note)]
