"""Fine-tune an encoder, evaluate the best epoch, and export it."""

from collections.abc import Sequence

import keras

from ftkeras.config.run import Config
from ftkeras.workflows import pairs_first, pretraining, self_training, training
from ftkeras.workflows.training import TrainedRun

__all__ = ["TrainedRun", "run"]


def run(config: Config, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Train from the start, or resume an interrupted run; then evaluate and export.

    With `pretrain_epochs`, the encoder is first pretrained on the task's texts; with `few_shot`, it
    is then tuned by pairs of labelled texts. With `self_training`, training is repeated with
    confident answers as labels.

    Args:
        config: the run's.
        callbacks: called while it trains, after the run's own callbacks.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    if config.pretrain_epochs is not None:
        config = pretraining.first(config)
    if config.self_training is not None:
        return self_training.run(config, callbacks)
    if config.few_shot is not None:
        config = pairs_first.tune(config)
    return training.run(config, callbacks)
