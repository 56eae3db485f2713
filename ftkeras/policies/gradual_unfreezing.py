"""Gradual unfreezing, from the top layer down."""

from collections.abc import Sequence
from typing import Any

import keras

from ftkeras.policies._base import TRAINS, Policy
from ftkeras.support import bounds
from ftkeras.support.protocols import Encoder, EncoderPart, Model


class GradualUnfreezing(Policy):
    """Train the head and the pooler first, then one more layer per epoch, and the embeddings last.

    trains in epoch e, from 0: head, pooler, layer_i for i >= L - layers * floor(e / every), and
    the embeddings one step after layer_0

    Frozen parts have no gradient, no weight decay and no share in the gradient norm, and cost no
    backward pass. Their optimizer moments and bias correction start when they are unfrozen.
    TensorFlow traces the training step again each time, which takes some seconds. If a run has too
    few epochs, the lowest layers never train: unfreeze more layers at a time. In `model.fit` of a
    `TextClassifier`, use `callbacks=GradualUnfreezing().callbacks(model)`.
    Source: Howard and Ruder, 2018, section 3.3, https://arxiv.org/abs/1801.06146.

    Args:
        every: number of epochs after which layers are unfrozen, at least 1, or "epoch" for 1.
        layers: number of layers to unfreeze each time; at least 1.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    decides = TRAINS

    def __init__(self, *, every: str | int = "epoch", layers: int = 1):
        self.epochs: Any = 1 if every == "epoch" else every
        bounds.integer(1, every=self.epochs, layers=layers)
        self.every, self.layers = every, layers

    def callbacks(self, model: Model) -> list[keras.callbacks.Callback]:
        return [Unfreeze(self._turns(model.encoder), self.epochs)]

    def _turns(self, encoder: Encoder) -> list[Sequence[EncoderPart]]:
        down = list(reversed(encoder.blocks))
        turns = [down[start : start + self.layers] for start in range(0, len(down), self.layers)]
        return [*turns, [encoder.embeddings]]


class Unfreeze(keras.callbacks.Callback):
    """Train the n-th of `turns` from epoch (n + 1) * `every` on.

    Args:
        turns: the parts to unfreeze at each turn.
        every: epochs between two turns.
    """

    def __init__(self, turns: list[Sequence[EncoderPart]], every: int):
        super().__init__()
        self.turns, self.every = turns, every
        self.unfrozen: int | None = None
        self._has_started = False
        self._restored: list[int | None] | None = None

    def state(self) -> dict:
        """Return the state to save in a checkpoint: where the optimizer's counts start."""
        counted_from = self._tuner.optimizer.counted_from
        return {"counted_from": self._restored or list(counted_from)}

    def restore_state(self, state: dict) -> None:
        """Resume from what `state` returned."""
        self._restored = state["counted_from"]

    def on_train_begin(self, logs: Any = None) -> None:
        self.unfrozen = None
        optimizer = self._tuner.optimizer
        if not hasattr(optimizer, "start_count"):
            raise ValueError(
                "`optimizer` must be one of ftkeras.optimizers for gradual unfreezing. "
                f"Received: {type(optimizer).__name__}."
            )
        if not optimizer.built:  # Keras would build it in the first step, with the head alone
            optimizer.build(self._tuner.trainable_variables)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        unfrozen = min(epoch // self.every, len(self.turns))
        if unfrozen == self.unfrozen:
            return
        self.unfrozen = unfrozen
        for number, parts in enumerate(self.turns):
            for part in parts:
                part.trainable = number < unfrozen
        self._tuner.make_train_function(force=True)
        self._has_started = False

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        # Not when the epoch begins: then a resumed run has not restored the optimizer yet.
        if not self._has_started:
            self._start_counts()
            self._has_started = True

    def on_train_end(self, logs: Any = None) -> None:
        for part in (part for parts in self.turns for part in parts):
            part.trainable = True
        # A later `fit` without this callback would train only the parts of the last step.
        self._tuner.make_train_function(force=True)

    @property
    def _tuner(self) -> Any:
        return self.model

    def _start_counts(self) -> None:
        optimizer = self._tuner.optimizer
        if self._restored is not None:
            optimizer.counted_from = tuple(self._restored)
            self._restored = None
        parts = (part for parts in self.turns[: self.unfrozen] for part in parts)
        optimizer.start_count([variable for part in parts for variable in part.weights])
