"""Question answering: the part of a text that answers a question about it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ftkeras.errors import UserError
from ftkeras.problems import _answer_report, _digits, _span_graph, _squad
from ftkeras.problems._answers_page import AnswersPage
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._comparison import Comparison
from ftkeras.problems._contexts import ContextOutputs
from ftkeras.problems._explained_spans import ExplainedSpans
from ftkeras.problems._span_targets import mean_loss, window_targets
from ftkeras.problems._start_and_end import StartAndEnd
from ftkeras.statistics.answer_predictions import AnswerPredictions
from ftkeras.support import answers, bounds

if TYPE_CHECKING:
    import keras

Tensor = Any
TUNED = "tuned"


class QuestionAnswering(ExplainedSpans, AnswersPage, StartAndEnd):
    """Find the answer to a question in its context, or that there is none.

    The logits say for each token of a row, a question with a window of its context, how well the
    answer starts and ends there. The answer is the span with the largest sum of both, of all valid
    spans of all windows; see `_span_graph.find`. A window that does not hold the answer has the
    first token of its row as the target, which stands for no answer.

    There is no answer if `null_score_diff`, the score of no answer without that of the best span,
    is above the threshold. With threshold='tuned', it is chosen after training: the one with the
    highest F1 on validation, at the best epoch; 0 if nothing is validated.

    Args:
        labels: the names of the two outputs.
        no_answer: whether a question may have no answer.
        threshold: tuned, or a number.
        longest: the most tokens of an answer; positive.
        n_best: how many of the best answers are returned; positive.
    """

    kind = "question answerer"
    head = "question_answering"
    loss = "span_cross_entropy"
    losses = ("span_cross_entropy",)
    metric = "f1"
    measures = (Measure("f1"), Measure("exact_match"), LOSS)
    columns = ("f1", "exact_match", "loss")
    output, unit = "probabilities", "a score"
    target_dtype = "string"
    explains = False
    reads = "contexts"
    needs_both_sides = True  # whether an answer starts here depends on what follows
    truncation = "windows"
    exporters: ClassVar = {
        "onnx": "its answers are found by operations that ONNX lacks",
        "litert": "its answers are found by operations that LiteRT lacks",
    }
    huggingface_class = "question_answering"
    pipeline = "question-answering"
    hub_metrics: ClassVar = {"f1": "f1", "exact_match": "exact_match"}
    caveat = "Its scores are not calibrated"
    moved = staticmethod(answers.moved)

    def __init__(
        self,
        *,
        labels: Sequence[str] = ("start", "end"),
        no_answer: bool = True,
        threshold: str | float = TUNED,
        longest: int = 30,
        n_best: int = 20,
    ):
        bounds.integer(1, longest=longest, n_best=n_best)
        self.names, self.no_answer = tuple(labels), no_answer
        self.longest, self.n_best = longest, n_best
        self._threshold = threshold if threshold == TUNED else float(threshold)
        self.threshold = 0.0 if threshold == TUNED else float(threshold)
        self._tuned_on = 0
        self._found: tuple[Any, Any] = (None, None)

    @property
    def needs_tuning(self) -> bool:
        """True until `tune` was called, if the threshold is to be tuned."""
        return self.no_answer and self._threshold == TUNED and not self._tuned_on

    def tune(self, targets: Any, outputs: ContextOutputs) -> None:
        """Choose the threshold that has the highest F1."""
        best = self._best_answers(targets, outputs)
        self.threshold = best.threshold("f1").value
        self._tuned_on = len(targets)

    def state(self) -> dict:
        return {
            "problem": "question_answering",
            "no_answer": self.no_answer,
            "threshold": self._threshold,
            "null_threshold": self.threshold,
            "tuned_on": self._tuned_on,
            "longest": self.longest,
            "n_best": self.n_best,
        }

    def restore_state(self, state: dict) -> None:
        if not state:
            return
        self._threshold, self._tuned_on = state["threshold"], state["tuned_on"]
        self.threshold, self.no_answer = state["null_threshold"], state["no_answer"]
        self.longest, self.n_best = state["longest"], state["n_best"]

    def window_targets(self, targets: Any, outputs: ContextOutputs) -> np.ndarray:
        """Return the first and last token of the answer in each window; 0 if it is not there."""
        return window_targets(targets, outputs)

    def are_finite(self, outputs: ContextOutputs) -> np.ndarray:
        finite = (np.isfinite(window.logits).all() for windows in outputs for window in windows)
        owners = np.repeat(np.arange(len(outputs)), outputs.counts)
        return np.bincount(owners, ~np.fromiter(finite, bool), len(outputs)) == 0

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return none: whether an answer is right is known of all its windows together."""
        return []

    def shortcoming(self, targets: Any) -> str | None:
        if any(answers.decode(answer).answers for answer in targets):
            return None
        return "have no answer; nothing can be learned from or evaluated on them"

    def distinguish(self, targets: Any) -> np.ndarray:
        """Compare answers without the ids of their questions."""
        known = [repr(answers.decode(each).answers) for each in targets]
        return np.unique(known, return_inverse=True)[1]

    def stratum(self, targets: Any) -> np.ndarray:
        """Return whether each question has an answer."""
        return np.array([bool(answers.decode(each).answers) for each in targets], np.int64)

    def summarize(self, targets: Any) -> dict:
        """Return how many questions there are, and how many have no answer."""
        has_answer = self.stratum(targets)
        return {"examples": len(targets), "without_answer": int((has_answer == 0).sum())}

    def metrics(self, targets: Any, outputs: ContextOutputs, loss: Loss) -> dict:
        """Return exact match and F1 by SQuAD's official rules, and the loss.

        If questions may have no answer, also these metrics of questions with and without one, and
        the best that any threshold would give, with it. The windows of an example share its weight
        in the loss. `cut_off` counts answers of which no window holds the whole.
        """
        best = self._best_answers(targets, outputs)
        goals = window_targets(targets, outputs)
        missing = _answer_report.unreachable(best.has_answer, outputs.counts, goals)
        return {
            **best.measures(self._says_none(best.null_diff)),
            "loss": mean_loss(loss, goals, outputs),
            "cut_off": missing,
            **({"null_threshold": self.threshold, **best.thresholds()} if self.no_answer else {}),
        }

    def decode(self, targets: Any, outputs: ContextOutputs) -> list[dict]:
        """Return each question's true answers, the one found (None for no answer), and `n_best`."""
        spans_of, rows = self._find(outputs), []
        null_diff = _null_diff(spans_of)
        none = self._says_none(null_diff)
        for n, stored in enumerate(targets):
            known = answers.decode(stored)
            spans = zip(spans_of.starts[n], spans_of.ends[n], spans_of.scores[n], strict=True)
            n_best = [
                _span(known.context[s:e], s, e, score)
                for s, e, score in list(spans)[: spans_of.count[n]]
            ]
            row: dict[str, Any] = {} if known.id is None else {"question": known.id}
            row["answers"] = [text for _, text in known.answers]
            row["predicted"] = None if none[n] else n_best[0]
            if self.no_answer:
                row["null_score_diff"] = round(float(null_diff[n]), 5)
            rows.append({**row, "n_best": n_best})
        return rows

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> AnswerPredictions:
        texts = ["" if row["predicted"] is None else row["predicted"]["text"] for row in rows]
        pairs = zip((row["answers"] for row in rows), texts, strict=True)
        exact, f1 = np.array([_squad.score(*pair) for pair in pairs]).reshape(-1, 2).T
        truth = np.array([len(row["answers"]) for row in rows])
        return AnswerPredictions(exact=exact, f1=f1, truth=truth)

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"answers": row["answers"]}

    def activate(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of each token as start and as end, [batch, length, 2]."""
        import tensorflow as tf

        return tf.nn.softmax(outputs, axis=1)

    def served_contexts(self, outputs: Tensor, texts: Tensor, windows: Any) -> dict[str, Tensor]:
        """Return the best answers to each question, padded to `n_best`, and the decision.

        `answers`, string, `starts` and `ends`, int32, in characters of the context, and `scores`,
        float32: all [batch, n_best], of which the first `count`, int32 [batch], are answers. Of the
        answer: `answer`, `start`, `end` and `score`, [batch]; "" and -1 if there is none, with the
        probability of that. `null_score_diff`, float32 [batch].
        """
        import tensorflow as tf

        about = (windows[n] for n in ("word_starts", "word_ends", "first_pieces", "window_counts"))
        best = _span_graph.find(outputs, *about, **self.search)
        spans, diff = _span_graph.texts_of(best, texts), best.null - best.logits[:, 0]
        none = best.count == 0
        diff = tf.where(none, _answer_report.CERTAIN, diff)
        none |= tf.logical_and(self.no_answer, diff > self.threshold)
        return {
            "answer": tf.where(none, "", spans[:, 0]),
            "start": tf.where(none, -1, best.starts[:, 0]),
            "end": tf.where(none, -1, best.ends[:, 0]),
            "score": tf.where(none, best.null_score, best.scores[:, 0]),
            "null_score_diff": diff,
            "answers": spans,
            "starts": best.starts,
            "ends": best.ends,
            "scores": best.scores,
            "count": best.count,
        }

    def override_threshold(self, threshold: str) -> None:
        if not self.no_answer:
            raise UserError("`threshold`: this model was trained to answer every question.")
        self.threshold = _answer_report.read_threshold(threshold)

    def compare_served(self, samples: Sequence[dict], rows: Sequence[Mapping]) -> Comparison:
        """Compare an export's answers with the run's, and their scores.

        `logit_change` is the share of questions whose answer changes, or the largest change of a
        score if that is larger.
        """
        pairs = list(zip(samples, map(self.answer, rows), strict=True))
        differences = [_answer_report.difference(*pair, self.threshold) for pair in pairs]
        changed = sum(_answer_report.is_changed(*pair) for pair in pairs)
        return Comparison(
            samples=len(samples),
            largest_difference=max(differences),
            logit_change=max([*differences, changed / len(samples)]),
            changes=f"the answers to {changed} of {len(samples)} questions change",
            details={"changed_answers": changed},
            moves="answers or scores change by {}",
        )

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        names = ("answers", "starts", "ends", "scores")
        columns = (outputs[name][: outputs["count"]] for name in names)
        n_best = [_span(_string(t), s, e, p) for t, s, e, p in zip(*columns, strict=True)]
        diff = float(outputs["null_score_diff"])
        none = not n_best or (self.no_answer and diff > self.threshold)
        best = _answer_report.no_answer(outputs) if none else n_best[0]
        row = {"answer": best["text"], **{k: best[k] for k in ("start", "end", "score")}}
        return row | ({"null_score_diff": diff} if self.no_answer else {}) | {"n_best": n_best}

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the answer and its score; "-" and the probability of that if there is none."""
        text = "-" if answer["answer"] is None else " ".join(answer["answer"].split())
        return f"{text}\t{answer['score']:.4f}"

    def answer_columns(self) -> dict[str, type]:
        columns = {"predicted": str, "predicted_start": int, "predicted_end": int, "score": float}
        return {**columns, **({"null_score_diff": float} if self.no_answer else {})}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        """Return nothing in the columns of the answer and its place if there is none."""
        names = ("answer", "start", "end", "score", "null_score_diff")
        values = (answer[name] for name in names if name in answer)
        return tuple(_digits.seven(v) if isinstance(v, float) else v for v in values)

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return the metrics of questions with and without an answer, and what was cut off."""
        return _answer_report.lines(metrics[split], split)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return None

    def huggingface_config(self) -> dict:
        return {}

    def describe(self) -> str:
        none = ", or that it has none" if self.no_answer else ""
        return f"finds the answer to the first, a question, in the second{none}"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        return _answer_report.table(metrics, splits)

    @property
    def search(self) -> dict[str, Any]:
        """The settings of the search for the best spans; see `_span_graph.find`."""
        return {"longest": self.longest, "n_best": self.n_best, "no_answer": self.no_answer}

    def _find(self, outputs: ContextOutputs) -> _span_graph.Found:
        """Return the best spans; the last result is kept, as metrics need it too."""
        if self._found[0] is not outputs:
            self._found = (outputs, _span_graph.decode(outputs, **self.search))
        return self._found[1]

    def _best_answers(self, targets: Any, outputs: ContextOutputs) -> _answer_report.BestAnswers:
        spans = self._find(outputs)
        known = [answers.decode(stored) for stored in targets]
        ends = zip(known, spans.starts[:, 0], spans.ends[:, 0], spans.count, strict=True)
        return _answer_report.BestAnswers(
            truth=[[text for _, text in each.answers] for each in known],
            answers=[each.context[s:e] if count else "" for each, s, e, count in ends],
            null_diff=_null_diff(spans),
        )

    def _says_none(self, null_diff: np.ndarray) -> np.ndarray:
        """Return for which questions the answer is that there is none, bool [questions]."""
        limit = self.threshold if self.no_answer else np.inf
        return (null_diff > limit) | (null_diff == _answer_report.CERTAIN)


def _null_diff(spans: _span_graph.Found) -> np.ndarray:
    diff = spans.null - spans.logits[:, 0]
    return np.where(spans.count > 0, diff, np.float32(_answer_report.CERTAIN))


def _span(text: str, start: int, end: int, score: float) -> dict[str, Any]:
    return {"text": text, "start": int(start), "end": int(end), "score": _digits.nine(score)}


def _string(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
