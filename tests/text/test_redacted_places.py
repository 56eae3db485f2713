"""Places in texts before and after a redaction, against Python's `re`."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkeras.text.redacted_places import MARK, Places
from ftkeras.text.redactions.pii import PII
from tests.text.redactions.test_pii import TEXTS

ALL = PII()


def spans_by_python(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the redacted text, and where each of its characters was in the text."""
    spans = [(n, n + 1) for n in range(len(text))]
    for rule in ALL.rules:
        made, moved, at = "", [], 0
        for found in re.finditer(rule.pattern, text, flags=re.ASCII):
            start = max(found.start(), found.end(1)) if found.re.groups else found.start()
            place = spans[start][0], spans[found.end() - 1][1]
            made += text[at:start] + rule.placeholder
            moved += spans[at:start] + [place] * len(rule.placeholder)
            at = found.end()
        text, spans = made + text[at:], moved + spans[at:]
    return text, spans


@tf.function(
    input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None, None, 2], tf.int32)],
    autograph=False,
)
def there_and_back(texts, spans):
    """Return redacted texts, and where spans of them are: in the texts, in them, in the texts."""
    places = Places(ALL, texts)

    def moved(move, spans):
        return tf.stack(move(spans[..., 0], spans[..., 1]), axis=-1)

    found = moved(places.original, spans)
    back = moved(places.redacted, found)
    return places.texts, found, back, moved(places.original, back)


def check(texts: list[str]) -> None:
    """Compare all spans of one character and the whole of each text, in both directions."""
    known = [spans_by_python(text) for text in texts]
    longest = max(len(spans) for _, spans in known) + 1
    starts, wanted = (np.full((len(texts), longest, 2), -1, np.int32) for _ in range(2))
    for row, (_, spans) in enumerate(known):
        for n, span in enumerate(spans):
            starts[row, n], wanted[row, n] = (n, n + 1), span
        if spans:
            starts[row, -1], wanted[row, -1] = (0, len(spans)), (spans[0][0], spans[-1][1])
    made, found, back, again = (part.numpy() for part in there_and_back(texts, starts))
    assert [text.decode() for text in made] == [text for text, _ in known]
    np.testing.assert_array_equal(found, wanted)
    # Back again: a character that stayed is where it was, one of a placeholder is all of it.
    np.testing.assert_array_equal(again, wanted)
    inside = (starts >= 0).all(-1)
    assert (back[inside][:, 0] <= starts[inside][:, 0]).all()
    assert (back[inside][:, 1] >= starts[inside][:, 1]).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_places_are_those_of_python(texts):
    check(texts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1))
def test_places_of_any_texts_stay(texts):
    check(texts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b.org",
        f"x {MARK}123-45-6789{MARK} a@b.org é c@d.org",
        "\ufeffa@b.org",
        "a@b.org,c@d.org",
    ],
)
def test_edges(text):
    check([text, "b"])


def test_places_within_what_is_replaced_are_widened():
    places = Places(ALL, tf.constant(["Ask ann@example.org now"]))
    starts, ends = places.redacted([[0, 8, 4, 10, 19]], [[3, 15, 19, 23, 19]])
    assert (starts.numpy().tolist(), ends.numpy().tolist()) == (
        [[0, 4, 4, 4, 11]],
        [[3, 11, 11, 15, 11]],
    )


def test_windows_name_their_text():
    places = Places(ALL, tf.constant(["a@b.org x", "y"]))
    starts, ends = places.original([[0, 8], [0, -1], [8, 0]], [[7, 9], [1, -1], [9, 7]], [0, 1, 0])
    assert starts.numpy().tolist() == [[0, 8], [0, -1], [8, 0]]
    assert ends.numpy().tolist() == [[7, 9], [1, -1], [9, 7]]
