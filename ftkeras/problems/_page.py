"""The members of a problem that report pages use."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ftkeras.figures.parts import Part
from ftkeras.problems._baselines import Baseline, BaselineData

Row = Mapping[str, Any]
Texts = Sequence[Mapping[str, str]]


class OnPage(Protocol):
    """The members of a problem that only the report page uses, with defaults.

    Attributes:
        no_baseline: why there is no simple model to compare with, if there is none.
    """

    no_baseline: str = "there is no simple model for this problem"

    def baselines(self, data: BaselineData) -> list[Baseline]:
        """Fit simple models, and return their answers, the best model last; none if there are none.

        Args:
            data: training examples, and those to answer.
        """
        return []

    def page_parts(
        self, rows: Sequence[Row], texts: Texts | None, metrics: Mapping[str, Any]
    ) -> list[Part]:
        """Return tables and plots about the predictions of a split.

        Args:
            rows: lines of predictions.jsonl, at least one.
            texts: of these examples, as {"text"} or {"text", "pair"}; None if they are not known.
            metrics: of the split.
        """
        return []
