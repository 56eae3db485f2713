"""An estimator for scikit-learn."""

import math
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ftkeras import catalog
from ftkeras.api import text_classifier
from ftkeras.api.columns import is_missing
from ftkeras.api.keras_classes import register_keras_classes
from ftkeras.config.fields import LARGEST_SEED
from ftkeras.optimizers.adamw import AdamW
from ftkeras.policies import Policy
from ftkeras.schedules import Warmup
from ftkeras.schedules.linear import Linear
from ftkeras.support import bounds, global_state, standard_error

# A pickled estimator holds a `.keras` file, which is loaded before any of its classes is used.
register_keras_classes()


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Fine-tune a pretrained encoder to classify texts, as a scikit-learn estimator.

    It works in pipelines, `cross_val_score` and `GridSearchCV`, and it can be cloned and pickled.
    Texts may be a list, an array, or a column of a DataFrame. It trains with AdamW, a linear
    warm-up and a linear decay of the learning rate.

    Args:
        encoder: a folder with config.json and weights, or a Hugging Face Hub id.
        max_length: the maximum number of tokens per text, including special tokens.
        epochs: the number of passes over the data; positive.
        batch_size: the number of texts in a batch; positive.
        learning_rate: the highest learning rate; positive.
        weight_decay: the weight decay of AdamW; not negative.
        warmup: the share of the updates in which the learning rate rises, in [0, 1).
        policy: which variables train, such as "lora(rank=8)", as for `--policy`; None for all.
        random_state: integer from 0 to 2³² - 1 that determines new weights, dropout and the order
            of the texts; None to draw one from NumPy's global generator in each fit.
        verbose: as in `keras.Model.fit`.

    Attributes:
        classes_: the labels, sorted.
        model_: the fitted `ftkeras.TextClassifier`, a Keras model.
        history_: the metrics of each epoch, by name.
    """

    def __init__(
        self,
        encoder: Any = "distilbert-base-uncased",
        *,
        max_length: int = 128,
        epochs: int = 3,
        batch_size: int = 16,
        learning_rate: float = 3e-5,
        weight_decay: float = 0.01,
        warmup: float = 0.1,
        policy: str | None = None,
        random_state: int | None = None,
        verbose: int = 0,
    ):
        self.encoder = encoder
        self.max_length = max_length
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.policy = policy
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "TextClassifier":
        """Fine-tune the encoder.

        Args:
            X: texts [samples], or a table of one column.
            y: labels [samples], of any type that can be sorted.
            sample_weight: weight of each text in the loss, [samples], or None.

        Raises:
            ValueError: if there are fewer than two labels, or an argument is wrong.
            UserError: if the encoder or the policy is wrong.
        """
        self._check_parameters()
        texts, answers = _texts(X), _labels(y)
        if len(texts) != len(answers):
            raise ValueError(f"X has {len(texts)} texts, but y has {len(answers)} labels.")
        weights = None if sample_weight is None else _weights(sample_weight, len(texts))
        classes, numbers = np.unique(answers, return_inverse=True)
        if len(classes) < 2:
            received = "1 class" if len(classes) else "none"
            raise ValueError(f"y must have two or more classes. Received: {received}.")
        # Before the context, which would put NumPy's generator back: each fit would draw the same.
        seed = _seed(self.random_state)
        with global_state.restored(), standard_error.only_errors("tensorflow"):
            keras.utils.set_random_seed(seed)
            policy = catalog.build("policy", self.policy, seed=seed) if self.policy else None
            model = self._compiled(classes, len(texts), policy, seed)
            history = model.fit(
                texts,
                [model.labels[number] for number in numbers],
                sample_weight=weights,
                batch_size=self.batch_size,
                epochs=self.epochs,
                verbose=self.verbose,
            ).history
            if policy is not None:
                policy.merge(model)
        # A pickled estimator needs no state of the optimizer.
        model.optimizer, model.compiled = None, False
        # At the end, so that what an earlier fit learned stays whole if this one is interrupted.
        self.classes_, self.model_, self.history_ = classes, model, history
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each text, [samples].

        Raises:
            NotFittedError: if the estimator is not fitted.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each label, float32 [samples, classes].

        Raises:
            NotFittedError: if the estimator is not fitted.
        """
        check_is_fitted(self)
        texts = _texts(X)
        if not len(texts):
            return np.zeros((0, len(self.classes_)), "float32")
        with standard_error.only_errors("tensorflow"):
            return self.model_.predict(texts, batch_size=self.batch_size, verbose=0)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        tags.input_tags.one_d_array = True
        return tags

    def _check_parameters(self) -> None:
        """Raise ValueError, naming the parameter, if one is out of bounds."""
        bounds.integer(1, epochs=self.epochs, batch_size=self.batch_size)
        bounds.positive(learning_rate=self.learning_rate)
        bounds.not_negative(weight_decay=self.weight_decay)
        bounds.share(warmup=self.warmup)
        bounds.optional_integer(0, random_state=self.random_state)
        if self.random_state is not None and self.random_state > LARGEST_SEED:
            raise ValueError(
                f"`random_state` must be at most {LARGEST_SEED}. Received: {self.random_state!r}."
            )
        if not isinstance(self.encoder, str | os.PathLike):
            raise ValueError(
                f"`encoder` must be a folder or a Hugging Face Hub id. Received: {self.encoder!r}."
            )
        if not isinstance(self.policy, str | None):
            raise ValueError(
                "`policy` must be one as for `--policy`, such as 'lora(rank=8)', or None. "
                f"Received: {self.policy!r}."
            )

    def _compiled(
        self, classes: np.ndarray, texts: int, policy: Policy | None, seed: int
    ) -> text_classifier.TextClassifier:
        """Return a new model of these classes, compiled to train on that number of texts."""
        model = text_classifier.TextClassifier.from_pretrained(
            self.encoder,
            labels=[str(label) for label in classes],
            max_length=self.max_length,
            seed=seed,
        )
        if policy is not None:
            policy.apply(model)
        model.compile(
            optimizer=AdamW(self._schedule(texts), weight_decay=self.weight_decay),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    def _schedule(self, texts: int) -> Any:
        updates = math.ceil(texts / self.batch_size) * self.epochs
        steps = round(self.warmup * updates)
        falling = Linear(self.learning_rate, total_steps=max(1, updates - steps))
        return Warmup(falling, steps=steps) if steps else falling


def _seed(random_state: int | None) -> int:
    """Return the seed of a fit."""
    if random_state is None:
        return int(np.random.randint(LARGEST_SEED + 1, dtype=np.int64))
    return int(random_state)


def _labels(y: Any) -> np.ndarray:
    """Return labels as an array, [samples].

    Raises:
        ValueError: if they are missing, or are not those of a classification.
    """
    if y is None:
        raise ValueError("`fit` requires y to be passed, but the target y is None.")
    labels = column_or_1d(y, warn=True)
    if labels.dtype.kind not in "biuf":  # of others, scikit-learn may miss missing values
        # NumPy has made texts of NaN in a list with texts.
        given = labels if hasattr(y, "dtype") else np.asarray(y, dtype=object).ravel()
        for position, label in enumerate(given):
            if is_missing(label):
                raise ValueError(
                    "y must have a label for each text. "
                    f"Received: {label!r} at position {position}."
                )
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def _weights(sample_weight: Any, samples: int) -> np.ndarray:
    """Return weights as an array, float64 [samples].

    Raises:
        ValueError: if they are not one number for each sample, not negative, or are all zero.
    """
    weights = check_array(
        sample_weight,
        ensure_2d=False,
        dtype="float64",
        ensure_non_negative=True,
        input_name="sample_weight",
    )
    if weights.shape != (samples,):
        raise ValueError(f"sample_weight must have shape {(samples,)}. Received: {weights.shape}.")
    if not weights.any():
        raise ValueError("sample_weight must not be all zero.")
    return weights


def _texts(X: Any) -> np.ndarray:
    """Return texts as an array of objects, [samples].

    Raises:
        ValueError: if they are not texts, or a table of several columns.
    """
    if isinstance(X, str) or not hasattr(X, "__iter__"):
        raise ValueError(f"X must be a list or column of texts, such as [text]. Received: {X!r}.")
    texts = np.asarray(X if hasattr(X, "__len__") else list(X), dtype=object)
    if texts.ndim == 2 and texts.shape[1] == 1:
        texts = texts[:, 0]
    if texts.ndim != 1:
        raise ValueError(f"X must be one column of texts. Received: shape {texts.shape}.")
    wrong: Sequence[Any] = [value for value in texts if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"X must be texts. Received: {wrong[0]!r}.")
    return texts
