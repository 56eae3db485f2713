"""Positive pairs: find the text that belongs to another one by the cosine of their vectors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ftkeras.problems import _digits
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._doubt import doubt_interval
from ftkeras.problems._ranks import middle_ranks
from ftkeras.problems._ranks_page import RanksPage
from ftkeras.problems._sentence_vectors import SentenceVectors, cosines
from ftkeras.statistics.rank_predictions import CUTS, RankPredictions
from ftkeras.statistics.significance import wilson
from ftkeras.support.vector_pairs import halves

if TYPE_CHECKING:
    import keras

# Pairs of a split between which the loss of its metrics is computed, as in a batch.
BLOCK = 64
# Queries that are ranked at a time, and what cosines of equal texts may differ by.
QUERIES, ROUNDING = 1024, 1e-6


class PositivePairs(RanksPage, SentenceVectors):
    """Give the two texts of a pair a higher cosine similarity than texts of different pairs.

    There is no answer in the data: each pair belongs together. A pair's rank is that of its second
    text among the second texts of all pairs in the split, by their cosine with its first text. So a
    target is a number that only pairs with the same second text share.

    Args:
        labels: the name of the answer.
    """

    loss = "in_batch_negatives"
    losses = ("in_batch_negatives",)
    regularizers: ClassVar = {
        **SentenceVectors.regularizers,
        "distill": "the cosines of pairs that belong together do not tell them from others",
    }
    metric = "mrr"
    measures = (Measure("mrr"), *(Measure(f"recall_at_{cut}") for cut in CUTS), LOSS)
    columns = ("mrr", *(f"recall_at_{cut}" for cut in CUTS), "loss")
    hub_metrics: ClassVar = {"mrr": "mrr"}

    def state(self) -> dict:
        return {"problem": "positive_pairs"}

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return none: ranks are among all pairs of a split."""
        return []

    def distinguish(self, targets: np.ndarray) -> np.ndarray:
        """Return the same for all pairs: none has an answer of its own."""
        return np.zeros(len(targets), np.int64)

    def shortcoming(self, targets: np.ndarray) -> str | None:
        return None if len(targets) > 1 else "are one pair; a text needs others to be told from"

    def summarize(self, targets: np.ndarray) -> dict:
        return {"examples": len(targets)}

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the mean of 1 / rank, recalls, and the loss between pairs that follow each other.

        `recall_at_k` is the share of pairs whose rank is at most k. The loss is that of blocks of
        at most 64 pairs, in the split's order; training's depends on which pairs share a batch.
        """
        import keras

        blocks = np.array_split(np.arange(len(outputs)), -(-len(outputs) // BLOCK))
        losses = [loss(targets[block], outputs[block]) for block in blocks]
        values = [float(keras.ops.convert_to_numpy(value)) for value in losses]
        predictions = RankPredictions(ranks(outputs, targets), cosines(outputs))
        everything = predictions.table().metrics(np.ones((1, len(outputs))))[0]
        return {
            **dict(zip(predictions.metrics, map(float, everything), strict=True)),
            "loss": float(np.average(values, weights=list(map(len, blocks)))),
        }

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each pair's cosine, and its rank from 1."""
        rows = zip(cosines(outputs), ranks(outputs, targets), strict=True)
        return [{"cosine": _digits.nine(cosine), "rank": int(rank)} for cosine, rank in rows]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> RankPredictions:
        return RankPredictions(*(np.array([row[name] for row in rows]) for name in _COLUMNS))

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        """Return a sentence if the interval of recall@1 is wide, or None."""
        recall = metrics["recall_at_1"]
        return doubt_interval("recall@1", recall, *wilson(recall, metrics["examples"]))

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        heads = ("split", "pairs", "MRR", *(f"recall@{cut}" for cut in CUTS))
        lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for split in splits:
            cells = " | ".join(f"{metrics[split][name]:.4f}" for name in self.columns[:-1])
            lines.append(f"| {split} | {metrics[split]['examples']:,} | {cells} |")
        note = "Each first text is looked up among the second texts of all pairs of the split."
        return "\n".join([*lines, "", note])


_COLUMNS = ("rank", "cosine")


def ranks(outputs: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Return the rank of each pair's second text among all, by cosine, integer [examples].

    The rank is 1 plus the number of other second texts that are nearer, and half of those that are
    as near, rounded down. A text that occurs in several pairs is no other text.

    Args:
        outputs: the vectors of both texts, [examples, 2 * size].
        texts: a number of each second text, [examples].

    >>> outputs = np.array([[1.0, 0.0, 0.6, 0.8], [0.0, 1.0, 0.6, 0.8], [0.0, 1.0, 1.0, 0.0]])
    >>> ranks(outputs, np.array([7, 7, 8]))
    array([2, 1, 3])
    """
    first, second = halves(outputs.astype(np.float32))
    right = cosines(outputs)
    by_chunk = [
        middle_ranks(
            first[part] @ second.T, right[part], texts[part, None] == texts, rounding=ROUNDING
        )
        for part in (slice(start, start + QUERIES) for start in range(0, len(outputs), QUERIES))
    ]
    return np.concatenate(by_chunk).astype(int)
