"""A finished run keeps its weights once, and its training state only if it is asked for."""

import pathlib

import pytest

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.verbs import train

ENCODER = "bert(layers=1, hidden=32, heads=2, positions=32, vocabulary='reviews')"


def _train(run_dir: pathlib.Path, **settings) -> None:
    examples = {"train_examples": 40, "validation_examples": 20, "test_examples": 20}
    small = {"task": "quickstart", "encoder": ENCODER, "max_length": 16, "cache_dir": "none"}
    given = {**small, **examples, "epochs": 1, "export": ("none",), **settings}
    train.run(Config(**given, run_dir=str(run_dir)))


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.matrix
def test_finished_run_keeps_its_weights_once_and_no_training_state(tmp_path):
    run_dir = tmp_path / "run"
    _train(run_dir, epochs=2)
    weights = (run_dir / layout.WEIGHTS).stat().st_size
    assert [path.name for path in run_dir.rglob("*.safetensors")] == [layout.WEIGHTS]
    assert not (run_dir / layout.CHECKPOINTS).exists()
    assert _size(run_dir) < weights + 50_000  # vocabulary, metrics, predictions and samples
    before = (run_dir / layout.WEIGHTS).read_bytes()
    _train(run_dir, epochs=2)  # is finished, and stays as it is
    with pytest.raises(UserError, match="did not keep.*`restart`.*`keep_state`") as caught:
        _train(run_dir, epochs=3)
    assert "\n" not in str(caught.value)
    assert (run_dir / layout.EXPORTS).exists()
    assert (run_dir / layout.WEIGHTS).read_bytes() == before
    _train(run_dir, epochs=3, restart=True)


@pytest.mark.matrix
def test_state_is_kept_if_it_is_asked_for(tmp_path):
    _train(tmp_path / "run", keep_state=True)
    weights = (tmp_path / "run" / layout.WEIGHTS).stat().st_size
    states = list((tmp_path / "run" / layout.CHECKPOINTS).glob("update-*"))
    assert len(states) == 1
    assert states[0].stat().st_size > 2.5 * weights  # Adam has two moments for each weight
    _train(tmp_path / "run", epochs=2)
    assert not (tmp_path / "run" / layout.CHECKPOINTS).exists()


@pytest.mark.matrix
def test_state_of_a_run_that_is_to_go_on_is_kept_unless_it_is_not_wanted(tmp_path):
    _train(tmp_path / "a", epochs=2, last_epoch=1)
    assert (tmp_path / "a" / layout.CHECKPOINTS).exists()
    _train(tmp_path / "b", epochs=2, last_epoch=1, keep_state=False)
    assert not (tmp_path / "b" / layout.CHECKPOINTS).exists()
    with pytest.raises(UserError, match="did not keep its training state"):
        _train(tmp_path / "b", epochs=2)
