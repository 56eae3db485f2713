"""The part of the interface of problems that read texts otherwise than as one row each."""

from typing import Any, Protocol

import numpy as np

from ftkeras.problems._contexts import ContextOutputs
from ftkeras.support.tags import Move

Tensor = Any


class TokenAnswers(Protocol):
    """Members of a problem that reads "words", "contexts" or "options"."""

    @staticmethod
    def moved(answer: bytes, text: str, move: Move) -> tuple[bytes, int]:
        """Return a stored answer with its places moved to another version of the text.

        Args:
            answer: as the task gives it.
            text: the version to which they are moved.
            move: starts, ends -> starts, ends, in characters, integer [places].

        Returns:
            The answer, and how many of its parts are left out, because another one before them has
            the same place now.
        """
        raise NotImplementedError

    def token_targets(self, targets: Any, words: Any) -> np.ndarray:
        """Return the answers that a model is to give for words, if it reads them, int64 [words].

        Args:
            targets: the stored answer to each text.
            words: the words of each text, (start, end) in characters, [texts, (words), 2].
        """
        raise NotImplementedError

    def summarize_words(self, targets: Any, words: Any) -> dict:
        """Return what metrics.json has about targets and the words of a split, if it reads words.

        Args:
            targets: the stored answer to each text.
            words: the words of each text, (start, end) in characters, [texts, (words), 2].
        """
        raise NotImplementedError

    def window_targets(self, targets: Any, outputs: ContextOutputs) -> np.ndarray:
        """Return the targets of the windows of contexts, int64 [windows, …].

        Args:
            targets: the stored answer to each example.
            outputs: where the tokens of all windows are; their logits are not read.
        """
        raise NotImplementedError

    def served_words(
        self, outputs: Tensor, texts: Tensor, starts: Tensor, ends: Tensor
    ) -> dict[str, Tensor]:
        """Return the outputs of the signature `serving_default`, in the graph, if it reads words.

        Args:
            outputs: of the model, [batch, length, outputs].
            texts: string [batch].
            starts: of the word that each token is the first of, in characters, integer [batch,
                length]; below 0 of other tokens.
            ends: of these words.
        """
        raise NotImplementedError

    def served_contexts(self, outputs: Tensor, texts: Tensor, windows: Any) -> dict[str, Tensor]:
        """Return the outputs of the signature `serving_default`, in the graph, for contexts.

        Args:
            outputs: of the model, [windows, length, outputs].
            texts: the contexts, string [batch].
            windows: "word_starts" and "word_ends", integer [windows, length], where tokens are in
                their context, in characters; below 0 of other tokens. "first_pieces", integer
                [windows], and "window_counts", integer [batch].
        """
        raise NotImplementedError

    def served_options(self, outputs: Tensor, options: Tensor) -> dict[str, Tensor]:
        """Return the outputs of the signature `serving_default`, in the graph, for options.

        Args:
            outputs: of the model, [batch, options].
            options: string [batch, options]; empty behind a question's last one.
        """
        raise NotImplementedError
