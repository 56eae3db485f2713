"""The part of the interface of problems about the files of Hugging Face models."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np


class HuggingFaceFiles(Protocol):
    """Members of a problem that say how its answers are written in files of Hugging Face models."""

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        """Return the reason why the head can't start from a checkpoint's classifier, or None.

        Args:
            config: the checkpoint's config.json.
        """
        ...

    def huggingface_config(self) -> dict:
        """Return the entries of a Hugging Face config.json that describe the answers."""
        ...

    def huggingface_files(self, hidden: int, max_length: int) -> dict[str, Any]:
        """Return further JSON files of a Hugging Face folder, by their path in it.

        Args:
            hidden: size of the encoder's states.
            max_length: tokens that the model reads of a text.
        """
        return {}

    def huggingface_classifier(
        self, kernel: np.ndarray, bias: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel [hidden, outputs] and bias of a classifier that gives the answers."""
        return kernel, bias

    def huggingface_problem(self) -> Self:
        """Return the problem of that classifier, whose outputs have the scale of the answers."""
        return self
