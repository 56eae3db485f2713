"""The section about single examples: the mistakes, what they share, and doubtful labels."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.figures.parts import Cell, Column, Marked, Missing, Notice, Part, Section, Table
from ftkeras.pages import kept_texts
from ftkeras.pages.run_view import RunView
from ftkeras.statistics import text_clusters
from ftkeras.statistics.calibration import Forecasts
from ftkeras.support import in_words

MOST_ROWS = 50
MOST_EXPLAINED = 10
MOST_REPEATED = 20
MOST_CLUSTERED = 5_000
# The share of predicted numbers, nearly all of which are wrong, that are clustered: the worst ones.
WORST = 0.25
# Characters of a text, and of an answer, that a table shows.
LONGEST_TEXT, LONGEST_ANSWER = 400, 120
# What lines of predictions have beside the true and the predicted answer.
_OTHER_KEYS = ("id", "probabilities", "n_best")


@dataclass(frozen=True)
class _Examples:
    """A split's lines of predictions, how good each answer is, and the texts if they are known.

    `of_truth` is the least probability that an answer gives to what is true of the example; None if
    it gives none. `texts` has None for an example whose text is not known; it is None if none is.
    `all_texts` are the same, if all are known. `are_numbers`: errors are large or small.
    """

    rows: Sequence[Mapping[str, Any]]
    truths: Sequence[Mapping[str, Any]]
    is_wrong: np.ndarray
    order: np.ndarray
    of_truth: np.ndarray | None
    texts: Sequence[Mapping[str, str] | None] | None
    all_texts: Sequence[Mapping[str, str]] | None
    are_numbers: bool

    @property
    def worst(self) -> np.ndarray:
        """The positions of the mistakes, the worst first."""
        return self.order[self.is_wrong[self.order]]


def section(view: RunView) -> Section:
    """Return the section about errors."""
    try:
        scores, rows = np.asarray(view.predictions.scores, float), view.rows
    except UserError as error:
        return Section("Errors", "errors", [Missing("Errors", f"{error}.")])
    missing: list[Part] = []
    texts: Sequence[Mapping[str, str] | None] | None
    try:
        texts = all_texts = view.split_texts
    except UserError as error:
        texts, all_texts = _kept(view), None
        missing.append(_without_data(texts is not None, error))
    forecasts = view.problem.forecasts(rows)
    lower_is_better = view.predictions.tested.lower_is_better
    of_truth = None if forecasts is None else forecasts.of_truth.min(axis=1)
    examples = _Examples(
        rows=rows,
        truths=[view.problem.truth(row) for row in rows],
        is_wrong=scores > 0 if lower_is_better else scores < 1,
        order=_order(scores, of_truth, lower_is_better=lower_is_better),
        of_truth=of_truth,
        texts=texts,
        all_texts=all_texts,
        are_numbers=lower_is_better,
    )
    parts = [
        *_doubtful(forecasts, examples.is_wrong),
        *_mistakes(view, examples),
        *_nearly_wrong(examples),
        *_clusters(examples),
        *_repeated(view, examples),
        *missing,
    ]
    figures = {"mistakes": int(examples.is_wrong.sum()), "texts": view.with_texts}
    return Section("Errors", "errors", parts, figures)


def _order(scores: np.ndarray, of_truth: np.ndarray | None, *, lower_is_better: bool) -> np.ndarray:
    """Return the positions of answers, the worst first; of equally bad ones, the surest."""
    if lower_is_better:
        return np.argsort(-scores, kind="stable")
    return np.lexsort((scores,) if of_truth is None else (of_truth, scores))


def _kept(view: RunView) -> list[dict[str, str] | None] | None:
    """Return the texts that an earlier page or the samples have; None if they have none of them."""
    known = kept_texts.read(view)
    texts = [known.get(str(row.get("id"))) for row in view.rows]
    return texts if any(texts) else None


def _without_data(has_some: bool, error: UserError) -> Missing:
    """Return a note about what can't be shown without the data of the run."""
    if not has_some:
        return Missing("Texts of the mistakes, and what they share", f"{error}.")
    reason = f"{error}. The texts above are those that the run's folder has kept"
    return Missing("What the mistakes share, near-duplicates and further texts", reason)


def _mistakes(view: RunView, examples: _Examples) -> list[Part]:
    worst = examples.worst.tolist()
    if not worst:
        return [Notice(f"There is no mistake among {len(examples.rows):,} answers.", "good")]
    if examples.of_truth is not None:
        worst.sort(key=lambda n: examples.of_truth[n])  # type: ignore[index]
    title = f"The {min(MOST_ROWS, len(worst)):,} largest errors"
    if examples.of_truth is not None:
        title = "The mistakes that the model is surest of"
    shown = worst[:MOST_ROWS]
    marked = _explained(view, examples, shown[: min(MOST_EXPLAINED, view.explanations)])
    note = ""
    if marked:
        note = (
            f"Of the first {len(marked)}, the highlighted tokens speak for the predicted answer "
            "(blue) or against it (orange), by integrated gradients."
        )
    return [_table("mistakes", title, examples, shown, marked, note)]


def _nearly_wrong(examples: _Examples) -> list[Part]:
    """Return the right answers with the lowest probabilities."""
    if examples.of_truth is None:
        return []
    right = np.flatnonzero(~examples.is_wrong)
    shown = right[np.argsort(examples.of_truth[right], kind="stable")][: MOST_ROWS // 2].tolist()
    if not shown:
        return []
    title = "Right answers that the model is least sure of"
    return [_table("nearly_wrong", title, examples, shown)]


def _doubtful(forecasts: Forecasts | None, is_wrong: np.ndarray) -> list[Part]:
    """Return how many labels the model contradicts as surely as it is right on average.

    Of many labels, the right answer may have a small probability too, so only mistakes count.
    """
    if forecasts is None:
        return []
    right = forecasts.of_truth[forecasts.of_truth > 0.5]
    if not right.size:
        return []
    usual = float(right.mean())
    is_doubtful = forecasts.of_truth[is_wrong] <= 1 - usual
    count, examples = int(is_doubtful.sum()), int(is_doubtful.any(axis=1).sum())
    if not count:
        return []
    subject, them = (f"{count:,} labels are", "them") if count > 1 else ("One label is", "it")
    place = _where(count, examples)
    return [
        Notice(
            f"{subject} doubtful: the model, which was not trained on {them}, gives at least "
            f"{usual:.3f} to the contrary, its mean probability of right answers. {place}",
            "info",
        )
    ]


def _where(labels: int, texts: int) -> str:
    """Return where so many doubtful labels of so many texts are, of which the first are shown."""
    if labels == 1:
        return "It is the first mistake below; look whether its label is wrong."
    if texts > MOST_ROWS:
        first = f"The first {MOST_ROWS} of them are below"
        if labels > texts:
            first = f"Those of the first {MOST_ROWS} texts are below"
    else:
        place = "the first mistakes" if labels == texts else "in the first texts"
        first = f"They are {place} below"
    return f"{first}; look whether their labels are wrong."


def _table(
    name: str,
    title: str,
    examples: _Examples,
    positions: Sequence[int],
    marked: Mapping[int, Marked] | None = None,
    note: str = "",
) -> Table:
    columns: list[str | Column] = [kept_texts.EXAMPLE, "true", "predicted"]
    if examples.of_truth is not None:
        columns.append(Column("probability of the truth", "{:.4f}"))
    if examples.texts is not None:
        columns.append("text")
    rows = []
    for n in positions:
        row, truth = examples.rows[n], examples.truths[n]
        answers = [v for k, v in row.items() if k not in truth and k not in _OTHER_KEYS]
        text = None if examples.texts is None else examples.texts[n]
        own = None if text is None else text["text"]
        cells: list[Cell] = [
            str(row.get("id", n)),
            _cut(in_words.show(truth.values(), own), LONGEST_ANSWER),
            _cut(in_words.show(answers[:1], own), LONGEST_ANSWER),
        ]
        if examples.of_truth is not None:
            cells.append(float(examples.of_truth[n]))
        if examples.texts is not None:
            cells.append((marked or {}).get(n) or (None if text is None else _cut(_joined(text))))
        rows.append(cells)
    return Table(name, title, columns, rows, note)


def _explained(view: RunView, examples: _Examples, positions: Sequence[int]) -> dict[int, Marked]:
    """Return the texts of these examples with what speaks for the predicted answer."""
    if view.explain is None or examples.texts is None:
        return {}
    known = {n: text for n in positions if (text := examples.texts[n]) is not None}
    try:
        explained = [view.explain([text])[0] for text in known.values()]
    except UserError:  # the section about words says why
        return {}
    return {n: Marked(_cut_pieces(e.pieces())) for n, e in zip(known, explained, strict=True)}


def _clusters(examples: _Examples) -> list[Part]:
    if examples.all_texts is None:
        return []
    count = len(examples.rows)
    most = math.ceil(WORST * count) if examples.are_numbers else count
    wrong = np.sort(examples.worst[: min(most, MOST_CLUSTERED)])
    others = np.setdiff1d(np.arange(count), wrong)[: 4 * MOST_CLUSTERED]
    texts, usual = ([_joined(examples.all_texts[n]) for n in part] for part in (wrong, others))
    rows: list[list[Cell]] = [
        [
            len(one.members),
            ", ".join(one.words),
            *([] if examples.are_numbers else [_most_frequent(examples, wrong[one.members])]),
            _cut(texts[one.members[0]]),
        ]
        for one in text_clusters.cluster(texts, usual)
    ]
    if not rows:
        return []
    title, columns = "What mistakes have in common", ["mistakes", "characteristic words"]
    note = "By k-means of TF-IDF vectors; the words are more frequent there than in other texts."
    if examples.are_numbers:
        title, columns = "What the largest errors have in common", ["texts", *columns[1:]]
        note = f"Of the {len(wrong):,} texts with the largest errors. {note}"
    else:
        columns.append("most frequent")
    columns.append("the most typical text")
    return [Table("error_clusters", title, columns, rows, note)]


def _most_frequent(examples: _Examples, positions: np.ndarray) -> str:
    """Return the most frequent confusion among mistakes, and its count."""
    ((kind, count),) = Counter(_confusion(examples, int(n)) for n in positions).most_common(1)
    return f"{kind} ({count:,})"


def _repeated(view: RunView, examples: _Examples) -> list[Part]:
    """Return the examples that nearly repeat one that the model was trained on."""
    if examples.all_texts is None:
        return []
    try:
        count, pairs = view.texts.near_duplicates(view.split, MOST_REPEATED)
    except UserError as error:
        return [Missing("Near-duplicates of training examples", f"{error}.")]
    if not count:
        text = f"No example of {view.split} nearly repeats one that the model was trained on."
        return [Notice(text, "good")]
    lines, texts = examples.rows, examples.all_texts
    rows: list[list[Cell]] = [
        [str(lines[n].get("id", n)), share, _cut(_joined(texts[n])), _cut(source)]
        for source, n, share in pairs
    ]
    share = count / len(lines)
    title = f"Examples that nearly repeat one of train: {count:,}, {share:.1%} of {view.split}"
    columns = [kept_texts.EXAMPLE, Column("resemblance", "{:.2f}"), "text", "text of train"]
    note = "The share of common runs of 5 tokens, estimated by min-hashes; those of at least 0.8."
    return [Table("near_duplicates", title, columns, rows, note)]


def _confusion(examples: _Examples, n: int) -> str:
    row, truth = examples.rows[n], examples.truths[n]
    answers = [v for k, v in row.items() if k not in truth and k not in _OTHER_KEYS]
    pair = in_words.show(truth.values()), in_words.show(answers[:1])
    return " → ".join(_cut(one, LONGEST_ANSWER) for one in pair)


def _joined(texts: Mapping[str, str]) -> str:
    return " | ".join(texts.values())


def _cut(text: str, most: int = LONGEST_TEXT) -> str:
    return text if len(text) <= most else text[:most].rstrip() + " …"


def _cut_pieces(pieces: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the pieces of the first characters of a text."""
    cut, left = [], LONGEST_TEXT
    for text, weight in pieces:
        if len(text) > left:
            return [*cut, (text[:left].rstrip() + " …", weight)]
        cut.append((text, weight))
        left -= len(text)
    return cut
