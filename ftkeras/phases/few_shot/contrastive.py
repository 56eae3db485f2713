"""Tune the encoder by pairs of texts that have the same label, or different ones."""

import numpy as np

from ftkeras.phases.few_shot import Pairs
from ftkeras.support import bounds


class Contrastive:
    """Train the encoder on pairs of texts, then train only the head.

    L = (u · v - t)²

    u and v are the vectors of the texts of a pair: the means of their last hidden states, scaled to
    length 1. t is 1 if the texts have the same label, else 0. Each text is paired with `pairs`
    texts of its label and as many of other labels. They are drawn without replacement until there
    are no more, then again. After that, the head is trained on the fixed vectors of the labelled
    texts.
    Source: SetFit, Tunstall et al., 2022, section 3, https://arxiv.org/abs/2209.11055.

    Args:
        pairs: number of partners of each text with its label, and number of those with other
            labels; at least 1.
        epochs: number of passes over the pairs; at least 1.
        learning_rate: highest learning rate of these passes; positive. `schedule` and `warmup` are
            those of the run.
        seed: integer that determines the partners.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.

    >>> pairs = Contrastive(pairs=1).choose(np.array([0, 1, 0, 1]))
    >>> pairs.first.tolist(), pairs.alike.tolist()
    ([0, 0, 1, 1, 2, 2, 3, 3], [True, False, True, False, True, False, True, False])
    >>> pairs.second[pairs.alike].tolist()
    [2, 3, 0, 1]
    """

    def __init__(
        self, *, pairs: int = 20, epochs: int = 1, learning_rate: float = 2e-5, seed: int = 0
    ):
        bounds.integer(1, pairs=pairs, epochs=epochs)
        bounds.positive(learning_rate=learning_rate)
        self.pairs, self.epochs, self.learning_rate = pairs, epochs, learning_rate
        self.seed = seed

    def choose(self, classes: np.ndarray) -> Pairs:
        """Return the pairs, those of a text together; see `FewShot.choose`.

        A text that is the only one of its class has no partner with its label.
        """
        random, everyone = np.random.default_rng(self.seed), np.arange(len(classes))
        pairs = []
        for text, own in enumerate(classes):
            is_alike = classes == own
            for candidates, alike in (
                (everyone[is_alike & (everyone != text)], True),
                (everyone[~is_alike], False),
            ):
                pairs += [(text, one, alike) for one in self._partners(candidates, random)]
        first, second, alike = (np.array(column) for column in zip(*pairs, strict=True))
        return Pairs(first, second, alike)

    def _partners(self, candidates: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return `pairs` of the candidates, each once before any is drawn again."""
        if not len(candidates):
            return candidates
        times = -(-self.pairs // len(candidates))
        drawn = [random.permutation(candidates) for _ in range(times)]
        return np.concatenate(drawn)[: self.pairs]
