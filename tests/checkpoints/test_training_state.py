"""A damaged checkpoint is never read, and the one before it takes its place."""

import numpy as np
import pytest

from ftkeras.checkpoints.training_state import Checkpoints, Position, State


def _state(updates: int) -> State:
    tensors = {"kernel": np.full((4, 8), updates, "float32"), "bias": np.arange(8.0)}
    return State(Position(1, updates), updates, tensors, {"metric": 0.5})


@pytest.fixture
def checkpoints(tmp_path) -> Checkpoints:
    """Return a folder with the checkpoints of updates 3 and 6."""
    found = Checkpoints(tmp_path, keep=2)
    for updates in (0, 3, 6):
        found.write(_state(updates))
    return found


def test_newest_state_comes_back_whole(checkpoints):
    found, expected = checkpoints.newest(), _state(6)
    assert (found.position, found.updates, found.facts) == (Position(1, 6), 6, {"metric": 0.5})
    assert found.tensors.keys() == expected.tensors.keys()
    for name, value in expected.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], value)
        assert found.tensors[name].dtype == value.dtype


def test_only_the_newest_are_kept(checkpoints):
    assert [path.name.split(".")[0] for path in checkpoints.paths()] == [
        "update-000000003",
        "update-000000006",
    ]


@pytest.mark.parametrize("damage", ["cut", "empty", "one bit in the tensors", "one bit in front"])
def test_damaged_checkpoint_gives_way_to_the_one_before(checkpoints, caplog, damage):
    newest = checkpoints.paths()[-1]
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        del content[-7:]
    elif damage == "empty":
        content.clear()
    else:
        content[-5 if "tensors" in damage else 12] ^= 4
    newest.write_bytes(content)
    assert checkpoints.newest().updates == 3
    assert newest.name in caplog.text
    assert "the one before it is used" in caplog.text
    # Training goes on from there, and the damaged one takes no place of those that are kept.
    checkpoints.write(_state(5))
    assert [path.name[:16] for path in checkpoints.paths()] == [
        "update-000000003",
        "update-000000005",
    ]
    assert checkpoints.facts() == [{"metric": 0.5}] * 2


def test_damaged_checkpoint_has_no_facts(checkpoints):
    checkpoints.paths()[0].write_bytes(b"")
    assert checkpoints.facts() == [{"metric": 0.5}]


def test_nothing_is_read_if_all_are_damaged(checkpoints, caplog):
    for path in checkpoints.paths():
        path.write_bytes(b"")
    assert checkpoints.newest() is None
    assert caplog.text.count("the one before it is used") == 1
    assert caplog.text.count("training starts again") == 1
