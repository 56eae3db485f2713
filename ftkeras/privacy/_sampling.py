"""The sampling of a private run, and its secret random numbers."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """The sampling of training examples, and the secret of a run's random numbers.

    Each step samples each example with the probability `rate`, independently of all others.

    Attributes:
        examples: to train on; at least 1.
        batch_size: expected examples of a step; at least 1.
        steps: of the whole run.
        key: the secret.
    """

    examples: int
    batch_size: int
    steps: int
    key: bytes = b""

    @property
    def rate(self) -> float:
        """The probability with which a step samples an example.

        >>> Sampling(examples=3000, batch_size=60, steps=100).rate
        0.02
        """
        return min(1.0, self.batch_size / self.examples)

    @property
    def expected(self) -> float:
        """The expected number of examples of a step."""
        return self.rate * self.examples


def secret_numbers(key: bytes, purpose: str) -> tuple[int, int]:
    """Return two integers of 63 bits that a key has for a purpose, such as the noise.

    >>> secret_numbers(b"key", "noise") == secret_numbers(b"key", "sampling")
    False
    """
    digest = hashlib.sha256(purpose.encode() + b"|" + key).digest()
    first, second = (int.from_bytes(digest[at : at + 8], "big") >> 1 for at in (0, 8))
    return first, second
