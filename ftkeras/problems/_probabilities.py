"""The part of the interface of problems about probabilities, and how they are calibrated."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ftkeras.statistics.calibration import Forecasts


class Probabilities(Protocol):
    """Members of a problem whose answers have probabilities that come true or do not.

    Attributes:
        calibrates: whether `calibrate` can be called.
        temperature: what outputs are divided by before they become probabilities, once `calibrate`
            was called; None until then.
    """

    calibrates: bool = False
    temperature: float | None = None

    def calibrate(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Fit the probabilities to the validation split, if `calibrates`; the answers stay."""
        raise NotImplementedError

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, dict[str, float]]:
        """Return `Forecasts.measure` of a split "before" and "after" calibration.

        Args:
            targets: of the split.
            outputs: of the model, [examples, outputs].
        """
        raise NotImplementedError

    def distributions(self, answers: np.ndarray) -> np.ndarray | None:
        """Return the probabilities of each decision about a text; None if it has none.

        Args:
            answers: of `activate`, [texts, outputs].

        Returns:
            [texts, decisions, alternatives]; the sum over alternatives is 1.
        """
        return None

    def given(self, rows: Sequence[Mapping[str, Any]]) -> tuple[np.ndarray, np.ndarray] | None:
        """Return which alternative of each decision the data has, and the probabilities.

        Args:
            rows: lines of predictions.jsonl.

        Returns:
            integer [examples, decisions], and as of `distributions`; None if the alternatives
            differ from example to example, or there are none.
        """
        return None

    def forecasts(self, rows: Sequence[Mapping[str, Any]]) -> Forecasts | None:
        """Return the predictions with a probability in predictions.jsonl; None without any."""
        return None
