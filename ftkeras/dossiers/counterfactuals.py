"""The part about counterfactual texts: what changes if names, pronouns or spellings do."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ftkeras.dossiers import asking, substitutions
from ftkeras.dossiers.part import Part
from ftkeras.dossiers.subject import Subject
from ftkeras.dossiers.substitutions import Dimension
from ftkeras.figures.parts import Column, Notice, Table
from ftkeras.figures.parts import Part as Shown
from ftkeras.statistics import groups, paired
from ftkeras.statistics.significance import wilson

# Texts of a dimension that are answered, evenly spread over those that have a word of it.
MOST = 200
NOTE = (
    "Each text that has such a word is answered in every version. Changed: texts that do not get "
    "the same answer in all of them, with Wilson's interval. With fewer than "
    f"{groups.LEAST} texts, nothing is concluded. The lists of words are ours, and short."
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
    examples = subject.examples[subject.view.split]
    texts = subject.raw_texts(examples)
    found = []
    for dimension in substitutions.dimensions().values():
        versions, rows = _versions(dimension, texts)
        if len(rows) < groups.LEAST:
            found.append({"name": dimension.name, "texts": len(rows)})
            continue
        targets = examples.select(rows).targets
        flat = np.concatenate([targets] * len(versions))
        joined = [text for version in versions for text in version]
        (answers,) = asking.answers(subject, [joined], flat)
        size = len(rows)
        parts = [answers[n * size : (n + 1) * size] for n in range(len(versions))]
        found.append(compare(dimension, parts, subject.view.problem.names))
    data = {"split": subject.view.split, "dimensions": found}
    return Part("counterfactuals", "Counterfactual texts", data, _shown(found))


def compare(
    dimension: Dimension, versions: Sequence[Sequence[dict[str, Any]]], names: Sequence[str]
) -> dict[str, Any]:
    """Return how the answers differ between the versions of the same texts.

    Args:
        dimension: what was exchanged.
        versions: the answers to each version, in the order of the dimension's.
        names: of the outputs.
    """
    size = len(versions[0])
    found: dict[str, Any] = {"name": dimension.name, "texts": size}
    answers = [asking.chosen(rows) for rows in versions]
    if all(one is not None for one in answers):
        changed = sum(len(set(of_text)) > 1 for of_text in zip(*answers, strict=True))
        low, high = wilson(changed / size, size)
        found |= {"changed": changed, "share": changed / size, "low": low, "high": high}
        found["demographic_parity"] = {
            name: _parity(name, dimension.versions, answers) for name in names
        }
    values = [asking.numbers(rows) for rows in versions]
    if all(one is not None and one.shape[1] == len(names) for one in values):
        found["moved"] = _moved(dimension, np.array(values), names)
    return found


def _versions(
    dimension: Dimension, texts: Sequence[dict[str, str]]
) -> tuple[list[list[dict[str, str]]], np.ndarray]:
    """Return the versions of the texts that the dimension concerns, and which texts these are."""
    rows: Any = np.flatnonzero([any(map(dimension.concerns, one.values())) for one in texts])
    if len(rows) > MOST:
        rows = rows[np.linspace(0, len(rows) - 1, MOST).round().astype(int)]
    versions = [
        [{key: dimension.version(text, n) for key, text in texts[row].items()} for row in rows]
        for n in range(len(dimension.versions))
    ]
    return versions, rows


def _parity(name: str, versions: Sequence[str], answers: Sequence[Any]) -> dict[str, Any]:
    """Return how often an answer is given in each version, and the largest difference."""
    shares = [
        float(np.mean([name in one if isinstance(one, tuple) else name == one for one in given]))
        for given in answers
    ]
    by_version = dict(zip(versions, shares, strict=True))
    return {"shares": by_version, "difference": max(shares) - min(shares)}


def _moved(dimension: Dimension, values: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the mean difference of each output between each two versions."""
    pairs = list(itertools.combinations(range(len(dimension.versions)), 2))
    # Of two classes, the second's probability says it all.
    outputs = [1] if len(names) == 2 and np.allclose(values.sum(axis=2), 1) else range(len(names))
    level = 1 - (1 - paired.CONFIDENCE) / (len(pairs) * len(outputs))
    return [
        {
            "output": names[output],
            "versions": [dimension.versions[one], dimension.versions[other]],
            **vars(paired.mean(values[other, :, output] - values[one, :, output], level)),
        }
        for one, other in pairs
        for output in outputs
    ]


def _shown(found: Sequence[dict[str, Any]]) -> list[Shown]:
    shares: list[str | Column] = [
        *("exchanged", "texts"),
        Column("changed", "{:.1%}"),
        Column("95 % interval, from", "{:.1%}"),
        Column("to", "{:.1%}"),
    ]
    rows = [
        [one["name"], one["texts"], *(one.get(k) for k in ("share", "low", "high"))]
        for one in found
    ]
    moved = [(one["name"], line) for one in found for line in one.get("moved", ())]
    shifts = [(name, line) for name, line in moved if line["low"] > 0 or line["high"] < 0]
    columns: list[str | Column] = [
        *("exchanged", "output", "from", "to"),
        Column("moves by", "{:+.4f}"),
        Column("interval, from", "{:+.4f}"),
        Column("to", "{:+.4f}"),
    ]
    lines = [
        [name, line["output"], *line["versions"], line["value"], line["low"], line["high"]]
        for name, line in sorted(moved, key=lambda one: -abs(one[1]["value"]))[:20]
    ]
    named = ", ".join(dict.fromkeys(name for name, _ in shifts))
    few = ", ".join(f"{one['name']} ({one['texts']})" for one in found if len(one) == 2)
    also = f" Too few texts to conclude anything: {few}." if few else ""
    verdict = (
        f"Answers move in one direction with {named}." if shifts else "No such change is shown."
    )
    return [
        Notice(verdict + also, "warning" if shifts else "info"),
        Table("exchanged", "Exchanged words", shares, rows, NOTE),
        *([Table("moved", "Largest moves", columns, lines, MOVED)] if lines else []),
    ]
