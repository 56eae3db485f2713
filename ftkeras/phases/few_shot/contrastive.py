"""Tune the encoder by pairs of texts that have the same label, or different ones."""

import numpy as np

from ftkeras.phases.few_shot import Pairs
from ftkeras.support import bounds

# Up to this many texts are all shuffled to draw some of them; of more, that would take long.
SHUFFLED = 1_000


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
        random = np.random.default_rng(self.seed)
        _, own, counts = np.unique(classes, return_inverse=True, return_counts=True)
        members = np.split(np.argsort(own, kind="stable"), np.cumsum(counts)[:-1])
        # How many texts of other classes come before each member of a class.
        others_before = [texts - np.arange(len(texts)) for texts in members]
        drawn = []
        for text, number in enumerate(own):
            texts, before = members[number], others_before[number]
            same = self._numbers(len(texts) - 1, random)
            drawn.append(texts[same + (same >= np.searchsorted(texts, text))])  # not itself
            other = self._numbers(len(classes) - len(texts), random)
            drawn.append(other + np.searchsorted(before, other, side="right"))
        lengths = [len(partners) for partners in drawn]
        return Pairs(
            first=np.repeat(np.arange(len(classes)).repeat(2), lengths),
            second=np.concatenate(drawn),
            alike=np.repeat(np.tile([True, False], len(classes)), lengths),
        )

    def _numbers(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Return `pairs` of the numbers below `count`, each once before any is drawn again."""
        if count > max(SHUFFLED, self.pairs):
            return random.choice(count, self.pairs, replace=False)
        times = -(-self.pairs // count) if count else 0
        shuffled = [random.permutation(count) for _ in range(times)]
        return np.concatenate([np.arange(0), *shuffled])[: self.pairs]
