"""Explanations: captum's attributions, and occlusion by leaving out each word."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert
from ftkeras.errors import UserError
from ftkeras.explanations import explaining
from ftkeras.explanations.explanation import Explanation, align
from ftkeras.explanations.integrated_gradients import IntegratedGradients
from ftkeras.exporters._weights import Weights
from ftkeras.heads.classification import Classification as Head
from ftkeras.heads.multi_label import MultiLabel as LabelHead
from ftkeras.heads.question_answering import QuestionAnswering as SpanHead
from ftkeras.problems.classification import Classification
from ftkeras.problems.multi_label import MultiLabel
from ftkeras.problems.multiple_choice import MultipleChoice
from ftkeras.problems.question_answering import QuestionAnswering
from ftkeras.training.finetuner import FineTuner
from tests.explanations import make_captum

LABELS = ("bad", "so so", "good")
WORDS = {"great": 2.0, "not": -3.0, "dull": -1.5}


@pytest.mark.parametrize(
    ("name", "problem", "head"),
    [
        ("captum", Classification(labels=LABELS), Head(classes=3, pooling="pooled", seed=0)),
        (
            "captum_labels",
            MultiLabel(labels=LABELS),
            LabelHead(outputs=3, pooling="pooled", seed=0),
        ),
        ("captum_spans", QuestionAnswering(), SpanHead(seed=0)),
    ],
)
def test_integrated_gradients_are_captums(name, problem, head):
    golden = np.load(pathlib.Path(make_captum.__file__).parent / f"{name}.npz")
    encoder = Bert(**Bert.settings(huggingface.read_config(make_captum.ENCODER)), pooler=True)
    encoder.load(huggingface.read_tensors(make_captum.ENCODER))
    model = FineTuner(encoder=encoder, head=head, pad_id=make_captum.PAD)
    ids = tf.constant(golden["token_ids"])
    model({"token_ids": ids})
    outputs = model.head.kernel.shape[-1]
    model.head.kernel.assign(golden["kernel"][:, :outputs])
    model.head.bias.assign(golden["bias"][:outputs])
    attribute = IntegratedGradients(
        weights=Weights(model),
        evidence=problem.evidence,
        pad_id=make_captum.PAD,
        special_ids=make_captum.SPECIAL,
        steps=make_captum.STEPS,
    )
    found, gap = attribute({"token_ids": ids}, tf.constant(golden["chosen"]))
    np.testing.assert_allclose(found, golden["attributions"], atol=1e-4)
    np.testing.assert_allclose(gap, golden["gap"], atol=1e-4)
    assert np.abs(golden["attributions"]).max() > 0.1


class _Additive:
    """A model whose log-odds are a sum over words, with a bonus for "not dull"."""

    explains_any = True

    def __init__(self, problem):
        self.problem = problem

    def answer(self, texts):
        return [self._outputs(row["text"]) for row in texts]

    def attribute(self, texts, chosen):
        raise NotImplementedError

    def _outputs(self, text):
        score = sum(value for word, value in WORDS.items() if word in text)
        score += 4.0 * ("not" in text and "dull" in text)
        p = 1 / (1 + np.exp(-np.array([-score, score - 1])))
        if isinstance(self.problem, MultiLabel):
            return {"probabilities": p, "thresholds": [0.5, 0.5]}
        return {"probabilities": [1 - p[1], p[1]], "label": b"good"}


def test_occlusion_is_the_evidence_that_a_word_adds():
    model = _Additive(Classification(labels=("bad", "good")))
    text = "Well, not dull: a great film"
    (found,) = explaining.explain(model, [{"text": text}], method="occlusion", labels=["good"])
    assert found["tokens"] == ["Well", ",", "not", "dull", ":", "a", "great", "film"]
    # Without one of "not" and "dull", the other one stays, and the bonus goes.
    np.testing.assert_allclose(found["attributions"], [0, 0, 1, 2.5, 0, 0, 2, 0], atol=1e-9)
    assert found["gap"] == pytest.approx(1.5 - 5.5)  # f(text) - f("") is 1.5
    for word, value in zip(found["tokens"], found["attributions"], strict=True):
        (without,) = model.answer([{"text": text.replace(word, "", 1)}])
        (own,) = model.answer([{"text": text}])
        evidence = [
            np.log(p / (1 - p)) for p in (own["probabilities"][1], without["probabilities"][1])
        ]
        assert value == pytest.approx(evidence[0] - evidence[1])
    assert found["label"] == "good"


def test_marks_belong_to_the_word_of_their_letter():
    text = "यह फिल्म अच्छी है! Un cafe\u0301 d’e\u0301te\u0301 ❤\ufe0f"
    model = _Additive(Classification(labels=("bad", "good")))
    (found,) = explaining.explain(model, [{"text": text}], method="occlusion", labels=["good"])
    words = ["यह", "फिल्म", "अच्छी", "है", "!", "Un", "cafe\u0301", "d’e\u0301te\u0301", "❤\ufe0f"]
    assert found["tokens"] == words


def test_each_predicted_label_is_explained_or_the_given_ones():
    model = _Additive(MultiLabel(labels=("dull", "good"), threshold=0.5))
    explain = lambda text, *labels: [  # noqa: E731
        one["explained"]
        for one in explaining.explain(model, [{"text": text}], method="occlusion", labels=labels)
    ]
    assert explain("great film") == ["good"]
    assert explain("a film") == ["dull"]  # 0.5, just enough
    assert explain("dull great", "dull", "good") == ["dull", "good"]
    with pytest.raises(UserError, match="`label` must be one of dull, good. Received: 'nice'"):
        explain("a film", "nice")


def test_export_names_the_output_that_it_explains():
    """Which may be another than the first of those that the answer names."""
    model = _Additive(MultiLabel(labels=("dull", "good"), threshold=0.5))
    model.explains_any = False
    row = {"tokens": [b"dull"], "attributions": [1.0], "gap": 0.0}
    model.attribute = lambda texts, chosen: [{**row, "explained": b"good"}]
    assert explaining.explain(model, [{"text": "dull"}])[0]["explained"] == "good"
    model.attribute = lambda texts, chosen: [row]  # of an earlier version
    assert explaining.explain(model, [{"text": "dull"}])[0]["explained"] == "dull"


def test_what_can_not_be_explained_is_refused():
    model = _Additive(MultipleChoice(labels=("0", "1")))
    with pytest.raises(UserError, match="answers of a multiple-choice model can't be explained"):
        explaining.explain(model, [])
    model = _Additive(Classification(labels=("bad", "good")))
    with pytest.raises(UserError, match="`method` must be integrated_gradients or occlusion"):
        explaining.explain(model, [], method="lime")
    model.explains_any = False
    with pytest.raises(UserError, match="use `method`=occlusion, or `run_dir`"):
        explaining.explain(model, [], labels=["bad"])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Not bad, Zoë!", ["[CLS]", "not", "bad", ",", "zo", "##e", "!", "[SEP]"]),
        ("Not bad, Zoë!", ["<s>", "Not", "Ġbad", ",", "ĠZo", "Ã«", "!", "</s>"]),
        ("Not bad, Zoë!", ["▁Not", "▁bad", ",", "▁Zo", "ë", "!"]),
        ("太好了 İstanbul", ["太", "好", "了", "i", "##stanbul"]),
        ("", ["[CLS]", "[SEP]"]),
    ],
)
def test_pieces_are_the_text(text, tokens):
    weights = [0.0 if token[0] in "[<" else n + 1.0 for n, token in enumerate(tokens)]
    found = align(text, tokens, weights)
    assert "".join(piece for piece, _ in found) == text
    assert sum(weight for _, weight in found) == pytest.approx(sum(weights))


def test_explanation_is_escaped_in_a_notebook_and_plain_without_a_terminal():
    found = Explanation(
        text="a <b>\x1b[2J",
        explained="<good>",
        method="occlusion",
        tokens=["a", "b"],
        attributions=[0.5, -1.0],
        gap=0.25,
    )
    shown = found._repr_html_()
    assert "<b>" not in shown
    assert "&lt;good&gt;" in shown
    assert "rgb(213 94 0 / 0.75)" in shown
    assert found.terminal(colored=False).splitlines()[1:] == ["  -1.0000  b", "  +0.5000  a"]
    colored = found.terminal(colored=True)
    assert "\x1b[38;5;16;48;5;208mb\x1b[0m" in colored
    assert "\x1b[2J" not in colored
    assert "gap +0.250" in repr(found)


def test_a_terminal_shows_blanks_and_joiners_but_no_control_characters():
    def shown(text: str) -> str:
        given = {"explained": "x", "method": "occlusion", "tokens": [], "attributions": []}
        return Explanation(text=text, gap=0.0, **given).terminal(colored=True).split("\n", 1)[1]

    kept = "a\xa0b\u3000c\u202fd क्\u200dष 👩\u200d🔬 e\xadf\t\ng"
    assert shown(kept) == kept
    assert shown("a\rb\x1bc\x9bd\u202ee\ud800") == "a�b�c�d�e�"
