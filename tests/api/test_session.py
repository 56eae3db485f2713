"""What a call from Python leaves behind."""

import io
import logging
import random
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from ftkeras.support import global_state, messages, signals


def test_seeds_and_determinism_are_restored():
    states, before = [], config.is_op_determinism_enabled()
    for disturb in (False, True):
        keras.utils.set_random_seed(3)
        if disturb:
            with global_state.restored():
                keras.utils.set_random_seed(4)
                tf.config.experimental.enable_op_determinism()
                (random.random(), np.random.rand(), tf.random.uniform(()))
        drawn = (random.random(), np.random.rand(), float(tf.random.uniform(())))
        states.append((*drawn, float(keras.random.uniform(()))))
    assert states[0] == states[1]
    assert config.is_op_determinism_enabled() == before


@pytest.fixture
def logger(monkeypatch):
    """Return the package's logger as in a program that has not set up logging."""
    logger = logging.getLogger(messages.LOGGER)
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers, logger.propagate = [], True
    logger.setLevel(logging.NOTSET)
    yield logger
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.mark.parametrize("verbose", [True, False])
def test_messages_are_printed_unless_silenced(logger, verbose, capsys):
    with messages.shown(verbose):
        logger.info("%s", "100 %")
        print("epoch 1", file=messages.progress_stream())
        logger.warning("careful")
    shown = capsys.readouterr()
    assert shown.out == ("100 %\nepoch 1\n" if verbose else "")
    assert shown.err == "warning: careful\n"
    assert messages.progress_stream() is sys.stderr


def test_handlers_of_the_program_are_left_alone(logger, capsys):
    stream = io.StringIO()
    logger.addHandler(logging.StreamHandler(stream))
    logger.setLevel(logging.INFO)
    with messages.shown(True):
        logger.info("once")
    assert (stream.getvalue(), capsys.readouterr().out) == ("once\n", "")
    assert len(logger.handlers) == 1


def test_other_threads_have_no_signals_and_are_not_silenced(logger, capsys):
    def work():
        with messages.shown(True), signals.stoppable("resume"):
            logger.info("heard")

    with messages.shown(False):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert capsys.readouterr().out == "heard\n"
