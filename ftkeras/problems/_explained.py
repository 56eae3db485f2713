"""The part of the interface of problems about explanations of answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

Tensor = Any


class Explained(Protocol):
    """Members of a problem whose answers can be attributed to tokens.

    Attributes:
        output: the name of the outputs in exports.
        explains: whether its answers can be explained.
    """

    output: str
    explains: bool = True

    def evidence(self, outputs: Tensor, chosen: Tensor) -> Tensor:
        """Return the number that an explanation attributes to tokens, [batch], in the graph.

        Args:
            outputs: of the model.
            chosen: integer [batch], the output that is explained.
        """
        ...

    def evidence_served(self, outputs: Mapping[str, Any], chosen: int) -> float:
        """Return the same from the outputs of the signature `serving_default` for one text."""
        raise NotImplementedError

    def explained_outputs(self, outputs: Mapping[str, Any]) -> Sequence[int]:
        """Return the numbers of the outputs that are explained by default: those of the answer.

        Args:
            outputs: of the signature `serving_default` for one text.
        """
        return [int(np.argmax(outputs[self.output]))]
