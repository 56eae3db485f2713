"""Keras models on raw strings, one for each problem, and the smallest data for them."""

import pytest
import tensorflow as tf

import ftkeras
from tests.finished import ENCODER

TEXTS, NUMBERS = ["The film was dull.", "The plot was moving."], [0, 1]
PAIRS = {"text": TEXTS, "pair": TEXTS}
WORDS, TAGS = [["The", "film"], ["Dull"]], [["O", "B"], ["B"]]
ASKED = {"question": ["How?"] * 2, "context": TEXTS}
OPTIONS = {"question": TEXTS, "options": [["yes", "no"], ["I", "you", "they"]]}
LINES = {**OPTIONS, "options": ["yes\nno", "I\nyou"]}
SPARSE = "sparse_categorical_crossentropy"
# How the models are made and compiled.
MODELS = {
    "classifier": ("TextClassifier", SPARSE, {"labels": ["neg", "pos"]}),
    "of_pairs": ("TextClassifier", SPARSE, {"labels": ["neg", "pos"], "pairs": True}),
    "several": ("MultiLabelTextClassifier", "binary_crossentropy", {"labels": ["film", "praise"]}),
    "regressor": ("TextRegressor", "mse", {}),
    "numbers": ("TextRegressor", "mse", {"outputs": 2}),
    "similarity": ("TextSimilarity", "mse", {}),
    "tagger": ("TokenClassifier", SPARSE, {"labels": ["O", "B"]}),
    "choice": ("MultipleChoice", SPARSE, {"options": 4}),
    "answerer": ("QuestionAnswerer", SPARSE, {}),
}


class Models(dict):
    """The models, each made when it is first asked for."""

    def __missing__(self, key):
        name, loss, arguments = MODELS[key]
        build = getattr(ftkeras, name).from_pretrained
        model = build(ENCODER, **arguments, max_length=16, seed=1)
        model.compile("sgd", loss, run_eagerly=True)
        return self.setdefault(key, model)


def batches(*columns, size=2):
    """Return a dataset of batches of these columns."""
    given = columns if len(columns) > 1 else columns[0]
    return tf.data.Dataset.from_tensor_slices(given).batch(size)


def check_refused(call, message: str) -> None:
    """Check that a call is refused with one line."""
    with pytest.raises(ValueError, match=message) as found:
        call()
    assert "\n" not in str(found.value)
