"""Exports that redact answer with places in the texts that they are given."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.exporters._signatures import Served
from ftkeras.problems.question_answering import QuestionAnswering
from ftkeras.problems.token_classification import TokenClassification
from ftkeras.text.layer import TextLayer
from ftkeras.text.redactions.pii import PII
from ftkeras.text.truncations.head import Head
from ftkeras.text.truncations.windows import Windows
from tests.exporters import small
from tests.text.test_redacted_places import spans_by_python

TEXTS = [
    "Ask ann@example.org, é the film or +49 30 901820 and 123-45-6789 not",
    "a@b.org",
    "the plot",
    "",
]


class Network(tf.Module):
    """Answers by token id alone, so that every text has some answers."""

    def __init__(self, width: int):
        super().__init__()
        table = np.random.default_rng(3).normal(size=(421, width), scale=3)
        self._table = tf.Variable(table.astype(np.float32))

    def __call__(self, inputs):
        return (tf.gather(self._table, inputs["token_ids"]),)


def serve(problem, width: int, truncation, **reads):
    """Return the function `serving_default` of an export that redacts."""
    layer = TextLayer(
        tokenizer=small.text_layer().tokenizer,
        truncation=truncation,
        max_length=24,
        redaction=PII(),
        **reads,
    )
    pairs = "contexts" in reads
    served = Served(weights=Network(width), text_layer=layer, problem=problem, pairs=pairs)
    return served.signatures()["serving_default"]


def check(answer, redacted, count: int) -> None:
    """Compare places in texts with those in redacted ones, which an export leaves as they are."""
    for name in ("scores", "count"):
        np.testing.assert_allclose(answer[name], redacted[name], atol=1e-6)
    seen = 0
    for row, text in enumerate(TEXTS):
        made, spans = spans_by_python(text)
        places = zip(redacted["starts"][row].numpy(), redacted["ends"][row].numpy(), strict=True)
        for n, (start, end) in enumerate(places):
            if n < answer["count"][row] and end > start:
                found = int(answer["starts"][row, n]), int(answer["ends"][row, n])
                assert found == (spans[start][0], spans[end - 1][1])
                seen += made[start:end] != text[found[0] : found[1]]
    assert seen >= count  # answers with a placeholder


CUTS_WINDOWS = pytest.param(Windows(overlap=6), id="windows")
SHORTENS = pytest.param(Head(), marks=pytest.mark.matrix, id="head")


@pytest.mark.parametrize("truncation", [CUTS_WINDOWS, SHORTENS])
def test_entities_are_in_characters_of_the_text(truncation):
    problem = TokenClassification(labels=("O", "B-X", "I-X"))
    answers = serve(problem, 3, truncation, words=True)
    given = tf.constant(TEXTS)
    redacted = tf.constant([spans_by_python(text)[0] for text in TEXTS])
    found = answers(text=given)
    check(found, answers(text=redacted), count=2)
    for row, text in enumerate(TEXTS):
        for n in range(int(found["count"][row])):
            start, end = int(found["starts"][row, n]), int(found["ends"][row, n])
            assert found["texts"][row, n].numpy().decode() == text[start:end]


@pytest.mark.matrix
@pytest.mark.parametrize("truncation", [CUTS_WINDOWS, SHORTENS])
def test_answers_are_in_characters_of_the_context(truncation):
    answers = serve(QuestionAnswering(no_answer=False), 2, truncation, contexts=True)
    questions = tf.constant(["Who is a@b.org?"] * len(TEXTS))
    redacted = tf.constant([spans_by_python(text)[0] for text in TEXTS])
    found = answers(text=questions, pair=tf.constant(TEXTS))
    check(found, answers(text=questions, pair=redacted), count=4)
    for row, text in enumerate(TEXTS):
        if found["count"][row]:
            start, end = int(found["start"][row]), int(found["end"][row])
            assert found["answer"][row].numpy().decode() == text[start:end]
