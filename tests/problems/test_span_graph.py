"""The best spans, against brute force over all pairs of tokens."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from ftkeras.problems import _span_graph
from ftkeras.problems._contexts import ContextOutputs
from tests.matrix import matrix


def _outputs(rng, examples, overlap):
    """Return random logits of contexts whose token n is characters 3 n to 3 n + 2."""
    parts = {"logits": [], "starts": [], "ends": [], "lengths": [], "first_pieces": []}
    counts = []
    for _ in range(examples):
        pieces, room, question = rng.integers(0, 14), rng.integers(2, 7), rng.integers(0, 3)
        step, first, count = int(room) - min(overlap, room // 2), 0, 0
        while True:
            tokens = 3 * np.arange(first, min(first + room, pieces))
            before = np.full(2 + question, -1)
            parts["starts"] += [before, tokens, [-1]]
            parts["ends"] += [before, tokens + 2, [-1]]
            length = len(before) + len(tokens) + 1
            parts["logits"].append(rng.normal(size=(length, 2)).astype(np.float32))
            parts["lengths"].append([length])
            parts["first_pieces"].append([first])
            count += 1
            if first + room >= pieces:
                break
            first += step
        counts.append(count)
    arrays = {name: np.concatenate(part) for name, part in parts.items()}
    return ContextOutputs(**arrays, counts=np.array(counts))


def _contexts_of(windows):
    """Return by (window, token) how much context a token has, by the reference's formula."""
    found = {}
    for number, window in enumerate(windows):
        tokens = np.flatnonzero(window.ends >= 0)
        for place, token in enumerate(tokens):
            least = min(place, len(tokens) - 1 - place)
            found[number, token] = np.float32(least) + np.float32(0.01) * np.float32(len(tokens))
    return found


def _brute_force(windows, longest):
    """Return all valid spans of an example: score, start and end."""
    context, spans = _contexts_of(windows), []
    best = {}
    for (number, token), score in context.items():
        start = windows[number].starts[token]
        if start not in best or score > best[start][0]:
            best[start] = score, number
    for number, window in enumerate(windows):
        for first in range(len(window.starts)):
            for last in range(first, min(first + longest, len(window.starts))):
                if window.ends[first] < 0 or window.ends[last] < 0:
                    continue
                start = window.starts[first]
                if best[start][1] == number:
                    score = window.logits[first, 0] + window.logits[last, 1]
                    spans.append((float(score), int(start), int(window.ends[last])))
    return sorted(spans, reverse=True)


@pytest.mark.parametrize(
    "case", matrix([(n, longest) for n in range(6) for longest in (1, 4, 30)], default=[(2, 4)])
)
@pytest.mark.parametrize("no_answer", [True, False])
def test_best_spans_are_those_of_brute_force(case, no_answer):
    seed, longest = case
    outputs = _outputs(np.random.default_rng(seed), 30, overlap=seed)
    found = _span_graph.decode(outputs, longest=longest, n_best=5, no_answer=no_answer)
    for n, windows in enumerate(outputs):
        spans = _brute_force(windows, longest)
        null = min(float(window.logits[0].sum()) for window in windows)
        total = sum(np.exp([score for score, _, _ in spans])) + no_answer * np.exp(null)
        assert found.count[n] == min(5, len(spans))
        assert found.null[n] == pytest.approx(null, abs=1e-5)
        for place, (score, start, end) in enumerate(spans[:5]):
            assert [found.starts[n][place], found.ends[n][place]] == [start, end]
            assert found.logits[n][place] == pytest.approx(score, abs=1e-5)
            assert found.scores[n][place] == pytest.approx(np.exp(score) / total, rel=1e-4)
        if no_answer:
            assert found.null_score[n] == pytest.approx(np.exp(null) / total, rel=1e-4)


def test_windows_of_one_example_are_those_of_the_graph():
    outputs = _outputs(np.random.default_rng(3), 4, 1)
    alone = _span_graph.decode(outputs, longest=3, n_best=2, no_answer=True)
    for n, windows in enumerate(outputs):
        arrays = _span_graph._dense(windows)
        # Padding that is longer changes nothing.
        arrays = [
            np.pad(a, [(0, 0), (0, 4), (0, 0)][: a.ndim], constant_values=-1) if a.ndim > 1 else a
            for a in arrays
        ]
        found = _span_graph.find(
            *arrays, np.array([len(windows)], np.int32), longest=3, n_best=2, no_answer=True
        )
        assert found.starts.numpy().tolist() == [alone.starts[n].tolist()]
        assert found.scores.numpy()[0] == pytest.approx(alone.scores[n], rel=1e-4)


def test_longest_span_beyond_the_row_costs_no_memory():
    outputs = _outputs(np.random.default_rng(3), 4, 1)
    settings = {"n_best": 2, "no_answer": True}
    length = max(len(window.starts) for windows in outputs for window in windows)
    expected = _span_graph.decode(outputs, longest=length, **settings)
    found = _span_graph.decode(outputs, longest=10**9, **settings)  # 4 GB for each token
    for name in found._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_located_tokens_are_those_of_the_best_span():
    outputs = _outputs(np.random.default_rng(5), 20, 2)
    settings = {"longest": 4, "n_best": 3, "no_answer": True}
    flat = [window for windows in outputs for window in windows]
    logits, starts, ends, firsts = _span_graph._dense(flat)
    place = _span_graph.locate(logits, starts, ends, firsts, outputs.counts, **settings)
    found = _span_graph.find(logits, starts, ends, firsts, outputs.counts, **settings)
    owners = np.repeat(np.arange(len(outputs)), outputs.counts)
    assert len(set(place.window.numpy() - np.flatnonzero(np.diff(owners, prepend=-1)))) > 1
    for n in range(len(outputs)):
        assert owners[place.window[n]] == owners[place.null_window[n]] == n
        assert place.logit[n] == found.logits[n, 0]
        if found.count[n]:
            assert starts[place.window[n], place.first[n]] == found.starts[n, 0]
            assert ends[place.window[n], place.last[n]] == found.ends[n, 0]
        assert logits[place.null_window[n], 0].sum() == place.null[n] == found.null[n]


def test_text_of_a_span_is_cut_by_characters():
    contexts = tf.constant(["é 🌙 ab".encode(), b"\xff\xfeab"])
    one = np.array([[2, 0], [1, 0]], np.int32), np.array([[5, 0], [4, 0]], np.int32)
    zero = np.zeros((2, 2), np.float32)
    count = np.array([1, 1], np.int32)
    found = _span_graph.Found(*one, zero, zero, count, zero[:, 0], zero[:, 0])
    texts = _span_graph.texts_of(found, contexts).numpy().tolist()
    assert [row[0].decode() for row in texts] == ["🌙 a", "�ab"]
    assert [row[1] for row in texts] == [b"", b""]


def test_probabilities_are_the_softmax_over_each_window():
    outputs = _outputs(np.random.default_rng(0), examples=5, overlap=1)
    wanted = [softmax(window.logits, axis=0) for windows in outputs for window in windows]
    np.testing.assert_allclose(outputs.probabilities(), np.concatenate(wanted), rtol=1e-5)
