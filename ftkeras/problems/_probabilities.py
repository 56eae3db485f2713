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

    def forecasts(self, rows: Sequence[Mapping[str, Any]]) -> Forecasts | None:
        """Return what lines of predictions.jsonl say with a probability; None if nothing."""
        return None
