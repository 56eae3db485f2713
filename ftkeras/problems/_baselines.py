"""Simple models that a fine-tuned encoder must beat: they know word frequencies only.

Scikit-learn is imported when a model is fitted.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ftkeras.problems import _thresholds
from ftkeras.problems._ranks import middle_ranks

Texts = Sequence[Mapping[str, str]]
# The inverse strength of the regularization. Weights of TF-IDF vectors, whose length is 1, need
# less of it than scikit-learn's default, which is 1.
STRENGTH = 5.0
# The share of the training texts on which thresholds of labels are tuned.
SHARE_TO_TUNE = 0.2
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana and ideographs.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af"
)
# A word. Of these scripts, each character is one, as a whole clause would be one otherwise.
WORD = rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]"
# What TF-IDF cosines of equal texts may differ by.
ROUNDING = 1e-6
LINEAR = "TF-IDF and logistic regression"


@dataclass(frozen=True)
class Baseline:
    """A simple model's answers to the examples of a split.

    Attributes:
        name: what the model is.
        predictions: its answers, `bootstrap.Predictions` of the same class as those of the run.
    """

    name: str
    predictions: Any  # its `metrics` are of the class, which the protocol can't say


@dataclass(frozen=True)
class BaselineData:
    """Training data of baselines, and the texts that they answer.

    Attributes:
        train: the training texts, or some of them.
        targets: the answers to these, as the problem stores them, [texts, …].
        texts: those to answer.
        rows: the lines of predictions.jsonl of these.
    """

    train: Texts
    targets: Any
    texts: Texts
    rows: Sequence[Mapping[str, Any]]
    features: "Features" = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "features", Features(self.train))


class Features:
    """TF-IDF vectors of texts and pairs, of words and of pairs of words that follow each other.

    Of a pair of texts, they are the vectors of both, and the words that both share.

    Args:
        texts: from which the vocabulary and the frequencies are learned.
    """

    def __init__(self, texts: Texts):
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, 2),
            sublinear_tf=True,
            min_df=2 if len(texts) > 1000 else 1,
            max_features=200_000,
            token_pattern=WORD,
        )
        self._vectorizer.fit([text for one in texts for text in one.values()])

    def __call__(self, texts: Texts) -> Any:
        """Return a sparse matrix, float32 [texts, features]."""
        from scipy import sparse

        sides = [self._vectorizer.transform([t[side] for t in texts]) for side in texts[0]]
        if len(sides) == 1:
            return sides[0]
        return sparse.hstack([*sides, sides[0].multiply(sides[1])], format="csr")

    def cosines(self, texts: Texts) -> np.ndarray:
        """Return the cosine of both texts of each pair, float [pairs]."""
        first, second = self.sides(texts)
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()

    def sides(self, texts: Texts) -> tuple[Any, Any]:
        """Return the vectors of the first and of the second texts."""
        first, second = ([text[side] for text in texts] for side in ("text", "pair"))
        return self._vectorizer.transform(first), self._vectorizer.transform(second)


def class_probabilities(data: BaselineData, classes: int) -> np.ndarray:
    """Return the probabilities of a logistic regression, float [texts, classes].

    Several classes are each separated from all others, and the probabilities add up to 1. A class
    without a training text has a probability of 0.

    Args:
        data: with the class of each text as targets.
        classes: how many there are.
    """
    indicators = np.eye(classes, dtype=int)[np.asarray(data.targets, int)]
    if classes == 2:
        second = _one_against_rest(data, indicators[:, 1:])[:, 0]
        return np.column_stack([1 - second, second])
    probabilities = _one_against_rest(data, indicators)
    return probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)


def label_answers(data: BaselineData, threshold: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return which labels are predicted, bool [texts, labels], and their probabilities.

    Args:
        data: with 0 or 1 for each label as targets.
        threshold: of all labels; None to tune each on a part of the training texts.
    """
    targets = np.asarray(data.targets, int)
    thresholds: Any = threshold
    if threshold is None:
        held_out = np.arange(len(targets)) % round(1 / SHARE_TO_TUNE) == 0
        chosen, others = np.flatnonzero(held_out), np.flatnonzero(~held_out)
        part = BaselineData(
            [data.train[n] for n in others.tolist()],
            targets[others],
            [data.train[n] for n in chosen.tolist()],
            (),
        )
        thresholds = _thresholds.tune(targets[chosen], _one_against_rest(part, targets[others]))
    probabilities = _one_against_rest(data, targets)
    return probabilities >= np.asarray(thresholds), probabilities


def numbers(data: BaselineData) -> np.ndarray:
    """Return the predictions of a ridge regression, float [texts, outputs]."""
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0, solver="lsqr")
    model.fit(data.features(data.train), data.targets)
    return np.asarray(model.predict(data.features(data.texts))).reshape(len(data.texts), -1)


def right_options(data: BaselineData) -> list[np.ndarray]:
    """Return how likely each option of each question is right, by a logistic regression.

    Args:
        data: questions as "text", options as lines of "pair", and the right one's number as target.
    """
    train, _ = _options(data.train)
    right = [
        int(n == answer)
        for one, answer in zip(data.train, data.targets, strict=True)
        for n in range(len(one["pair"].split("\n")))
    ]
    options, counts = _options(data.texts)
    fitted = BaselineData(train, np.array(right), options, ())
    scores = _one_against_rest(fitted, np.array(right)[:, np.newaxis])[:, 0]
    return np.split(scores, np.cumsum(counts)[:-1])


def nearest_ranks(data: BaselineData, *, step: int = 500) -> np.ndarray:
    """Return the rank of each second text among all, by the TF-IDF cosine with the first one.

    They are ranked as the model's; see `middle_ranks`.
    """
    first, second = data.features.sides(data.texts)
    same = np.unique([text["pair"] for text in data.texts], return_inverse=True)[1]
    ranks = np.zeros(len(data.texts), int)
    for start in range(0, len(ranks), step):
        similarities = np.asarray((first[start : start + step] @ second.T).todense())
        own = similarities.diagonal(start)
        is_right = same[start : start + step, np.newaxis] == same
        ranks[start : start + step] = middle_ranks(similarities, own, is_right, rounding=ROUNDING)
    return ranks


def _options(questions: Texts) -> tuple[list[dict[str, str]], list[int]]:
    """Return each option as a pair with its question, and how many each question has."""
    options = [one["pair"].split("\n") for one in questions]
    pairs = [
        {"text": one["text"], "pair": option}
        for one, own in zip(questions, options, strict=True)
        for option in own
    ]
    return pairs, list(map(len, options))


def _one_against_rest(data: BaselineData, indicators: np.ndarray) -> np.ndarray:
    """Return the probability of each column of 0 and 1, float [texts, columns]."""
    from sklearn.linear_model import LogisticRegression

    train, texts = data.features(data.train), data.features(data.texts)
    probabilities = np.zeros((len(data.texts), indicators.shape[1]))
    for column, wanted in enumerate(indicators.T):
        if wanted.min() == wanted.max():
            probabilities[:, column] = wanted[0]
            continue
        with _quiet():
            # The dual problem is solved six times faster than the primal one.
            model = LogisticRegression(C=STRENGTH, solver="liblinear", dual=True, random_state=0)
            model.fit(train, wanted)
        probabilities[:, column] = model.predict_proba(texts)[:, 1]
    return probabilities


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence warnings of scikit-learn, such as that a baseline would need more iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
