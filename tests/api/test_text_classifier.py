"""Keras models on raw strings: a classifier, and a user's own model of our layers."""

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
LABELS = ["neg", "pos"]
X, Y = TEXTS * 4, LABELS * 8


def _classifier(**arguments) -> ftkeras.TextClassifier:
    return ftkeras.TextClassifier.from_pretrained(
        ENCODER, **{"labels": LABELS, "max_length": 16, "seed": 1} | arguments
    )


@pytest.fixture(scope="module")
def classifier() -> ftkeras.TextClassifier:
    return _classifier()


def _own_model() -> keras.Model:
    encoder = ftkeras.encoders.from_pretrained(ENCODER, seed=1)
    preprocessor = ftkeras.text.from_pretrained(ENCODER, max_length=16)
    texts = keras.Input((), dtype="string")
    features = encoder(**preprocessor(texts))
    mean = keras.layers.GlobalAveragePooling1D()(features["sequence"])
    return keras.Model(texts, keras.layers.Dense(2, "softmax")(mean))


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    """A user's own subclass."""

    def __init__(self, preprocessor, encoder, **kwargs):
        super().__init__(**kwargs)
        self.preprocessor, self.encoder = preprocessor, encoder
        self.dense = keras.layers.Dense(2, "softmax")

    def build(self, input_shape):
        self.dense.build((None, self.encoder.hidden))

    def call(self, texts, training=False):
        return self.dense(self.encoder(**self.preprocessor(texts), training=training)["first"])

    def get_config(self):
        parts = {"preprocessor": self.preprocessor, "encoder": self.encoder}
        return {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}

    @classmethod
    def from_config(cls, config):
        return cls(**{n: keras.saving.deserialize_keras_object(p) for n, p in config.items()})


def _subclassed() -> keras.Model:
    preprocessor = ftkeras.text.from_pretrained(ENCODER, max_length=16)
    model = Subclassed(preprocessor, ftkeras.encoders.from_pretrained(ENCODER, seed=1))
    model(tf.constant(TEXTS))
    return model


def test_seed_may_be_one_of_numpy(classifier):
    again = _classifier(seed=np.int64(1))
    np.testing.assert_array_equal(again.head.kernel, classifier.head.kernel)


def test_answers_may_be_names_or_numbers(classifier):
    classifier.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    by_name = classifier.evaluate(TEXTS, LABELS * 2, verbose=0)
    assert by_name == classifier.evaluate(np.array(TEXTS), np.array([0, 1, 0, 1]), verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, [0, 1, 0, 1])).batch(4)
    assert by_name == classifier.evaluate(dataset, verbose=0)


def test_texts_may_be_bytes(classifier):
    texts = ["Schön, ✓", "the film"]
    expected = classifier.predict(texts, verbose=0)
    as_bytes = [text.encode() for text in texts]
    np.testing.assert_array_equal(classifier.predict(as_bytes, verbose=0), expected)
    mixed = np.array([as_bytes[0], texts[1]], dtype=object)
    np.testing.assert_array_equal(classifier.predict(mixed, verbose=0), expected)


@pytest.mark.parametrize("labels", [np.array(["neg", "pos"]), ("neg", "pos")], ids=type)
def test_labels_may_be_an_array(labels, tmp_path):
    model = _classifier(labels=labels)
    assert model.labels == ("neg", "pos")
    model.save(tmp_path / "m.keras")
    assert keras.models.load_model(tmp_path / "m.keras").labels == ("neg", "pos")


def test_weights_of_classes_may_be_by_name(classifier):
    classifier.compile(keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    texts, labels = ["the film", "the plot"], ["neg", "pos"]
    for weights in ({0: 0.0, 1: 1e-9}, {"neg": 0.0, "pos": 1e-9}, {"neg": 0.0, 1: 1e-9}):
        history = classifier.fit(texts, labels, class_weight=weights, verbose=0).history
        assert history["loss"] == pytest.approx([0.0], abs=1e-7)
    for weights in ({"bad": 2.0}, {2: 2.0}):
        with pytest.raises(ValueError, match="`class_weight` must have keys from neg, pos, or"):
            classifier.fit(texts, labels, class_weight=weights)
    with pytest.raises(ValueError, match="`class_weight` must be a dict.*Received: 'balanced'"):
        classifier.fit(texts, labels, class_weight="balanced")


@pytest.mark.matrix
def test_classifier_learns_with_ordinary_arguments_of_keras(tmp_path):
    model = _classifier()
    optimizer = ftkeras.optimizers.AdamW(2e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = tmp_path / "best.keras"
    callbacks = [keras.callbacks.ModelCheckpoint(best, save_best_only=True)]
    settings = {"batch_size": 4, "epochs": 2, "verbose": 0, "callbacks": callbacks}
    history = model.fit(X, Y, validation_split=0.25, **settings).history
    assert history["val_accuracy"][-1] == 1
    assert history["loss"][1] < history["loss"][0]
    loaded = keras.models.load_model(best)
    probabilities = loaded.predict(TEXTS, verbose=0)
    assert probabilities.argmax(axis=1).tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(probabilities, model(TEXTS), atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert loaded.labels == ("neg", "pos")


@pytest.mark.parametrize(
    "build", matrix([_classifier, _own_model, _subclassed], default=[_own_model])
)
def test_saved_model_is_the_same(build, tmp_path):
    model = build()
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    texts = tf.constant(TEXTS)
    np.testing.assert_array_equal(again(texts), model(texts))


IN_A_FRESH_PROCESS = """
import sys
import keras
import numpy as np
import ftkeras
ftkeras.register_keras_classes()
model = keras.models.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[2], model.predict(sys.argv[3:], verbose=0))
"""


@pytest.mark.process
def test_fresh_process_loads_the_model(tmp_path):
    model = _classifier()
    model.compile(ftkeras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
    model.save(tmp_path / "m.keras")
    arguments = [tmp_path / "m.keras", tmp_path / "found.npy", *TEXTS]
    subprocess.run([sys.executable, "-c", IN_A_FRESH_PROCESS, *arguments], check=True)
    expected = model.predict(TEXTS, verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), expected, atol=1e-6)


@pytest.mark.parametrize("build", matrix([_classifier, _own_model], default=[]))
def test_export_takes_strings(build, tmp_path):
    model = build()
    model.export(tmp_path / "m", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "m")
    texts = tf.constant(TEXTS)
    np.testing.assert_allclose(loaded.serve(texts), model(texts), atol=1e-6)


@pytest.mark.matrix
def test_archive_takes_strings(classifier, tmp_path):
    archive, texts = keras.export.ExportArchive(), tf.constant(TEXTS)
    archive.track(classifier)
    signature = [tf.TensorSpec((None,), tf.string)]
    archive.add_endpoint("classify", classifier.call, input_signature=signature)
    archive.write_out(tmp_path / "m", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_allclose(loaded.classify(texts), classifier(texts), atol=1e-6)


@pytest.mark.matrix
def test_pairs_and_logits():
    model = _classifier(pairs=True, activation="linear", pooling="mean")
    model.compile("adam", ftkeras.losses.CrossEntropy())
    columns = {"text": X, "pair": Y}
    assert np.isfinite(model.fit(columns, Y, verbose=0).history["loss"]).all()
    assert model.predict(columns, verbose=0).shape == (len(X), 2)
    assert model.get_config()["pairs"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.predict("a"), "`x` must be a list, an array or a column of texts"),
        (
            lambda model: model.predict([1]),
            "`x` must be texts; turn numbers .* Received: 1 at position 0",
        ),
        (
            lambda model: model.fit(["a"], ["bad"]),
            "`y` must contain only the labels neg, pos. Received: 'bad'",
        ),
    ],
)
def test_mistakes_are_named(classifier, call, message):
    with pytest.raises(ValueError, match=message):
        call(classifier)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["one"]}, "`labels` must be two or more"),
        ({"labels": "positive"}, "`labels` must be two or more"),
        ({"labels": ["a", "a"]}, "`labels` must be two or more"),
        ({"labels": [0, 1]}, "`labels` must be two or more"),
        ({"max_length": 5000}, "`max_length` must be at most"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        _classifier(**arguments)


def test_head_with_another_number_of_outputs_is_refused(classifier):
    config = {**classifier.get_config(), "labels": ["a", "b", "c"]}
    with pytest.raises(ValueError, match="`labels` must be 2 names, one for each output"):
        ftkeras.TextClassifier.from_config(config)


class Batches(keras.utils.PyDataset):
    """Many batches, which note their order."""

    def __init__(self):
        super().__init__()
        self.order = []

    def __len__(self):
        return 1000

    def __getitem__(self, index):
        self.order.append(index)
        return tf.constant(TEXTS[:1]), tf.constant([0])


def test_batches_of_a_py_dataset_are_shuffled_as_keras_does(classifier):
    classifier.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    keras.utils.set_random_seed(1)
    data = Batches()
    classifier.fit(data, steps_per_epoch=1, verbose=0)
    assert max(data.order) > 10
