import os
import signal

import pytest

from ftkeras.errors import Stopped
from ftkeras.support import files, signals


def test_file_that_is_being_written_is_deleted_by_sigterm(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with (
        pytest.raises(Stopped, match="it was not written") as caught,
        signals.stoppable("it was not written"),
        files.replacing(tmp_path / "answers.csv") as draft,
    ):
        draft.write_text("half")
        os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.signal == signal.SIGTERM
    assert not list(tmp_path.iterdir())
    assert signal.getsignal(signal.SIGTERM) is before


def test_interrupt_gets_the_message():
    with pytest.raises(KeyboardInterrupt, match="resume so"), signals.stoppable("resume so"):
        raise KeyboardInterrupt
