"""Calls from Python: the global state is restored, and progress and messages are reported."""

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

from ftkeras.errors import UserError
from ftkeras.support import bars, global_state, messages, signals
from ftkeras.support.progress import Progress
from ftkeras.support.reporter import Reporter


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


class Recording(Reporter):
    """Keep what is reported."""

    def __init__(self):
        self.messages, self.progressed = [], []

    def message(self, text, *, is_warning):
        self.messages.append((text, is_warning))

    def progress(self, title, done, total, details):
        self.progressed.append((title, done, total, details))


def _work(logger, **shown):
    with messages.shown(**shown):
        logger.info("%s", "100 %")
        logger.warning("careful")
        with Progress("counting", 2, lambda done, seconds: "") as progress:
            progress._bar.delay, progress._bar.mininterval = 0, 0
            progress.update(2)


def test_reporter_receives_messages_and_progress(logger, capsys):
    reporter = Recording()
    _work(logger, verbose=True, reporter=reporter)
    assert reporter.messages == [("100 %", False), ("careful", True)]
    assert reporter.progressed[-1] == ("counting", 2, 2, "")
    assert capsys.readouterr() == ("", "")


def test_silenced_reporter_receives_warnings(logger, capsys):
    reporter = Recording()
    _work(logger, verbose=False, reporter=reporter)
    assert reporter.messages == [("careful", True)]
    assert reporter.progressed == []
    assert capsys.readouterr() == ("", "")


def test_reporter_of_another_thread_hears_nothing(logger, capsys):
    one, other = Recording(), Recording()
    with messages.shown(True, one):
        thread = threading.Thread(
            target=_work, args=(logger,), kwargs={"verbose": True, "reporter": other}
        )
        thread.start()
        thread.join()
        assert one.messages == []
        logger.info("mine")
    logger.info("nobody's")
    assert [text for text, _ in one.messages] == ["mine"]
    assert len(other.messages) == 2
    assert capsys.readouterr().out == "nobody's\n"


def test_terminal_has_bars_and_silence_has_none(logger, capsys):
    _work(logger, verbose=True, reporter="terminal")
    assert "counting: 100%" in capsys.readouterr().err
    _work(logger, verbose=True, reporter="silent")
    assert capsys.readouterr() == ("", "warning: careful\n")
    _work(logger, verbose=True, reporter="lines")
    assert capsys.readouterr() == ("100 %\n", "warning: careful\n")


def test_wrong_reporter_is_refused(monkeypatch):
    with pytest.raises(UserError, match="`reporter` must be auto, terminal, .* a ftkeras.Reporter"):
        _work(logging.getLogger(messages.LOGGER), verbose=True, reporter=print)
    monkeypatch.setattr(bars, "has_widgets", lambda: False)
    with pytest.raises(UserError, match="reporter=notebook needs ipywidgets"):
        _work(logging.getLogger(messages.LOGGER), verbose=True, reporter="notebook")
