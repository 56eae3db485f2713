"""The section about words: what counts for each answer, and what the model does not read."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ftkeras.errors import UserError
from ftkeras.explanations.explanation import Explanation
from ftkeras.figures.parts import Column, Missing, Part, Section, Table
from ftkeras.pages.run_view import RunView
from ftkeras.support import commands

# Tokens that a table shows for each answer, and answers that have a table.
WORDS, MOST_ANSWERS = 15, 30


def section(view: RunView) -> Section:
    """Return the section about words."""
    return Section("Words", "words", [*_contributions(view), *_shares(view)])


def _contributions(view: RunView) -> list[Part]:
    """Return a table of the tokens that contribute most to each answer."""
    what = "Tokens that contribute most to each answer"
    if view.explain is None:
        reason = "explanations take a second or more for each text; write them with: "
        command = commands.line("report", run_dir=view.folder)
        return [Missing(what, reason + command)]
    try:
        texts = view.split_texts
        count = min(view.explanations, len(texts))
        positions = np.unique(np.linspace(0, len(texts) - 1, count).round().astype(int))
        explained = view.explain([texts[n] for n in positions])
    except UserError as error:
        return [Missing(what, f"{error}.")]
    columns: list[str | Column] = [
        "answer",
        "token",
        "texts",
        Column("contribution", "{:+.3f}", "the sum over these texts"),
    ]
    note = (
        f"Integrated gradients of {len(positions):,} texts, evenly spread over {view.split}, "
        f"summed by token; the {WORDS} largest for each answer."
    )
    return [Table("words", what, columns, contributions(explained), note)]


def contributions(explained: Sequence[Explanation]) -> list[list[str | int | float]]:
    """Return the tokens that contribute most to each answer: answer, token, texts, contribution.

    Args:
        explained: of any number of texts.

    >>> one = Explanation(explained="good", tokens=["not", "bad"], attributions=[2.0, -1.0])
    >>> contributions([one, one])
    [['good', 'not', 2, 4.0]]
    """
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    texts: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, one in enumerate(explained):
        for token, value in zip(one["tokens"], one["attributions"], strict=True):
            sums[one["explained"]][token] += value
            texts[one["explained"], token].add(number)
    rows: list[list[str | int | float]] = []
    for answer in sorted(sums)[:MOST_ANSWERS]:
        best = sorted(sums[answer].items(), key=lambda item: -item[1])[:WORDS]
        rows += [[answer, token, len(texts[answer, token]), v] for token, v in best if v > 0]
    return rows


def _shares(view: RunView) -> list[Part]:
    """Return how much of each split the model does not read, or has no token for."""
    read, counts = view.metrics.get("read", {}), view.metrics.get("data", {})
    rows: list[list[str | int | float | None]] = []
    for split in ("train", "validation", "test"):
        figures = read.get(split)
        if figures and "unknown_share" in figures:
            cut, examples = figures.get("full_length"), counts.get(split)
            share = cut / examples if cut is not None and examples else None
            rows.append([split, examples, share, figures["unknown_share"]])
    if not rows:
        return [Missing("Unknown tokens and cut texts", "the run did not record them.")]
    columns: list[str | Column] = [
        "split",
        "examples",
        Column("texts of full length", "{:.1%}", "with as many tokens as the model reads at most"),
        Column("unknown tokens", "{:.3%}", "the share of tokens that the vocabulary lacks"),
    ]
    limit = view.config.max_length
    note = f"Texts of full length, {limit:,} tokens, are cut unless they end just there."
    return [Table("unread", "What the model does not read", columns, rows, note)]
