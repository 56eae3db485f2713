"""The part about counterfactual texts: what changes if names, pronouns or dialect words do."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.dossiers import asking, substitutions
from ftkeras.dossiers.memorization import spread
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.dossiers.substitutions import Dimension
from ftkeras.figures.parts import Column, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.statistics import groups, paired
from ftkeras.statistics.significance import wilson

# Texts that are searched for words, and those with one that are answered, both evenly spread.
SEARCHED, MOST = 5_000, 200
# Smaller moves, of a probability or a number, are shown and are no warning.
LEAST_MOVE = 0.01
NOTE = (
    "Each text that has such a word is answered in every version. Changed: texts that do not get "
    "the same answer in all of them, with Wilson's interval. With fewer than "
    f"{groups.LEAST} texts, nothing is concluded. The lists of words are ours, and short; what "
    "describes the words of a dialect is in counterfactuals.json."
)
MOVED = (
    "The mean difference between the second and the first version of the same text, with Student's "
    "interval. The intervals of a dimension hold together with 95 % probability (Bonferroni)."
)


def part(subject: Subject) -> Part:
    """Return the part about exchanged words.

    Raises:
        UserError: if the data can't be read, the run kept no weights, or its problem answers words
            rather than texts.
    """
    asking.require_whole_texts(subject)
    dimensions = substitutions.dimensions().values()
    changed = changes(subject, [Exchange.of(one) for one in dimensions])
    sources = {one.name: one.source for one in dimensions if one.source}
    data = {
        "split": subject.view.split,
        "dimensions": changed,
        "compared": [one["name"] for one in changed if one["texts"] >= groups.LEAST],
        "sources": sources,
    }
    return Part("counterfactuals", "Counterfactual texts", data, shown(changed))


@dataclass(frozen=True)
class Exchange:
    """Versions of texts whose answers are compared.

    Attributes:
        name: of what is exchanged.
        versions: their names.
        version: returns a version of a text, given its number.
    """

    name: str
    versions: tuple[str, ...]
    version: Callable[[str, int], str]

    @classmethod
    def of(cls, dimension: Dimension) -> "Exchange":
        """Return the exchange of the words of a dimension."""
        return cls(dimension.name, dimension.versions, dimension.version)


def changes(subject: Subject, exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return the changes in the answers to texts of the split; see `compare`.

    Args:
        subject: the run.
        exchanges: each with at least two versions, all of which are asked about each text in which
            the first two differ.
    """
    examples = spread(subject.examples[subject.view.split], SEARCHED)
    texts, asked, rows = subject.raw_texts(examples), [], []
    for one in exchanges:
        versions, chosen = _versions(one, texts)
        rows.append(chosen)
        if len(chosen) >= groups.LEAST:
            asked += [(version, examples.select(chosen).targets) for version in versions]
    answers = iter(_ask(subject, asked))
    compared = []
    for one, chosen in zip(exchanges, rows, strict=True):
        if len(chosen) < groups.LEAST:
            compared.append({"name": one.name, "texts": len(chosen)})
        else:
            given = [next(answers) for _ in one.versions]
            compared.append(compare(one, given, subject.view.problem.names))
    return compared


def _ask(subject: Subject, asked: Sequence[tuple[Any, np.ndarray]]) -> list[list[dict[str, Any]]]:
    """Return the answers to each list of texts, all asked at once."""
    if not asked:
        return []
    joined = [text for texts, _ in asked for text in texts]
    (answers,) = asking.answers(subject, [joined], np.concatenate([t for _, t in asked]))
    ends = np.cumsum([len(texts) for texts, _ in asked]).tolist()
    return [answers.rows[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def compare(
    exchange: Exchange, versions: Sequence[Sequence[dict[str, Any]]], names: Sequence[str]
) -> dict[str, Any]:
    """Return how the answers differ between the versions of the same texts.

    Args:
        exchange: what was exchanged.
        versions: the answers to each version, in the order of the exchange's.
        names: of the outputs.
    """
    size = len(versions[0])
    figures: dict[str, Any] = {"name": exchange.name, "texts": size}
    answers = [asking.chosen(rows) for rows in versions]
    if all(one is not None for one in answers):
        changed = sum(len(set(of_text)) > 1 for of_text in zip(*answers, strict=True))
        low, high = wilson(changed / size, size)
        figures |= {"changed": changed, "share": changed / size, "low": low, "high": high}
        figures["demographic_parity"] = {
            name: _parity(name, exchange.versions, answers) for name in names
        }
    values = [asking.numbers(rows) for rows in versions]
    if all(one is not None and one.shape[1] == len(names) for one in values):
        figures["moved"] = _moved(exchange, np.array(values), names)
    return figures


def _versions(
    exchange: Exchange, texts: Sequence[dict[str, str]]
) -> tuple[list[list[dict[str, str]]], np.ndarray]:
    """Return the versions of texts in which the first two differ, and which texts these are."""

    def version(one: dict[str, str], number: int) -> dict[str, str]:
        return {key: exchange.version(text, number) for key, text in one.items()}

    differ = [version(one, 0) != version(one, 1) for one in texts]
    rows: Any = np.flatnonzero(differ)
    if len(rows) > MOST:
        rows = rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]
    numbers = range(len(exchange.versions))
    return [[version(texts[at], n) for at in rows] for n in numbers], rows


def _parity(name: str, versions: Sequence[str], answers: Sequence[Any]) -> dict[str, Any]:
    """Return how often an answer is given in each version, and the largest difference."""
    shares = [
        float(np.mean([name in one if isinstance(one, tuple) else name == one for one in given]))
        for given in answers
    ]
    by_version = dict(zip(versions, shares, strict=True))
    return {"shares": by_version, "difference": max(shares) - min(shares)}


def _moved(exchange: Exchange, values: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the mean difference of each output between each two versions."""
    pairs = list(itertools.combinations(range(len(exchange.versions)), 2))
    # Of two classes, the second's probability says it all.
    outputs = [1] if len(names) == 2 and np.allclose(values.sum(axis=2), 1) else range(len(names))
    level = 1 - (1 - paired.CONFIDENCE) / (len(pairs) * len(outputs))
    return [
        {
            "output": names[output],
            "versions": [exchange.versions[one], exchange.versions[other]],
            **vars(paired.mean(values[other, :, output] - values[one, :, output], level)),
        }
        for one, other in pairs
        for output in outputs
    ]


def shown(dimensions: Sequence[dict[str, Any]]) -> list[Shown]:
    """Return the page's parts about changes: a warning if answers move by `LEAST_MOVE` or more."""
    moved = [(one["name"], line) for one in dimensions for line in one.get("moved", ())]
    shifts = [(name, line) for name, line in moved if _is_shift(line)]
    largest = max((abs(line["value"]) for _, line in shifts), default=0)
    named = ", ".join(dict.fromkeys(name for name, _ in shifts))
    few = ", ".join(f"{one['name']} ({one['texts']})" for one in dimensions if len(one) == 2)
    also = f" Too few texts to conclude anything: {few}." if few else ""
    verdict = (
        f"Answers move in one direction with {named}, by {largest:.2g} at most."
        if shifts
        else "No such change is shown."
    )
    return [
        Notice(verdict + also, "warning" if largest >= LEAST_MOVE else "info"),
        _shares(dimensions),
        *([_largest_moves(moved)] if moved else []),
    ]


def _is_shift(line: dict[str, Any]) -> bool:
    """Return whether an output moves; equal moves, which have no interval, are one if not zero."""
    if line["low"] is None:
        return line["value"] != 0
    return line["low"] > 0 or line["high"] < 0


def _shares(dimensions: Sequence[dict[str, Any]]) -> Table:
    """Return the table of how many texts get another answer."""
    columns: list[str | Column] = [
        *("exchanged", "texts"),
        Column("changed", "{:.1%}"),
        Column("95 % interval, from", "{:.1%}"),
        Column("to", "{:.1%}"),
    ]
    rows = [
        [one["name"], one["texts"], *(one.get(k) for k in ("share", "low", "high"))]
        for one in dimensions
    ]
    return Table("exchanged", "Exchanged words", columns, rows, NOTE)


def _largest_moves(moved: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    """Return the table of how far outputs move between two versions."""
    columns: list[str | Column] = [
        *("exchanged", "output", "from", "to"),
        Column("moves by", "{:+.4f}"),
        Column("interval, from", "{:+.4f}"),
        Column("to", "{:+.4f}"),
    ]
    rows = [
        [name, line["output"], *line["versions"], line["value"], line["low"], line["high"]]
        for name, line in sorted(moved, key=lambda one: -abs(one[1]["value"]))[:20]
    ]
    return Table("moved", "Largest moves", columns, rows, MOVED)
