"""Problems whose probabilities a temperature calibrates: that of the outputs divided by it."""

import abc
import copy
from typing import Any, Self

import numpy as np

from ftkeras.problems._base import Problem
from ftkeras.statistics.calibration import Forecasts, fit_temperature

Tensor = Any


class TemperatureScaled(Problem):
    """A problem whose outputs are logits, of a softmax or of sigmoids."""

    calibrates = True

    @property
    def caveat(self) -> str | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """A warning for model cards, unless the probabilities are calibrated."""
        return None if self.temperature else "Its probabilities are not calibrated"

    @abc.abstractmethod
    def negative_log_likelihood(self, targets: np.ndarray, logits: np.ndarray) -> float:
        """Return the mean of -log p of the true answers."""

    @abc.abstractmethod
    def forecast(self, targets: np.ndarray, logits: np.ndarray) -> Forecasts:
        """Return the predictions that have a probability."""

    def calibrate(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Choose the temperature with the lowest negative log-likelihood."""
        logits = outputs.astype(np.float64)
        self.temperature = fit_temperature(
            lambda temperature: self.negative_log_likelihood(targets, logits / temperature)
        )

    def calibration(self, targets: np.ndarray, outputs: np.ndarray) -> dict[str, dict[str, float]]:
        logits = {"before": outputs, "after": self.scaled(outputs)}
        return {when: self.forecast(targets, values).measure() for when, values in logits.items()}

    def scaled(self, outputs: Tensor) -> Tensor:
        """Return the logits divided by the temperature; an array, or a tensor in the graph."""
        return outputs / self.temperature if self.temperature else outputs

    def scaled_onnx(self, graph: Any, logits: str) -> str:
        """Add the division by the temperature to an ONNX graph, and return its output's name."""
        if not self.temperature:
            return logits
        return graph.add("Div", logits, graph.constant(self.temperature))

    def huggingface_classifier(
        self, kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the classifier with the temperature in its weights."""
        return self.scaled(kernel), self.scaled(bias)

    def huggingface_problem(self) -> Self:
        """Return the problem without the temperature."""
        plain = copy.copy(self)
        plain.temperature = None
        return plain

    def calibration_state(self) -> dict:
        """Return the part of `state` that `calibrate` has learned; empty if it was not called."""
        return {"temperature": self.temperature} if self.temperature else {}

    def restore_calibration(self, state: dict) -> None:
        """Restore what `calibration_state` returned."""
        self.temperature = state.get("temperature")
