"""Clusters of texts by their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

# Words beyond the most frequent ones say little about a cluster, and cost memory.
MOST_WORDS = 5_000
# A cluster of fewer texts is an accident.
LEAST_TEXTS = 10
MOST_CLUSTERS = 8
STARTS = 4


@dataclass(frozen=True)
class Cluster:
    """Texts that share words.

    Attributes:
        members: the positions of its texts, those nearest to its centre first.
        words: that it has more often than other texts, the most characteristic first.
    """

    members: list[int]
    words: list[str]


def cluster(texts: Sequence[str], others: Sequence[str], *, words: int = 8) -> list[Cluster]:
    """Cluster texts by k-means of their TF-IDF vectors.

    There is a cluster for each 25 texts, at most 8. A cluster's characteristic words have the
    largest (w - v) / √v, w their mean weight in the cluster and v in all texts.

    Args:
        texts: to cluster.
        others: further texts, which say how frequent words are.
        words: how many characteristic words to return.

    Returns:
        The clusters, the largest first; none if there are fewer than 20 texts, or they have no
        word in common.
    """
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = min(MOST_CLUSTERS, max(2, len(texts) // 25))
    if len(texts) < 2 * LEAST_TEXTS:
        return []
    float32: Any = np.float32
    vectorizer = TfidfVectorizer(
        max_features=MOST_WORDS, min_df=2, max_df=0.5, sublinear_tf=True, dtype=float32
    )
    try:
        everything: Any = vectorizer.fit_transform([*texts, *others])
    except ValueError:  # no word is in two texts
        return []
    vectors = everything[: len(texts)]
    model: Any = KMeans(count, n_init=cast(str, STARTS), random_state=0).fit(vectors)
    distances, names = model.transform(vectors), vectorizer.get_feature_names_out()
    usual = np.asarray(everything.mean(axis=0)).ravel()
    clusters = []
    for number in range(count):
        members = np.flatnonzero(model.labels_ == number)
        if len(members) < LEAST_TEXTS:
            continue
        own = np.asarray(vectors[members].mean(axis=0)).ravel()
        gain = (own - usual) / np.sqrt(usual)
        best = [int(n) for n in np.argsort(-gain)[:words] if gain[n] > 0]
        nearest = members[np.argsort(distances[members, number], kind="stable")]
        clusters.append(Cluster(nearest.tolist(), [str(names[n]) for n in best]))
    return sorted(clusters, key=lambda one: -len(one.members))
