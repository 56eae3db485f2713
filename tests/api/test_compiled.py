"""Losses and metrics that models on raw strings are compiled with, and what these take."""

import keras
import numpy as np
import pytest

import ftkeras
from ftkeras.api.compiled import check_activation
from tests.string_models import NUMBERS, TEXTS, Models, check_refused


@pytest.fixture(scope="module")
def models():
    """Return the models, which are made when they are first asked for."""
    return Models()


@pytest.mark.parametrize(
    "loss",
    [
        "categorical_crossentropy",
        "mse",
        keras.losses.binary_crossentropy,
        keras.losses.Poisson(),
    ],
    ids=["categorical", "name", "function", "object"],
)
def test_numbers_are_refused_where_the_loss_takes_probabilities(models, loss):
    model = ftkeras.TextClassifier.from_config(models["classifier"].get_config())
    model.compile("sgd", loss)
    message = "`y` must be probabilities .* such as 'sparse_categorical_crossentropy'"
    for y in (NUMBERS, ["neg", "pos"]):
        check_refused(lambda y=y: model.fit(TEXTS, y), message)


def my_categorical(y, found):
    """Return the probability of the right class, as a loss of one's own may."""
    return keras.ops.take_along_axis(found, y[:, None], 1)


@pytest.mark.parametrize(
    "loss",
    [my_categorical, keras.losses.SparseCategoricalCrossentropy(name="loss")],
    ids=["function", "renamed"],
)
def test_numbers_are_taken_whatever_the_name_of_the_loss(models, loss):
    model = ftkeras.TextClassifier.from_config(models["classifier"].get_config())
    model.compile("sgd", loss)
    assert model.targets(TEXTS, NUMBERS).tolist() == NUMBERS


@pytest.mark.parametrize(
    ("key", "loss", "activation"),
    [
        ("classifier", ftkeras.losses.CrossEntropy(), "softmax"),
        ("classifier", keras.losses.SparseCategoricalCrossentropy(from_logits=True), "softmax"),
        ("classifier", "sparse_categorical_crossentropy", "linear"),
        ("classifier", ["sparse_categorical_crossentropy"], "linear"),
        ("classifier", {"answer": ftkeras.losses.CrossEntropy()}, "softmax"),
        ("classifier", keras.losses.CategoricalCrossentropy(), "linear"),
        ("several", ftkeras.losses.BinaryCrossEntropy(), "sigmoid"),
        ("several", "binary_crossentropy", "linear"),
        ("tagger", ftkeras.losses.CrossEntropy(), "softmax"),
        ("answerer", ftkeras.losses.SpanCrossEntropy(), "softmax"),
    ],
)
def test_losses_of_logits_are_refused_for_probabilities_and_the_reverse(
    models, key, loss, activation
):
    config = models[key].get_config() | {"activation": activation}
    model = type(models[key]).from_config(config)
    model.compile("sgd", loss)
    takes = "probabilities" if activation == "linear" else "logits"
    message = f"`loss` .* takes {takes}, but .* activation='{activation}'"
    check_refused(lambda: model.evaluate(TEXTS, NUMBERS), message)


def test_logarithms_of_probabilities_are_logits_as_well():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    check_activation(loss, "log_softmax")


def test_a_regressor_is_not_told_to_change_the_activation_that_it_does_not_have(models):
    model = models["regressor"]
    model.compile("sgd", "binary_crossentropy")
    message = "returns logits; use a loss with from_logits=True. Received: activation='linear'."
    check_refused(lambda: model.fit(TEXTS, NUMBERS), message)


@pytest.mark.parametrize(
    "metric",
    [
        *("AUC", "categorical_accuracy", "top_k_categorical_accuracy", "r2_score"),
        *(keras.metrics.Precision(), keras.metrics.TruePositives()),
    ],
)
@pytest.mark.parametrize("wrap", [lambda loss: loss, lambda loss: [loss]], ids=["loss", "list"])
def test_metrics_of_matrices_are_refused_for_numbers(models, metric, wrap):
    model = ftkeras.TextClassifier.from_config(models["classifier"].get_config())
    message = "`metrics` must compare numbers .* 'categorical_crossentropy' and pandas.get_dummies"
    check_refused(
        lambda: model.compile(
            "sgd", wrap("sparse_categorical_crossentropy"), metrics=["accuracy", metric]
        ),
        message,
    )
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", metric])
    assert model.targets(TEXTS, np.eye(2)).shape == (2, 2)


def test_loaded_model_is_compiled_as_it_was_saved(models, tmp_path):
    models["classifier"].save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.compiled, loaded.loss) == (True, "sparse_categorical_crossentropy")
    assert loaded.optimizer.built
