"""The members of a problem that say in words how well a model does."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Reported(Protocol):
    """The members of a problem that the report of a run and the model card use."""

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        """Return lines of text about a split beside its `columns`.

        Args:
            metrics: as metrics.json holds them.
            split: the last one that was evaluated.
            file: what that file is called.
        """
        return []

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return advice that follows from a finished run's metrics, a sentence each.

        Args:
            metrics: as metrics.json holds them.
        """
        return []

    def chance_loss(self, summary: Mapping[str, Any]) -> tuple[float, str] | None:
        """Return the default loss of a constant answer, and a clause that says so; or None.

        Args:
            summary: of the training split, from `summarize`.
        """
        return None

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        """Return a sentence if a split is too small to tell epochs apart, or None.

        Args:
            metrics: of the split.
        """
        return None

    def describe(self) -> str:
        """Return the rest of "It takes a text and …", a sentence of the model card."""
        ...

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        """Return the metrics of these splits for the model card, in Markdown."""
        ...
