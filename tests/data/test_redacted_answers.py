"""Answers that are places in texts, after a redaction."""

import tensorflow as tf

from ftkeras.data.redacted_answers import RedactedAnswers
from ftkeras.problems.question_answering import QuestionAnswering
from ftkeras.problems.token_classification import TokenClassification
from ftkeras.support import answers, tags
from ftkeras.text.redactions.pii import PII

TEXT = "Ask ann@example.org or Bob."


def move(problem, elements: list[dict]) -> tuple[list[bytes], RedactedAnswers]:
    """Return the labels of elements, moved, and what moved them."""
    columns = {name: [one[name] for one in elements] for name in elements[0]}
    moved = RedactedAnswers(problem, PII())
    dataset = moved.move(tf.data.Dataset.from_tensor_slices(columns))
    assert dataset.element_spec["label"].shape == ()
    found = list(dataset.as_numpy_iterator())
    assert [one["text"].decode() for one in found] == columns["text"]  # only the layer redacts
    return [one["label"] for one in found], moved


def test_entities_are_moved_and_widened_to_what_is_replaced():
    entities = [
        [(0, 4, 19), (1, 23, 26)],  # the address, Bob
        [(0, 4, 7), (1, 8, 15), (1, 23, 26)],  # ann, example, Bob
        [],
    ]
    elements = [{"text": TEXT, "label": tags.encode(one)} for one in entities]
    found, moved = move(TokenClassification, elements)
    wanted = [[0, 4, 11], [1, 15, 18]]  # [EMAIL], Bob
    assert [tags.decode(one).tolist() for one in found] == [wanted, wanted, []]
    assert moved.left_out == {TEXT.encode(): 1}


def test_entities_of_a_text_without_a_place_stay_as_they_are():
    label = tags.encode([(1, 4, 7), (0, 0, 3)])
    found, moved = move(TokenClassification, [{"text": "Ask Bob.", "label": label}])
    assert found == [label]
    assert moved.left_out == {}


def test_answers_have_the_text_that_is_read():
    known = [(4, "ann@example.org"), (4, "ann"), (23, "Bob")]
    element = {"text": "Who?", "pair": TEXT, "label": answers.encode(TEXT, known, "q1")}
    nothing = {**element, "label": answers.encode(TEXT, [])}
    (found, without), _ = move(QuestionAnswering, [element, nothing])
    redacted = "Ask [EMAIL] or Bob."
    assert answers.decode(found) == (redacted, ((4, "[EMAIL]"), (15, "Bob")), "q1")
    assert answers.decode(without) == (redacted, (), None)
