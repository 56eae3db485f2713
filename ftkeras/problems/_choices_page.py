"""The report page of chosen options: by their number and place."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.figures.bars import Histogram
from ftkeras.figures.parts import Column, Part, Plot, Table
from ftkeras.problems import _baselines
from ftkeras.problems._baselines import Baseline, BaselineData
from ftkeras.problems._page import Row, Texts
from ftkeras.statistics.choice_predictions import ChoicePredictions


class ChoicesPage:
    """Offers the parts of a page to problems whose answer is one of an example's own options."""

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return the accuracy by number of options and by place, and how probable answers are."""
        answers, chosen = (np.array([row[key] for row in rows]) for key in ("answer", "predicted"))
        counts = np.array([len(row["probabilities"]) for row in rows])
        probability = np.array([row["probabilities"][row["answer"]] for row in rows])
        is_right = answers == chosen
        groups = {"right": probability[is_right], "wrong": probability[~is_right]}
        return [
            _by_count(counts, is_right),
            _by_place(answers, chosen),
            Plot(
                "probability",
                "Probability of the right option",
                Histogram(
                    {name: values for name, values in groups.items() if len(values)},
                    "probability of the right option",
                    bins=20,
                    limits=(0.0, 1.0),
                ),
                alt=f"Median {np.median(probability):.3f}.",
            ),
        ]

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Return the first option, and a logistic regression of each option with its question."""
        answers = np.array([row["answer"] for row in data.rows])
        scores = _baselines.right_options(data)
        shares = [own / max(float(own.sum()), 1e-12) for own in scores]
        choices = np.array([int(own.argmax()) for own in scores])
        right = np.array([own[answer] for own, answer in zip(shares, answers, strict=True)])
        by_chance = np.array([1 / len(own) for own in scores])
        first = ChoicePredictions(answers, np.zeros_like(answers), by_chance)
        return [
            Baseline("always the first option", first),
            Baseline(_baselines.LINEAR, ChoicePredictions(answers, choices, right)),
        ]


def _by_count(counts: np.ndarray, is_right: np.ndarray) -> Table:
    rows = [
        [int(n), int((counts == n).sum()), float(is_right[counts == n].mean()), 1 / int(n)]
        for n in np.unique(counts)
    ]
    shares = [Column(name, "{:.3f}", is_share=True) for name in ("accuracy", "by chance")]
    columns = ["options", "questions", *shares]
    return Table("number_of_options", "Accuracy by the number of options", columns, rows)


def _by_place(answers: np.ndarray, chosen: np.ndarray) -> Table:
    rows = []
    for place in range(int(max(answers.max(), chosen.max())) + 1):
        here = answers == place
        accuracy = float((chosen[here] == place).mean()) if here.any() else None
        rows.append([place + 1, int(here.sum()), int((chosen == place).sum()), accuracy])
    accuracy = Column("accuracy", "{:.3f}", is_share=True)
    columns = ["place of the option", "right there", "chosen there", accuracy]
    note = "A model that prefers some places chooses them more often than they are right."
    return Table("places", "Accuracy by the place of the right option", columns, rows, note)
