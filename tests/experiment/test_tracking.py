"""Trackers of a run: opened before it trains, and closed however it ends."""

import importlib.util
import json

import pytest

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import tracking
from ftkeras.trackers import FAILED, FINISHED, INTERRUPTED, Tracker


def _config(**settings):
    return Config(learning_rate=1e-3, epochs=1, **settings)


class Fake(Tracker):
    """A tracker that remembers how it was used."""

    calls: list = []  # noqa: RUF012

    def start(self, flags, *, resume, step):
        self.calls.append(("start", resume, step, flags["learning_rate"]))
        return "id-1"

    def close(self, status):
        self.calls.append(("close", status))


@pytest.fixture
def fake(monkeypatch):
    """Make every spec build the tracker above, and return its calls."""
    monkeypatch.setattr(Fake, "calls", [])
    monkeypatch.setattr(catalog, "build", lambda kind, spec, **context: Fake(**context))
    return Fake.calls


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, FINISHED), (Stopped(15, "It is kept"), INTERRUPTED), (UserError("nan"), FAILED)],
)
def test_trackers_learn_how_the_run_ended_and_go_on_with_it(tmp_path, fake, error, status):
    def use(step):
        with tracking.opened(_config(track=("csv",)), tmp_path, step=step) as trackers:
            assert list(trackers) == ["csv"]
            if error is not None:
                raise error

    for step in (0, 10):
        if error is None:
            use(step)
        else:
            with pytest.raises(type(error)):
                use(step)
    assert fake == [
        *(("start", None, 0, "0.001"), ("close", status)),
        *(("start", "id-1", 10, "0.001"), ("close", status)),
    ]
    assert json.loads((tmp_path / "trackers.json").read_text()) == {"csv": "id-1"}


def test_tracker_that_cannot_start_is_a_users_error(tmp_path, fake, monkeypatch):
    def start(self, flags, *, resume, step):
        raise RuntimeError("no API key;\n call wandb.login()")

    monkeypatch.setattr(Fake, "start", start)
    with (
        pytest.raises(UserError, match=r"^track=csv can't start: no API key; call wandb.login"),
        tracking.opened(_config(track=("csv",)), tmp_path, step=0),
    ):
        pass
    assert fake == []


def test_package_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^track=wandb needs: pip install 'ftkeras\[wandb\]'$"):
        tracking.build(_config(track=("wandb",)), tmp_path)


def test_trackers_are_named_once():
    config = _config(track=("wandb", "none", "csv", "tensorboard", "csv"), tensorboard=True)
    assert config.trackers == ("csv", "tensorboard")
