"""Entities: the decoder against brute force, and metrics against seqeval."""

import itertools
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.exporters._comparison import Bounds
from ftkeras.problems import WordOutputs, _entity_graph
from ftkeras.problems.token_classification import TokenClassification
from ftkeras.statistics import bootstrap
from ftkeras.support import tags
from ftkeras.support.ragged import Ragged
from tests.matrix import matrix

RNG = np.random.default_rng(5)
TYPES = ("LOC", "PER")
GOLDEN = pathlib.Path(__file__).with_name("seqeval.json")


def _is_allowed(names: list[str], scheme: str) -> bool:
    """Return whether a sequence of tags is one that its scheme allows, by its definition."""
    before = "O"
    for name in [*names, "O"]:
        opened = before[0] in "BI" if scheme == "BIOES" else False
        if name[0] in "IE":
            if before[0] not in "BI" or before[2:] != name[2:]:
                return False
        elif opened:
            return False
        before = name
    return True


@pytest.mark.parametrize("scheme", tags.SCHEMES)
def test_decoder_finds_the_best_sequence_of_all_that_are_allowed(scheme):
    names = tags.names(TYPES[: 1 if scheme == "BIOES" else 2], scheme)
    lengths = [0, 1, 2, 4, 4, 3, 0]
    scores = RNG.normal(size=(sum(lengths), len(names))).astype(np.float32)
    ragged = tf.RaggedTensor.from_row_lengths(scores, lengths)
    found = _entity_graph.viterbi(ragged, tags.allowed(names)).to_list()
    for row, steps in zip(found, np.split(scores, np.cumsum(lengths)[:-1]), strict=True):
        every = itertools.product(range(len(names)), repeat=len(steps))
        legal = [s for s in every if _is_allowed([names[t] for t in s], scheme)]
        best = max(legal, key=lambda s, steps=steps: sum(steps[n][t] for n, t in enumerate(s)))
        assert tuple(row) == best


@pytest.mark.parametrize("scheme", tags.SCHEMES)
def test_decoder_weighs_transitions_and_scores_are_probabilities_of_allowed_sequences(scheme):
    names = tags.names(TYPES[:1], scheme)
    lengths, size = [0, 1, 3, 4], len(names)
    logits = RNG.normal(size=(sum(lengths), size)).astype(np.float32)
    transitions = RNG.normal(scale=2, size=(size + 1, size + 1)).astype(np.float32)
    ragged = tf.RaggedTensor.from_row_lengths(logits, lengths)
    numbers = tf.RaggedTensor.from_row_lengths(np.arange(sum(lengths)), lengths)
    found = _entity_graph.find(names, ragged, numbers, numbers + 1, transitions)
    rows = np.split(logits, np.cumsum(lengths)[:-1])
    for row, steps in enumerate(rows):

        def score(states, steps=steps):
            ends = [size, *states, size] if len(states) else []
            between = sum(transitions[pair] for pair in itertools.pairwise(ends))
            return between + sum(steps[n][t] for n, t in enumerate(states))

        every = itertools.product(range(size), repeat=len(steps))
        legal = [s for s in every if _is_allowed([names[t] for t in s], scheme)]
        weights = np.exp([float(score(s)) for s in legal])
        best = max(legal, key=score)
        assert tuple(found.tags[row].numpy()) == best
        for start, end, score_ in zip(
            *(part[row].numpy() for part in (found.starts, found.ends, found.scores)), strict=True
        ):
            places = range(start - sum(lengths[:row]), end - sum(lengths[:row]))
            marginals = [
                weights[[s[at] == best[at] for s in legal]].sum() / weights.sum() for at in places
            ]
            assert score_ == pytest.approx(np.mean(marginals), abs=1e-5)


@pytest.mark.parametrize("texts", [0, 2])
def test_decoder_takes_texts_without_words(texts):
    empty = tf.RaggedTensor.from_row_lengths(np.zeros((0, 5), np.float32), np.zeros(texts, int))
    assert _entity_graph.viterbi(empty, tags.allowed(tags.names(TYPES, "BIO"))).to_list() == (
        [[]] * texts
    )


def _outputs(sentences: list[list[str]], names: tuple[str, ...]) -> tuple[list, WordOutputs]:
    """Return words of one character each, and logits that are sure of the given tags."""
    spans = [np.stack([np.arange(len(s)) * 2, np.arange(len(s)) * 2 + 1], 1) for s in sentences]
    flat = [names.index(tag) for sentence in sentences for tag in sentence]
    logits = 20.0 * np.eye(len(names), dtype=np.float32)[flat]
    lengths = np.array([len(s) for s in sentences])
    words = np.concatenate(spans).reshape(-1, 2).astype(np.int32)
    return spans, WordOutputs(logits, Ragged.from_lengths(words, lengths))


def _answers(problem, outputs) -> list[np.ndarray]:
    found = _entity_graph.decode(problem.names, outputs)
    rows = [zip(d.kinds, d.starts, d.ends, strict=True) for d in found]
    return [np.frombuffer(tags.encode(list(row)), np.uint8) for row in rows]


def _loss(targets, outputs):
    return np.float32(0.5)


@pytest.mark.parametrize("count", matrix([20, 200], default=[20]))
def test_metrics_are_those_of_seqeval(count):
    cases = json.loads(GOLDEN.read_text())
    assert len(cases) == 200
    for case in cases[:count]:  # decoding each takes a fifth of a second
        names = tags.names(case["types"], "BIO")
        problem = TokenClassification(labels=names)
        targets = _answers(problem, _outputs(case["truth"], names)[1])
        found = problem.metrics(targets, _outputs(case["predicted"], names)[1], _loss)
        for name in ("f1", "precision", "recall", "accuracy"):
            assert found[name] == pytest.approx(case[name]), name
        by_type = {row["type"]: row for row in found["per_type"] if row["type"] in case["per_type"]}
        for kind, expected in case["per_type"].items():
            assert {k: by_type[kind][k] for k in expected} == pytest.approx(expected)


NAMES = tags.names(TYPES, "BIO")
# EU rejects New York . / of two words that were read, the third was cut off.
WORDS = [np.array([[0, 2], [3, 10], [11, 14], [15, 19]]), np.array([[0, 4], [5, 9]])]
ENTITIES = [[(1, 0, 2), (0, 11, 19)], [(1, 0, 4), (0, 10, 14)]]


@pytest.fixture
def sample():
    words = Ragged.from_lengths(np.concatenate(WORDS).astype(np.int32), np.array([4, 2]))
    logits = np.full((6, 5), -3.0, np.float32)
    for word, tag in enumerate([3, 0, 1, 2, 0, 2]):  # the last, I-LOC after O, is not allowed
        logits[word, tag] = 3.0
    logits[5, 1] = 2.0
    targets = [np.frombuffer(tags.encode(found), np.uint8) for found in ENTITIES]
    return TokenClassification(labels=NAMES), targets, WordOutputs(logits, words)


def test_tokens_get_the_tag_of_their_word(sample):
    problem, targets, outputs = sample
    found = problem.token_targets(targets, outputs.spans)
    assert found.tolist() == [3, 0, 1, 2, 3, 0]
    stored = np.array([-1, *found, -1])
    batch = problem.collate(stored, np.array([[0, 1, 2, 7], [5, -1, -1, 3]]))
    assert batch["example_mask"].tolist() == [
        [False, True, True, False],
        [True, False, False, True],
    ]
    assert batch["targets"].tolist() == [[0, 3, 0, 0], [3, 0, 0, 1]]


def test_entities_that_were_not_read_count_as_missed(sample):
    problem, targets, outputs = sample
    found = problem.metrics(targets, outputs, _loss)
    # Found: EU, New York, and one wrong LOC; missed: the two of the second text.
    assert [found[n] for n in ("precision", "recall")] == [2 / 3, 2 / 4]
    assert found["f1"] == pytest.approx(2 * 2 / (3 + 4))
    assert [found["cut_off"], found["within_words"], found["exact_match"]] == [1, 0, 0.5]
    assert json.loads(json.dumps(found)) == found
    assert "entities of test beyond max_length, counted as missed: 1 of 4" in "\n".join(
        problem.report({"test": found}, "test", "metrics.json")
    )


def test_export_returns_what_was_evaluated(sample):
    problem, targets, outputs = sample
    rows = problem.decode(targets, outputs)
    assert rows[0]["predicted"] == [
        {"type": "PER", "start": 0, "end": 2, "score": pytest.approx(0.99, abs=0.01)},
        {"type": "LOC", "start": 11, "end": 19, "score": pytest.approx(0.99, abs=0.01)},
    ]
    assert rows[1]["tags"] == ["O", "B-LOC"]
    # As tokens: a special one, then the first words; the second text is padded.
    logits, starts, ends = np.zeros((2, 5, 5), np.float32), *(np.full((2, 5), -1) for _ in "se")
    for row, (spans, words) in enumerate(outputs):
        logits[row, 1 : 1 + len(spans)], starts[row, 1 : 1 + len(spans)] = words, spans[:, 0]
        ends[row, 1 : 1 + len(spans)] = spans[:, 1]
    texts = tf.constant(["EÜ rejects New\tYork", "Mary goes home"])
    served = problem.served_words(
        tf.constant(logits), texts, tf.constant(starts), tf.constant(ends)
    )
    plain = {name: value.numpy().tolist() for name, value in served.items()}
    assert plain["texts"] == [["EÜ".encode(), b"New\tYork"], [b"goes", b""]]
    answered = [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]
    found = problem.compare_served(rows, answered)
    assert max(found.largest_difference, found.logit_change) < 1e-6
    answer = problem.answer(answered[0])
    assert problem.line(answer) == "PER EÜ\tLOC New York"
    broken = problem.compare_served(rows, answered[::-1])
    assert (broken.largest_difference, broken.logit_change) == (1.0, 1.0)
    with pytest.raises(UserError, match="entities or scores change by 1, more than logit_tol"):
        bounds = Bounds.choose("int8", 0.0, tolerance=None, logit_tolerance=None)
        bounds.check(broken, "x", pathlib.Path("run"))
    answered[0]["scores"][0] = float("nan")
    assert np.isnan(problem.compare_served(rows, answered).logit_change)
    (cell,) = problem.answer_cells(answer)
    assert [entity["text"] for entity in json.loads(cell)] == ["EÜ", "New\tYork"]
    assert problem.line({"entities": []}) == "-"
    assert "entities" not in problem.answer_columns()  # which labelled texts often have


def test_texts_without_entities_or_words_are_answered(sample):
    problem, _, _ = sample
    nothing = tf.fill([1, 3], -1)
    served = problem.served_words(tf.zeros([1, 3, 5]), tf.constant([b"\xff"]), nothing, nothing)
    assert {name: value.shape.as_list() for name, value in served.items()} == {
        **{name: [1, 1] for name in ("types", "texts", "starts", "ends", "scores")},
        "count": [1],
    }


def test_lines_of_predictions_are_read_again(sample):
    problem, targets, outputs = sample
    rows = json.loads(json.dumps(problem.decode(targets, outputs)))
    found, measured = problem.predictions(rows), problem.metrics(targets, outputs, _loss)
    values = found.table().metrics(np.ones((1, 2)))[0]
    assert dict(zip(found.metrics, values, strict=True)) == pytest.approx(
        {name: measured[name] for name in found.metrics}
    )
    assert found.scores.mean() == measured["exact_match"]
    assert bootstrap.resample([[found]], resamples=5, seed=0).shape == (5, 1, 4)
    assert all(problem.truth(row).items() <= row.items() for row in rows)


def test_advice_names_a_model_that_finds_nothing(sample):
    problem, targets, outputs = sample
    assert problem.advice({"validation": problem.metrics(targets, outputs, _loss)}) == []
    nothing = WordOutputs(
        np.tile(np.float32([9, 0, 0, 0, 0]), (len(outputs.logits), 1)), outputs.spans
    )
    found = {"test": problem.metrics(targets, nothing, _loss)}
    assert problem.advice(found) == ["the model finds none of the 4 entities"]
    assert problem.advice({}) == []


def test_state_and_shortcoming(sample):
    problem, targets, outputs = sample
    other = TokenClassification(labels=NAMES)
    other.restore_state(json.loads(json.dumps(problem.state())))
    assert other.decode(targets, outputs) == problem.decode(targets, outputs)
    assert problem.summarize(targets)["entities"] == {"LOC": 2, "PER": 2}
    assert problem.shortcoming(targets) is None
    assert "no entity" in problem.shortcoming([np.zeros(0, np.uint8)] * 2)
