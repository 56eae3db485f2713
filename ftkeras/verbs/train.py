"""Fine-tune an encoder, evaluate the best epoch, and export it."""

from collections.abc import Sequence

import keras

from ftkeras.config.run import Config
from ftkeras.workflows import phases, training
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
    asked = (config.pretrain_epochs, config.few_shot, config.self_training)
    has_phases = any(value is not None for value in asked)
    return (phases if has_phases else training).run(config, callbacks)
