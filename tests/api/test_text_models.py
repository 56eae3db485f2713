"""Keras models on raw strings that predict numbers, or several labels; and their files."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import ftkeras
from tests.finished import ENCODER
from tests.matrix import matrix

TEXTS = [f"The {thing} was {word}." for thing in ("film", "plot") for word in ("dull", "charming")]
LABELS = ["film", "praise"]
NAMES = [["film"], ["film", "praise"], [], {"praise"}]
MATRIX = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])


def _several(**arguments) -> ftkeras.MultiLabelTextClassifier:
    given = {"labels": LABELS, "max_length": 16, "seed": 1} | arguments
    return ftkeras.MultiLabelTextClassifier.from_pretrained(ENCODER, **given)


def _numbers(**arguments) -> ftkeras.TextRegressor:
    given = {"outputs": 2, "max_length": 16, "seed": 1} | arguments
    return ftkeras.TextRegressor.from_pretrained(ENCODER, **given)


@pytest.fixture(scope="module")
def several():
    return _several()


def test_several_labels_are_names_or_numbers(several):
    several.compile("sgd", "binary_crossentropy", run_eagerly=True)
    by_name = several.evaluate(TEXTS, NAMES, verbose=0)
    assert by_name == several.evaluate(np.array(TEXTS), MATRIX, verbose=0)
    assert by_name == several.evaluate(TEXTS, MATRIX.tolist(), verbose=0)
    arrays = [np.array(sorted(names), dtype=object) for names in NAMES]  # as Parquet's lists are
    assert by_name == several.evaluate(TEXTS, arrays, verbose=0)
    probabilities = np.array(several(tf.constant(TEXTS)))
    clipped = np.where(MATRIX, probabilities, 1 - probabilities)
    assert by_name == pytest.approx(-np.log(clipped).mean(), rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["film", "praise"], "`y` must have a list of labels for each text, .* Received: 'film'"),
        ([["film"], ["sound"]], "`y` must contain only the labels film, praise. Received: 'sound'"),
    ],
)
def test_wrong_answers_are_refused(several, labels, message):
    with pytest.raises(ValueError, match=message):
        several.fit(TEXTS[:2], labels)


def test_numbers_may_be_in_lists():
    model = _numbers(outputs=1)
    model.compile("sgd", "mse", run_eagerly=True)
    expected = np.mean((np.array(model(tf.constant(TEXTS)))[:, 0] - [0.5, 1, 2, 3]) ** 2)
    assert model.evaluate(TEXTS, [0.5, 1, 2, 3], verbose=0) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="`y` must be finite numbers. Received: 'many'"):
        model.fit(TEXTS, ["many"] * 4, verbose=0)


def test_a_text_with_several_labels_has_no_class_to_weigh(several):
    with pytest.raises(ValueError, match="`class_weight` must be None.*use `sample_weight`"):
        several.fit(TEXTS[:2], [["film"], []], class_weight={0: 2.0})


def test_wrong_labels_are_refused(several):
    with pytest.raises(ValueError, match="`labels` must be different names"):
        _several(labels=["a", "a"])
    with pytest.raises(ValueError, match="`labels` must be 2 names, one for each output"):
        ftkeras.MultiLabelTextClassifier.from_config({**several.get_config(), "labels": ["a"]})


@pytest.mark.parametrize("build", matrix([_several, _numbers], default=[]))
def test_model_learns_is_saved_and_exported(build, tmp_path):
    model = build()
    loss = "binary_crossentropy" if build is _several else "mse"
    model.compile(ftkeras.optimizers.AdamW(5e-3), loss)
    answers = NAMES * 4 if build is _several else np.tile(MATRIX * 0.5, (4, 1))
    history = model.fit(TEXTS * 4, answers, epochs=8, batch_size=4, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    expected = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(again.predict(TEXTS, verbose=0), expected, atol=1e-6)
    assert getattr(again, "labels", None) == getattr(model, "labels", None)
    model.export(tmp_path / "m", verbose=False)
    exported = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_allclose(exported.serve(tf.constant(TEXTS)), expected, atol=1e-6)


PAIRS = {"text": TEXTS, "pair": TEXTS[::-1]}
ASKED = {"question": TEXTS, "context": TEXTS}
OPTIONS = {"question": TEXTS, "options": ["good\nbad"] * 4}
# Classes with their own arguments, and what they are called with.
OTHERS = {
    "TextSimilarity": ({}, PAIRS),
    "TokenClassifier": ({"labels": LABELS}, TEXTS),
    "MultipleChoice": ({"options": 2}, OPTIONS),
    "QuestionAnswerer": ({}, ASKED),
}
IN_A_FRESH_PROCESS = """
import json
import sys
import keras
import numpy as np
import ftkeras
ftkeras.register_keras_classes()
with open("inputs.json") as file:
    inputs = json.load(file)
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras", safe_mode=True)
    np.save(name, model.predict(inputs[name], verbose=0))
"""


@pytest.mark.process
def test_fresh_process_loads_each_class(tmp_path):
    expected = {}
    for name, (arguments, inputs) in OTHERS.items():
        build = getattr(ftkeras, name).from_pretrained
        model = build(ENCODER, **arguments, max_length=16, seed=1)
        model.compile(ftkeras.optimizers.AdamW(1e-3), "mse")
        model.save(tmp_path / f"{name}.keras")
        expected[name] = model.predict(inputs, verbose=0)
    inputs = {name: inputs for name, (_, inputs) in OTHERS.items()}
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, *OTHERS]
    subprocess.run(command, check=True, cwd=tmp_path)
    for name, answers in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), answers, atol=1e-6)
