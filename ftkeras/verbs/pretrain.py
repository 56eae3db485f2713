"""Pretrain an encoder by masked language modelling, on texts without labels."""

from collections.abc import Sequence

import keras

from ftkeras.config.pretrain import PretrainConfig
from ftkeras.workflows import pretraining
from ftkeras.workflows.training import TrainedRun


def run(config: PretrainConfig, callbacks: Sequence[keras.callbacks.Callback] = ()) -> TrainedRun:
    """Pretrain from the start, or resume an interrupted run; then evaluate and export.

    Args:
        config: the run's.
        callbacks: called while it trains, after the run's own callbacks.

    Raises:
        UserError: if a setting is wrong, or the folder holds another run or is in use.
        Stopped: if a signal stopped training; its state has been saved.
    """
    return pretraining.run(config, callbacks)
