"""Mechanisms of differential privacy, one in each file: what is done to a step's gradients."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ftkeras.privacy import _accounting
from ftkeras.privacy._sampling import Sampling, secret_numbers
from ftkeras.support import lazy

__all__ = ["Mechanism", "Sampling", "in_words", "secret_numbers"]
Tensor = Any


class Mechanism(Protocol):
    """The interface of a mechanism, which turns the gradients of single examples into a step's.

    Attributes:
        clip: the most that the gradient of one example counts, as a norm.
        noise: the standard deviation of the noise, as a multiple of `clip`.
        public_validation: whether the validation split has nothing private.
    """

    clip: float
    noise: float
    public_validation: bool

    def add(self, sums: Sequence[Tensor], gradients: Sequence[Any]) -> list[Tensor]:
        """Return sums of gradients to which those of one example are added, bounded."""
        ...

    def release(self, sums: Sequence[Tensor], step: Tensor) -> list[Tensor]:
        """Return the gradients of a step: the sums over its examples, with noise.

        Args:
            sums: of the examples of this replica.
            step: the number of updates before this one, integer scalar ().
        """
        ...

    def report(self, steps: int) -> dict[str, Any]:
        """Return the guarantee after so many steps, as metrics.json has it."""
        ...

    def describe(self) -> str:
        """Return a line about the mechanism and its guarantee."""
        ...


def in_words(report: Mapping[str, Any]) -> str:
    """Return the guarantee that `Mechanism.report` states, as a sentence.

    >>> in_words({"epsilon": 2.913, "noise": 1.0, "delta": 1e-5, "secret": True})
    'The weights are (2.91, 1e-05)-differentially private with respect to each training example.'
    >>> in_words({"epsilon": None, "noise": 0.0, "delta": 1e-5, "secret": True})
    'The training had no noise, so nothing is guaranteed.'
    """
    epsilon = report["epsilon"]
    if report["noise"] == 0:
        return "The training had no noise, so nothing is guaranteed."
    if epsilon is None:
        return (
            f"The training had too little noise ({report['noise']:.4g} times the clip): epsilon is "
            f"above {_accounting.LARGEST:g}, so nothing of use is guaranteed."
        )
    if not report["secret"]:
        return "The noise was drawn from a seed that is on record, so nothing is guaranteed."
    return (
        f"The weights are ({epsilon:.3g}, {report['delta']:g})-differentially private with respect "
        "to each training example."
    )


__getattr__, __dir__ = lazy.attach(__name__)
