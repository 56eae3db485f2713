"""Question answering: targets, metrics, decisions, and what an export returns."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ftkeras import problems
from ftkeras.errors import UserError
from ftkeras.losses.span_cross_entropy import SpanCrossEntropy
from ftkeras.problems import ContextOutputs
from ftkeras.problems.question_answering import QuestionAnswering
from ftkeras.statistics import bootstrap
from ftkeras.support import answers

# Each word is a token; a row has [CLS], a question of one token, [SEP], the context, [SEP].
CONTEXTS = ["Ünder 1969's 🌙 in July, men", "the end of 1969 was cold", "no"]
KNOWN = [[(6, "1969's 🌙"), (0, "Ünder")], [(11, "1969")], []]
# Windows of four tokens; the first context has two of them, which share one token.
WINDOWS = [(0, 0, 4), (0, 3, 6), (1, 0, 4), (2, 0, 1)]


def _spans(context):
    ends = np.cumsum([len(word) + 1 for word in context.split(" ")]) - 1
    return ends - [len(word) for word in context.split(" ")], ends


def _outputs(best=(), none=0.0):
    """Return outputs that score the spans (window, first word, last word, score) highest."""
    parts = {"starts": [], "ends": [], "logits": [], "lengths": []}
    for number, (text, first, stop) in enumerate(WINDOWS):
        starts, ends = _spans(CONTEXTS[text])
        parts["starts"].append([-1, -1, -1, *starts[first:stop], -1])
        parts["ends"].append([-1, -1, -1, *ends[first:stop], -1])
        logits = np.zeros((4 + stop - first, 2), np.float32)
        logits[0] = none / 2
        for window, start, end, score in best:
            if window == number:
                logits[3 + start - first, 0] += score / 2
                logits[3 + end - first, 1] += score / 2
        parts["logits"].append(logits)
        parts["lengths"].append([len(logits)])
    return ContextOutputs(
        **{name: np.concatenate(part) for name, part in parts.items()},
        first_pieces=np.array([first for _, first, _ in WINDOWS]),
        counts=np.array([2, 1, 1]),
    )


def _targets(known=KNOWN):
    pairs = zip(CONTEXTS, known, "abc", strict=True)
    return [np.frombuffer(answers.encode(*row), np.uint8) for row in pairs]


LOSS = SpanCrossEntropy()
# The first is right; of the second, only a word; the third has none.
FOUND = [(0, 1, 2, 20.0), (2, 2, 3, 8.0), (3, 0, 0, 3.0)]


def test_targets_are_the_tokens_that_overlap_the_answer():
    problem = QuestionAnswering()
    found = problem.window_targets(_targets(), _outputs())
    assert found.tolist() == [[4, 5], [0, 0], [6, 6], [0, 0]]
    # Only the second window holds the whole of it.
    across = [[(16, "in July, men")], [(5, "nd o")], []]
    found = problem.window_targets(_targets(across), _outputs())
    assert found.tolist() == [[0, 0], [0, 0], [4, 5], [0, 0]]
    behind = [[(CONTEXTS[0].index("July"), "July")], [(18, "as")], []]
    found = problem.window_targets(_targets(behind), _outputs())
    assert found.tolist() == [[0, 0], [4, 4], [0, 0], [0, 0]]
    # A blank, a combining or an invisible mark behind the answer is no part of its last token.
    plain, marked = (
        [[(16, "in July")], [(5, "nd")], []],
        [[(16, "in July \u0301")], [(5, "nd\u200b\x00\ufeff")], []],
    )
    expected, found = (problem.window_targets(_targets(x), _outputs()) for x in (plain, marked))
    assert found.tolist() == expected.tolist()
    assert found[1].tolist() == [3, 4]


def test_metrics_follow_the_official_rules():
    problem, outputs = QuestionAnswering(threshold=0.0), _outputs(FOUND, none=5.0)
    found = problem.metrics(_targets(), outputs, LOSS)
    assert found["exact_match"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx((1 + 2 / 3 + 1) / 3)  # "of 1969" has one word more
    assert found["with_answer"]["questions"] == 2
    assert found["without_answer"] == {"questions": 1, "exact_match": 1.0, "f1": 1.0}
    assert found["best_f1"] == found["f1"]
    assert found["cut_off"] == 0
    assert json.loads(json.dumps(found)) == found
    assert {m.name for m in problem.measures} <= found.keys()
    text = "\n".join(problem.report({"test": {**found, "examples": 3}}, "test", "metrics.json"))
    assert "2 questions of test with an answer: exact match 0.5000" in text
    assert "| test | 3 |" in problem.card_metrics({"test": {**found, "examples": 3}}, ["test"])


def test_answers_that_no_window_holds_are_counted():
    across = [[(6, "1969's 🌙 in July, men")], *KNOWN[1:]]
    found = QuestionAnswering().metrics(_targets(across), _outputs(FOUND), LOSS)
    assert found["cut_off"] == 1


def test_loss_is_the_mean_over_examples_of_the_mean_over_windows():
    outputs = _outputs(FOUND, none=2.0)
    targets = QuestionAnswering().window_targets(_targets(), outputs)
    losses = []
    for windows, numbers in zip(outputs, [[0, 1], [2], [3]], strict=True):
        each = []
        for window, number in zip(windows, numbers, strict=True):
            log_p = window.logits - np.log(np.exp(window.logits).sum(axis=0))
            each.append(-np.mean([log_p[targets[number, side], side] for side in (0, 1)]))
        losses.append(np.mean(each))
    found = QuestionAnswering().metrics(_targets(), outputs, LOSS)["loss"]
    assert found == pytest.approx(np.mean(losses), rel=1e-5)


def test_threshold_is_tuned_and_kept():
    outputs = _outputs(FOUND, none=2.5)  # the third is answered at 0
    problem = QuestionAnswering()
    assert problem.needs_tuning
    before = problem.metrics(_targets(), outputs, LOSS)
    problem.tune(_targets(), outputs)
    assert not problem.needs_tuning
    after = problem.metrics(_targets(), outputs, LOSS)
    assert after["f1"] == before["best_f1"] > before["f1"]
    other = problems.recorded(problem.names, json.loads(json.dumps(problem.state())))
    assert other.decode(_targets(), outputs) == problem.decode(_targets(), outputs)
    problem.override_threshold("100")
    assert all(row["predicted"] for row in problem.decode(_targets(), outputs))
    with pytest.raises(UserError, match="`threshold` must be a number"):
        problem.override_threshold("high")
    assert not QuestionAnswering(threshold=1.5).needs_tuning
    assert not QuestionAnswering(no_answer=False).needs_tuning


def test_lines_of_predictions_are_read_again():
    problem, outputs = QuestionAnswering(threshold=0.0, n_best=3), _outputs(FOUND, none=5.0)
    rows = problem.decode(_targets(), outputs)
    assert json.loads(json.dumps(rows)) == rows
    assert rows[0]["predicted"] == {
        **{"text": "1969's 🌙", "start": 6, "end": 14},
        "score": pytest.approx(1.0, abs=1e-3),
    }
    assert [len(row["n_best"]) for row in rows] == [3, 3, 1]
    assert [row["question"] for row in rows] == ["a", "b", "c"]
    assert rows[2]["predicted"] is None
    found, measured = problem.predictions(rows), problem.metrics(_targets(), outputs, LOSS)
    values = found.table().metrics(np.ones((1, 3)))[0]
    for name, value in zip(found.metrics, values, strict=True):
        assert value == pytest.approx(measured[name])
    assert bootstrap.resample([[found]], resamples=5, seed=0).shape == (5, 1, 2)
    assert all(problem.truth(row).items() <= row.items() for row in rows)


def _served(problem, outputs):
    """Return the outputs of `serving_default`, by question."""
    windows = [window for each in outputs for window in each]
    length = max(len(window.starts) for window in windows) + 2

    def padded(name, fill):
        rows = [getattr(window, name) for window in windows]
        widths = [[(0, length - len(row)), *[(0, 0)] * (row.ndim - 1)] for row in rows]
        pairs = zip(rows, widths, strict=True)
        return tf.constant(np.stack([np.pad(*pair, constant_values=fill) for pair in pairs]))

    about = {
        "word_starts": padded("starts", -1),
        "word_ends": padded("ends", -1),
        "first_pieces": tf.constant(outputs.first_pieces),
        "window_counts": tf.constant(outputs.counts),
    }
    found = problem.served_contexts(padded("logits", -1e4), tf.constant(CONTEXTS), about)
    plain = {name: value.numpy().tolist() for name, value in found.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def test_export_returns_what_was_evaluated():
    problem, outputs = QuestionAnswering(threshold=0.0, n_best=4), _outputs(FOUND, none=5.0)
    rows, served = problem.decode(_targets(), outputs), _served(problem, outputs)
    assert [row["answer"].decode() for row in served] == ["1969's 🌙", "of 1969", ""]
    assert [row["start"] for row in served] == [6, 8, -1]
    found = problem.compare_served(rows, served)
    assert found.largest_difference < 1e-6
    assert found.details == {"changed_answers": 0}
    assert problem.compare_served(rows, served[::-1]).largest_difference == 1.0
    for row, outputs_ in zip(rows, served, strict=True):
        answer = problem.answer(outputs_)
        assert json.loads(json.dumps(answer)) == answer
        assert answer["answer"] == (row["predicted"] and row["predicted"]["text"])
        cells = problem.answer_cells(answer)
        assert len(cells) == len(problem.answer_columns())
    assert problem.answer(served[2])["score"] == pytest.approx(served[2]["score"])
    assert problem.line(problem.answer(served[2])) == f"-\t{served[2]['score']:.4f}"
    assert problem.line(problem.answer(served[0])).startswith("1969's 🌙\t0.9998")


def test_without_no_answer_every_question_is_answered():
    problem, outputs = QuestionAnswering(no_answer=False), _outputs(FOUND, none=50.0)
    rows, served = problem.decode(_targets(), outputs), _served(problem, outputs)
    assert all(row["predicted"] for row in rows)
    assert [row["answer"].decode() for row in served] == ["1969's 🌙", "of 1969", "no"]
    assert "null_score_diff" not in problem.answer(served[0])
    assert "best_f1" not in problem.metrics(_targets(), outputs, LOSS)


def test_score_of_no_answer_is_its_probability_whatever_the_threshold():
    problem, outputs = QuestionAnswering(threshold=0.0), _outputs(FOUND, none=5.0)
    strict = QuestionAnswering(threshold=100.0)
    scores = [row["score"] for row in _served(problem, outputs)]
    answers = [problem.answer(row) for row in _served(strict, outputs)]
    assert answers[2]["answer"] is None
    assert answers[2]["score"] == pytest.approx(scores[2], rel=1e-4)


def test_threshold_is_overridden_by_a_number_only():
    problem = QuestionAnswering(threshold=0.0)
    problem.override_threshold("-1.5")
    assert problem.threshold == -1.5
    for wrong in ("nan", "inf", "high"):
        with pytest.raises(UserError, match=f"must be a number. Received: '{wrong}'"):
            problem.override_threshold(wrong)
    with pytest.raises(UserError, match="trained to answer every question"):
        QuestionAnswering(no_answer=False).override_threshold("1")


def test_a_context_without_tokens_has_no_answer():
    outputs = ContextOutputs(
        logits=np.zeros((4, 2), np.float32),
        starts=np.full(4, -1),
        ends=np.full(4, -1),
        lengths=np.array([4]),
        first_pieces=np.array([0]),
        counts=np.array([1]),
    )
    targets = [np.frombuffer(answers.encode("", [], None), np.uint8)]
    for problem in (QuestionAnswering(), QuestionAnswering(no_answer=False)):
        (row,) = problem.decode(targets, outputs)
        assert row["predicted"] is None
        assert row["n_best"] == []


def test_finite_outputs_and_answers_are_required():
    problem, outputs = QuestionAnswering(), _outputs(FOUND)
    assert problem.are_finite(outputs).tolist() == [True] * 3
    outputs.logits[9] = np.nan  # of the second window
    assert problem.are_finite(outputs).tolist() == [False, True, True]
    assert problem.shortcoming(_targets()) is None
    assert "no answer" in problem.shortcoming(_targets([[], [], []]))
    assert problem.summarize(_targets()) == {"examples": 3, "without_answer": 1}
    assert problem.stratum(_targets()).tolist() == [1, 1, 0]


def test_divergence_and_entropy_are_means_over_start_and_end():
    logits = np.zeros((2, 3, 2), np.float32)
    others = logits.copy()
    others[1, 0, 0] = 2.0
    problem = QuestionAnswering()
    found = np.array(problem.divergence(logits, others))
    assert found[0] == 0.0
    assert found[1] > 0
    assert np.array(problem.entropy(logits)) == pytest.approx([np.log(3)] * 2)
