import keras

from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds


class GradualUnfreezing(Policy):
    """Head and pooler train first; every epoch the next layer down joins, the embeddings last.

    trains in epoch e, from 0: head, pooler, layer_i for i >= L - layers * floor(e / every), and
    the embeddings one turn after layer_0

    What is frozen has no gradient, no decay and no share in the clip's norm, costs no backward
    pass, and its moments and their bias correction begin when it joins (but for what Muon gives to
    Adam, which counts from the run's first update). The step is traced again each time one joins,
    which takes some seconds. A run of too few epochs leaves the lowest parts as they were: let more
    layers join at once.
    Source: Howard and Ruder, 2018, section 3.3, https://arxiv.org/abs/1801.06146.

    Args:
        every: "epoch", or how many epochs lie between two turns; at least 1.
        layers: how many layers join a turn; at least 1.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    decides = TRAINS

    def __init__(self, *, every: str | int = "epoch", layers: int = 1):
        if every != "epoch":
            bounds.integer(1, every=every)
        bounds.integer(1, layers=layers)
        self.every, self.layers = every, layers

    def callbacks(self, model) -> list:
        return [Thaw(self._turns(model.encoder), 1 if self.every == "epoch" else self.every)]

    def _turns(self, encoder):
        down = encoder.blocks[::-1]
        turns = [down[start : start + self.layers] for start in range(0, len(down), self.layers)]
        return [*turns, [encoder.embeddings]]


class Thaw(keras.callbacks.Callback):
    """Lets the n-th of `turns`, lists of layers, train from epoch (n + 1) * `every` on."""

    def __init__(self, turns: list, every: int):
        super().__init__()
        self.turns, self.every, self.joined = turns, every, None

    def on_train_begin(self, logs=None):
        self.joined = None

    def on_epoch_begin(self, epoch, logs=None):
        joined = min(epoch // self.every, len(self.turns))
        if joined == self.joined:
            return
        self.joined = joined
        for number, parts in enumerate(self.turns):
            for part in parts:
                part.trainable = number < joined
        self._count_anew()
        self.model.make_train_function(force=True)

    def on_train_end(self, logs=None):
        for part in (part for parts in self.turns for part in parts):
            part.trainable = True

    def _count_anew(self):
        # By the epoch, not by the updates made so far: so it is the same in a resumed run.
        for number, parts in enumerate(self.turns[: self.joined]):
            after = (number + 1) * self.every * self.params["steps"]
            self.model.optimizer.begin(
                [variable for part in parts for variable in part.weights], after=after
            )
