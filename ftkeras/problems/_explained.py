"""The part of the interface of problems about explanations of answers."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

Tensor = Any


class Explained(Protocol):
    """Members of a problem whose answers can be attributed to tokens.

    Attributes:
        output: the name of the outputs in exports.
        explains: whether its outputs can be explained, each alone.
        explains_spans: whether an answer is a span of tokens that can be explained instead.
    """

    output: str
    explains: bool = True
    explains_spans: ClassVar[bool] = False

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

    def explained_spans(self, outputs: Tensor, windows: Mapping[str, Tensor]) -> tuple[Any, Any]:
        """Return the rows that hold the answers, and their spans, if `explains_spans`.

        Args:
            outputs: of the model, [rows, length, 2].
            windows: what the text layer says of the rows, padded.

        Returns:
            The row of each text, integer [batch]; and what is chosen for `evidence`, int64 [batch].
        """
        raise NotImplementedError
