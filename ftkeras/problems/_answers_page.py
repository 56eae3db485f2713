"""The report page of answers to questions: by question word, length, and threshold."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.bars import Bars
from ftkeras.figures.parts import Column, Missing, Part, Plot, Slider, Table
from ftkeras.problems import _squad
from ftkeras.problems._page import Row, Texts

QUESTION_WORDS = ("how many", "how much", "who", "whom", "whose", "what", "which")
QUESTION_WORDS += ("when", "where", "why", "how")
LENGTHS = (
    (1, "1 word"),
    (2, "2 words"),
    (3, "3 words"),
    (5, "4 or 5 words"),
    (10, "6 to 10 words"),
)
LONGER, NO_ANSWER, OTHER = "more than 10 words", "no answer", "other"
MOST_POSITIONS = 101


class AnswersPage:
    """Offers the parts of a page to problems whose answer is a part of a text."""

    threshold: float
    no_answer: bool
    no_baseline = "word frequencies can't point to an answer"

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return exact match and F1 by question word and answer length, and a threshold slider."""
        said = ["" if row["predicted"] is None else row["predicted"]["text"] for row in rows]
        scores = _scores([row["answers"] for row in rows], said)
        lengths = [answer_length(row["answers"]) for row in rows]
        names = [NO_ANSWER, *(name for _, name in LENGTHS), LONGER]
        parts = by_group(
            "answer_length", "Length of the shortest true answer", lengths, scores, names
        )
        if texts is None:
            parts.append(Missing("Metrics by question word", "they need the questions."))
        else:
            words = [question_word(text["text"]) for text in texts]
            names = sorted(set(words), key=lambda word: (word == OTHER, -words.count(word)))
            parts += by_group("question_word", "Question word", words, scores, names)
        return [*parts, *([self._slider(rows)] if self.no_answer else [])]

    def _slider(self, rows: Sequence[Row]) -> Slider:
        """Return exact match and F1 for each threshold on `null_score_diff`."""
        truth = [row["answers"] for row in rows]
        best = [row["n_best"][0]["text"] if row["n_best"] else "" for row in rows]
        answered, empty = _scores(truth, best), _scores(truth, [""] * len(rows))
        difference = np.array([row["null_score_diff"] for row in rows])
        places = np.quantile(difference, np.linspace(0, 1, MOST_POSITIONS))
        positions = np.unique(np.append(places, self.threshold))
        shown = []
        for position in positions:
            is_none = difference > position
            values = np.where(is_none[:, np.newaxis], empty, answered).mean(axis=0)
            count = int((~is_none).sum())
            shown.append([f"{position:.3f}", *(f"{v:.3f}" for v in values), f"{count:,}"])
        start = int(np.searchsorted(positions, self.threshold))
        columns = ("threshold", "exact match", "F1", "questions answered")
        title = "Answer if null_score_diff is at most this"
        return Slider(title, columns, {"all": shown}, {"all": start})


def answer_length(answers: Sequence[str]) -> str:
    """Return the group of lengths that the shortest true answer is in.

    >>> answer_length(["in the year 1999", "1999"]), answer_length([])
    ('1 word', 'no answer')
    """
    if not answers:
        return NO_ANSWER
    words = min(max(1, len(answer.split())) for answer in answers)
    return next((name for most, name in LENGTHS if words <= most), LONGER)


def question_word(question: str) -> str:
    """Return the first English question word of a question, or "other".

    >>> question_word("In which year was it?"), question_word("How many are there?")
    ('which', 'how many')
    """
    words = "".join(c if c.isalpha() else " " for c in question.lower()).split()
    for first, second in itertools.pairwise([*words, ""]):
        if (two := f"{first} {second}") in QUESTION_WORDS:
            return two
        if first in QUESTION_WORDS:
            return first
    return OTHER


def by_group(
    key: str, title: str, groups: Sequence[str], scores: np.ndarray, order: Sequence[str]
) -> list[Part]:
    """Return exact match and F1 of each group of questions, as a table and as a plot.

    Args:
        key: what the table and the plot are called.
        title: what the groups are.
        groups: of the questions.
        scores: exact match and F1 of each question, [questions, 2].
        order: of the groups; those without a question are left out.
    """
    groups_found = np.array(groups)
    rows, shown = [], {}
    for name in order:
        chosen = groups_found == name
        if chosen.any():
            exact, f1 = map(float, scores[chosen].mean(axis=0))
            rows.append([name, int(chosen.sum()), exact, f1])
            shown[name] = f1
    shares = [Column(name, "{:.3f}", is_share=True) for name in ("exact match", "F1")]
    columns = [title.lower(), "questions", *shares]
    height = max(2.0, 0.8 + 0.28 * len(rows))
    return [
        Table(key, f"Metrics by {title.lower()}", columns, rows),
        Plot(
            f"f1_by_{key}",
            f"F1 by {title.lower()}",
            Bars(shown, "F1", "{:.3f}", (0.0, 1.12)),
            alt=", ".join(f"{name}: {value:.3f}" for name, value in shown.items()) + ".",
            size=(4.5, height),
        ),
    ]


def _scores(truth: Sequence[Sequence[str]], said: Sequence[str]) -> np.ndarray:
    score: Callable[..., Any] = _squad.score
    pairs = zip(truth, said, strict=True)
    return np.array([score(*pair) for pair in pairs], float).reshape(-1, 2)
