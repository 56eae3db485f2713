"""The report page of a recognizer of entities: its types, and the kinds of its errors."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.bars import StackedBars
from ftkeras.figures.heat_map import HeatMap
from ftkeras.figures.parts import Column, Part, Plot, Table
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._known_phrases import KnownPhrases
from ftkeras.problems._page import Row, Texts
from ftkeras.statistics.entity_predictions import EntityPredictions
from ftkeras.statistics.ratios import f1
from ftkeras.support import tags

NOTHING = "nothing"
RIGHT, BOUNDARY, TYPE, BOTH, MISSED = "right", "boundary", "type", "type and boundary", "missed"
OUTCOMES = (RIGHT, BOUNDARY, TYPE, BOTH, MISSED)
Span = tuple[str, int, int]


class EntitiesPage:
    """Offers the parts of a page to problems whose answer is the entities of a text."""

    types: tuple[str, ...]

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return a row for each type, with boundary errors apart from type errors, and plots."""
        matched = [match(_spans(row["entities"]), _spans(row["predicted"])) for row in rows]
        pairs = [pair for text in matched for pair in text]
        outcomes = {kind: Counter[str]() for kind in self.types}
        for true, predicted in pairs:
            if true is not None:
                outcomes[true[0]][outcome(true, predicted)] += 1
        return [
            _table(self.types, pairs, outcomes),
            _outcomes(self.types, outcomes),
            _confusion(self.types, pairs),
        ]

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the phrases that were entities in training."""
        entities = [
            [(self.types[kind], int(start), int(end)) for kind, start, end in tags.decode(answer)]
            for answer in data.targets
        ]
        known = KnownPhrases([one["text"] for one in data.train], entities)
        predicted = [known.find(one["text"]) for one in data.texts]
        truth = [set(_spans(row["entities"])) for row in data.rows]
        predictions = EntityPredictions.compare(truth, predicted)
        return [Baseline("phrases known from training", predictions)]


def match(truth: Sequence[Span], found: Sequence[Span]) -> list[tuple[Span | None, Span | None]]:
    """Pair the true entities of a text with those that were found.

    Each is in one pair. Those that are equal are paired first, then those with equal boundaries,
    then those that overlap: the more they share, the earlier, and of these, those of one type. What
    is left is paired with None.

    >>> match([("PER", 0, 4), ("LOC", 9, 12)], [("PER", 0, 8)])
    [(('PER', 0, 4), ('PER', 0, 8)), (('LOC', 9, 12), None)]
    """
    partners: dict[int, int] = {}
    used: set[int] = set()
    for t, f in sorted(_overlapping(truth, found), key=lambda pair: _rank(truth, found, *pair)):
        if t not in partners and f not in used:
            partners[t] = f
            used.add(f)
    pairs: list[tuple[Span | None, Span | None]] = [
        (true, found[partners[t]] if t in partners else None) for t, true in enumerate(truth)
    ]
    return [*pairs, *((None, other) for f, other in enumerate(found) if f not in used)]


def _overlapping(truth: Sequence[Span], found: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of a true entity and one that was found, of all that overlap.

    It goes through both by their starts, and compares each with those that have not ended yet, so
    that it only takes long if many overlap.
    """
    sides = (truth, found)
    starts = sorted(
        (start, side, number)
        for side, spans in enumerate(sides)
        for number, (_, start, end) in enumerate(spans)
        if end > start
    )
    opened: tuple[list[int], list[int]] = ([], [])
    for start, side, number in starts:
        other = 1 - side
        opened[other][:] = [n for n in opened[other] if sides[other][n][2] > start]
        yield from ((number, n) if side == 0 else (n, number) for n in opened[other])
        opened[side].append(number)


def _rank(truth: Sequence[Span], found: Sequence[Span], t: int, f: int) -> tuple:
    """Return a key that sorts overlapping pairs: the more they share, the earlier."""
    (kind, *true), (other_kind, *other) = truth[t], found[f]
    overlap = min(true[1], other[1]) - max(true[0], other[0])
    union = max(true[1], other[1]) - min(true[0], other[0])
    return -overlap / union, kind != other_kind, t, f


def outcome(true: Span, found: Span | None) -> str:
    """Return the outcome for a true entity: right, missed, or the kind of error.

    >>> outcome(("PER", 0, 4), ("PER", 0, 8)), outcome(("PER", 0, 4), None)
    ('boundary', 'missed')
    """
    if found is None:
        return MISSED
    if true[1:] == found[1:]:
        return RIGHT if true[0] == found[0] else TYPE
    return BOUNDARY if true[0] == found[0] else BOTH


def _spans(entities: Sequence[Mapping[str, Any]]) -> list[Span]:
    return [(entity["type"], entity["start"], entity["end"]) for entity in entities]


def _table(
    types: Sequence[str],
    pairs: Sequence[tuple[Span | None, Span | None]],
    outcomes: Mapping[str, Counter[str]],
) -> Table:
    counts = Counter(span[0] for _, span in pairs if span is not None)
    spurious = Counter(span[0] for true, span in pairs if true is None and span is not None)
    rows = []
    for kind in types:
        own, actual = outcomes[kind], outcomes[kind].total()
        right, predicted = own[RIGHT], counts[kind]
        rows.append(
            [
                kind,
                actual,
                predicted,
                right / predicted if predicted else None,
                right / actual if actual else None,
                float(f1(*map(np.array, (right, predicted, actual)))) if actual else None,
                *(own[name] for name in OUTCOMES[1:]),
                spurious[kind],
            ]
        )
    columns = [
        *("type", "entities", "found"),
        *(Column(title, "{:.3f}", is_share=True) for title in ("precision", "recall", "F1")),
        Column("wrong boundary", help="the right type, but another start or end"),
        Column("wrong type", help="the right start and end, but another type"),
        Column("both wrong", help="another type, and another start or end that overlaps"),
        Column("missed", help="nothing was found there"),
        Column("spurious", help="found where there is no entity"),
    ]
    note = "An entity is right if type, start and end are right."
    return Table("types", "Metrics and errors of each type", columns, rows, note)


def _outcomes(types: Sequence[str], outcomes: Mapping[str, Counter[str]]) -> Plot:
    shown = sorted(types, key=lambda kind: -outcomes[kind].total())[:20]
    totals = [max(1, outcomes[kind].total()) for kind in shown]
    parts = {
        name: [outcomes[kind][name] / total for kind, total in zip(shown, totals, strict=True)]
        for name in OUTCOMES
    }
    sums = {name: sum(own[name] for own in outcomes.values()) for name in OUTCOMES}
    return Plot(
        "outcomes",
        "What became of the entities",
        StackedBars(shown, parts, "share of the entities of a type"),
        alt=", ".join(f"{name}: {count:,}" for name, count in sums.items()) + ".",
        size=(4.5, max(2.2, 1.3 + 0.32 * len(shown))),
    )


def _confusion(types: Sequence[str], pairs: Sequence[tuple[Span | None, Span | None]]) -> Plot:
    names = [*types, NOTHING]
    number = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), int)
    for true, predicted in pairs:
        row, column = (NOTHING if span is None else span[0] for span in (true, predicted))
        counts[number[row], number[column]] += 1
    heat_map = HeatMap(counts, names, names, "true type", "type found there")
    return Plot(
        "confusion",
        "Types that are found in place of others",
        heat_map,
        alt=f"{np.trace(counts):,} of {counts.sum():,} have the right type.",
        note="Of entities that overlap. The stronger the colour, the larger the share of a row.",
        size=heat_map.size,
    )
