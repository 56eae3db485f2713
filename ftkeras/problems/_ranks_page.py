"""The report page of texts that are looked up by another text: their ranks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.bars import Histogram
from ftkeras.figures.lines import Line, Lines
from ftkeras.figures.parts import Part, Plot
from ftkeras.problems._baselines import Baseline, BaselineData, nearest_ranks
from ftkeras.problems._page import Row, Texts
from ftkeras.statistics.rank_predictions import RankPredictions

MOST_RANKS = 50


class RanksPage:
    """Offers the parts of a page to problems whose answer is the rank of the right text."""

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return recall by rank, and the similarity of the pairs."""
        ranks = np.array([row["rank"] for row in rows])
        cosines = np.array([row["cosine"] for row in rows])
        cuts = np.arange(1, min(MOST_RANKS, max(2, int(ranks.max()))) + 1)
        recall = [(int(cut), float((ranks <= cut).mean())) for cut in cuts]
        first = ranks == 1
        groups = {"found first": cosines[first], "not found first": cosines[~first]}
        return [
            Plot(
                "recall",
                "Recall by rank",
                Lines(
                    [Line("recall", recall)],
                    "the right text is among the first",
                    "share of pairs",
                    y_limits=(0.0, 1.03),
                    whole_numbers=True,
                ),
                alt=f"{recall[0][1]:.1%} at 1, {recall[-1][1]:.1%} at {recall[-1][0]}.",
                note=f"Each first text is looked up among the {len(rows):,} second texts.",
            ),
            Plot(
                "cosines",
                "Cosine of the pairs",
                Histogram({n: v for n, v in groups.items() if len(v)}, "cosine"),
                alt=f"Median {np.median(cosines):.3f}.",
            ),
        ]

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the ranks by TF-IDF vectors."""
        ranks, cosines = nearest_ranks(data), data.features.cosines(data.texts)
        return [Baseline("TF-IDF vectors", RankPredictions(ranks, cosines))]
