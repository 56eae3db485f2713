"""Metrics of answers, and how they are shown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.problems import _squad

# The `null_score_diff` if no part of the context can be an answer.
CERTAIN = 1e4
# Logits of an export may differ by as much, so a decision nearer to its threshold may change.
CLOSE = 1e-3
MEASURES = ("exact_match", "f1")


def no_answer(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry for no answer, with its probability.

    Args:
        outputs: of an export, for a question.
    """
    score = float(outputs["score"])
    if outputs["start"] >= 0:  # the export, with its own threshold, has an answer
        score *= math.exp(outputs["null_score_diff"])
    return {"text": None, "start": None, "end": None, "score": score}


@dataclass(frozen=True)
class BestAnswers:
    """The best answers that are parts of their contexts, beside the true ones.

    Attributes:
        truth: the true answers to each question; none if it has no answer.
        answers: the best part of each context; "" if it has no part.
        null_diff: how much more likely no answer is than this part, [questions].
    """

    truth: Sequence[Sequence[str]]
    answers: Sequence[str]
    null_diff: np.ndarray

    @cached_property
    def has_answer(self) -> np.ndarray:
        """True for each question that has an answer, bool [questions]."""
        return np.array([bool(answers) for answers in self.truth])

    @cached_property
    def _scores(self) -> np.ndarray:
        """Exact match and F1 of each answer that was found, [questions, 2]."""
        pairs = zip(self.truth, self.answers, strict=True)
        return np.array([_squad.score(*pair) for pair in pairs]).reshape(-1, 2)

    @cached_property
    def _empty(self) -> np.ndarray:
        """Exact match and F1 of no answer, [questions, 2]."""
        return np.array([_squad.score(answers, "") for answers in self.truth]).reshape(-1, 2)

    def measures(self, says_none: np.ndarray) -> dict[str, Any]:
        """Return exact match and F1 of all questions, and of those with and without an answer.

        Args:
            says_none: for which questions the answer is that there is none, bool [questions].
        """
        scores = np.where(says_none[:, np.newaxis], self._empty, self._scores)

        def means(chosen: np.ndarray) -> dict[str, float]:
            return dict(zip(MEASURES, scores[chosen].mean(axis=0).tolist(), strict=True))

        overall = means(np.ones(len(scores), bool))
        if self.has_answer.all():
            return overall
        none = ~self.has_answer
        return {
            **overall,
            "with_answer": {"questions": int(self.has_answer.sum()), **means(self.has_answer)},
            "without_answer": {"questions": int(none.sum()), **means(none)},
        }

    def threshold(self, measure: str) -> _squad.Threshold:
        """Return the threshold with the best value of a measure, and this value."""
        column = MEASURES.index(measure)
        return _squad.best_threshold(
            self._scores[:, column], self._empty[:, column], self.null_diff
        )

    def thresholds(self) -> dict[str, float]:
        """Return the best value of each measure at any threshold, and that threshold."""
        best_of = {name: self.threshold(name) for name in MEASURES}
        return {
            **{f"best_{name}": best.score for name, best in best_of.items()},
            **{f"best_{name}_threshold": best.value for name, best in best_of.items()},
        }


def unreachable(has_answer: np.ndarray, counts: np.ndarray, goals: np.ndarray) -> int:
    """Return how many answers no window holds.

    Args:
        has_answer: whether each question has one, bool [questions].
        counts: the windows of each question.
        goals: the first and last token of the answer in each window, [windows, 2]; 0 if none.
    """
    owners = np.repeat(np.arange(len(counts)), counts)
    held = np.bincount(owners, goals[:, 1] > 0, len(counts)) > 0
    return int((has_answer & ~held).sum())


def lines(measured: Mapping[str, Any], split: str) -> list[str]:
    """Return lines of text about a split."""
    shown = []
    for key, name in (("with_answer", "with an answer"), ("without_answer", "without one")):
        if part := measured.get(key):
            values = f"exact match {part['exact_match']:.4f}, F1 {part['f1']:.4f}"
            shown.append(f"{part['questions']:,} questions of {split} {name}: {values}")
    if "best_f1" in measured:
        best = (
            f"{name} {measured[f'best_{key}']:.4f} above {measured[f'best_{key}_threshold']:.4g}"
            for key, name in (("f1", "F1"), ("exact_match", "exact match"))
        )
        limit = f"no answer if null_score_diff is above {measured['null_threshold']:.4g}"
        shown.append(f"{limit}; best on {split}: {', '.join(best)}")
    if cut := measured["cut_off"]:
        shown.append(
            f"{cut:,} of {measured['examples']:,} questions of {split} have an answer that no row "
            "holds whole; a larger max_length, or truncation=windows, reads more"
        )
    return shown


def table(metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
    """Return the metrics of splits for the model card, in Markdown."""
    rows = ["| split | questions | F1 | exact match |", f"|{'---|' * 4}"]
    for split in splits:
        measured = metrics[split]
        cells = " | ".join(f"{measured[name]:.4f}" for name in ("f1", "exact_match"))
        rows.append(f"| {split} | {measured['examples']:,} | {cells} |")
    note = "By SQuAD's official rules: without articles, punctuation and case."
    return "\n".join([*rows, "", note])


def difference(sample: Mapping[str, Any], answer: Mapping[str, Any], threshold: float) -> float:
    """Return the difference of the scores of an export's answer, 1 if it is another answer."""
    if abs(sample.get("null_score_diff", CERTAIN) - threshold) > CLOSE and (
        (sample["predicted"] is None) != (answer["answer"] is None)
    ):
        return 1.0
    if not answer["n_best"]:
        return float(bool(sample["n_best"]))
    best = answer["n_best"][0]
    known = {(span["start"], span["end"]): span["score"] for span in sample["n_best"]}
    return min(1.0, abs(best["score"] - known.get((best["start"], best["end"]), np.inf)))


def is_changed(sample: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Return whether an export's answer is another one than the run's."""
    wanted = sample["predicted"] or {"start": None, "end": None}
    return (wanted["start"], wanted["end"]) != (answer["start"], answer["end"])


def read_threshold(text: str) -> float:
    """Return the threshold on `null_score_diff` that a user gave.

    Raises:
        UserError: unless it is a finite number.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UserError(f"`threshold` must be a number. Received: {text!r}.")
    return value
