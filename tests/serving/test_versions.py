"""Loading and unloading versions of a model."""

import threading
import time

import pytest

from ftkeras.serving import saved_model
from ftkeras.serving.errors import RequestError
from ftkeras.serving.versions import Versions


def _write(folder, number: int) -> None:
    (folder / str(number)).mkdir(parents=True)
    (folder / str(number) / "saved_model.pb").touch()


def _versions(folder, load=lambda path: path.name, **options) -> Versions:
    return Versions("m", folder, saved_model.find, load, **options)


def _states(versions: Versions) -> dict[str, str]:
    return {status["version"]: status["state"] for status in versions.status()}


def test_newest_is_the_largest_number_not_the_last_name(tmp_path):
    for number in (2, 10):
        _write(tmp_path, number)
    versions = _versions(tmp_path)
    versions.refresh()
    with versions.lease() as model:
        assert model == "10"
    assert versions.available() == [10]


def test_draft_is_not_a_version(tmp_path):
    _write(tmp_path, 1)
    (tmp_path / "2").mkdir()
    (tmp_path / ".3.partial").mkdir()
    versions = _versions(tmp_path)
    versions.refresh()
    assert versions.available() == [1]


@pytest.mark.matrix
def test_old_version_is_unloaded_once_the_new_one_is_loaded_and_it_is_unused(tmp_path):
    _write(tmp_path, 1)
    seen = []
    versions = _versions(tmp_path, lambda path: seen.append(versions.available()) or path.name)
    versions.refresh()
    _write(tmp_path, 2)
    with versions.lease() as used:
        refreshing = threading.Thread(target=versions.refresh)
        refreshing.start()
        while versions.available() != [2]:
            time.sleep(0.001)  # a loop without a pause would keep the lock
        assert seen == [[], [1]]  # 1 was available while 2 was loading
        assert used == "1"
        assert _states(versions) == {"2": "AVAILABLE", "1": "UNLOADING"}
        with versions.lease() as other:
            assert other == "2"
    refreshing.join(10)
    assert _states(versions) == {"2": "AVAILABLE", "1": "END"}
    with pytest.raises(RequestError, match=r"Servable not found for request: Specific\(m, 1\)"):
        versions.lease(1).__enter__()


def test_old_version_stays_if_the_new_one_does_not_load(tmp_path):
    tries = []

    def load(path):
        tries.append(path.name)
        if path.name == "2":
            raise ValueError("broken")
        return path.name

    _write(tmp_path, 1)
    versions = _versions(tmp_path, load)
    versions.refresh()
    _write(tmp_path, 2)
    versions.refresh()
    versions.refresh()
    assert tries == ["1", "2"]  # the broken file is tried once
    assert _states(versions) == {"2": "END", "1": "AVAILABLE"}
    assert versions.status(2)[0]["status"] == {"error_code": "UNKNOWN", "error_message": "broken"}


def test_newest_that_loads_is_served_after_a_restart(tmp_path):
    tries = []

    def load(path):
        tries.append(path.name)
        if path.name in ("3", "4") and not (path / "repaired").exists():
            raise ValueError("broken")
        return path.name

    for number in (1, 2, 3, 4):
        _write(tmp_path, number)
    versions = _versions(tmp_path, load)
    versions.refresh()
    versions.refresh()
    assert tries == ["4", "3", "2"]
    assert versions.available() == [2]
    (tmp_path / "4" / "repaired").touch()
    versions.refresh()
    assert versions.available() == [4]
    (tmp_path / "4" / "repaired").unlink()
    only = _versions(tmp_path, load, only=4)
    only.refresh()
    assert only.available() == []


def test_labelled_version_does_not_stand_in_for_a_newer_one_after_a_restart(tmp_path):
    def load(path):
        if path.name == "3":
            raise ValueError("broken")
        return path.name

    for number in (1, 2, 3):
        _write(tmp_path, number)
    versions = _versions(tmp_path, load, labels={"stable": 1})
    for _ in range(2):
        versions.refresh()
        assert versions.available() == [1, 2]
    with versions.lease() as model:
        assert model == "2"


def test_label_whose_version_is_removed_is_reported_once(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    told = []
    versions = _versions(tmp_path, labels={"stable": 1}, report=told.append)
    versions.refresh()
    (tmp_path / "1" / "saved_model.pb").unlink()
    versions.refresh()
    versions.refresh()
    assert told[2:] == [
        "version 1 is unloaded",
        f"label stable has no version: 1 is not in {tmp_path}",
    ]


def test_link_to_nothing_does_not_stop_the_server(tmp_path):
    _write(tmp_path, 1)
    (tmp_path / "1" / "notes").symlink_to(tmp_path / "none")
    versions = _versions(tmp_path)
    versions.refresh()
    assert versions.available() == [1]


def test_version_that_failed_is_tried_again_once_a_file_is_added(tmp_path):
    def load(path):
        if path.name == "2" and not (path / "model.sig").exists():
            raise ValueError("not signed")
        return path.name

    for number in (1, 2):
        _write(tmp_path, number)
    versions = _versions(tmp_path, load, labels={"stable": 1})
    versions.refresh()
    assert versions.available() == [1]
    (tmp_path / "2" / "model.sig").touch()
    versions.refresh()
    assert versions.available() == [1, 2]


def test_labelled_version_is_served_beside_the_newest(tmp_path):
    for number in (1, 2, 3):
        _write(tmp_path, number)
    versions = _versions(tmp_path, labels={"stable": 2})
    versions.refresh()
    assert versions.available() == [2, 3]
    with versions.lease(label="stable") as model:
        assert model == "2"
    with pytest.raises(RequestError, match="Unrecognized servable version label: canary"):
        versions.lease(label="canary").__enter__()


def test_removed_version_is_replaced_by_the_one_before(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    versions = _versions(tmp_path)
    versions.refresh()
    (tmp_path / "2" / "saved_model.pb").unlink()
    versions.refresh()
    assert versions.available() == [1]


def test_empty_folder_unloads_nothing(tmp_path):
    _write(tmp_path, 1)
    versions = _versions(tmp_path)
    versions.refresh()
    (tmp_path / "1" / "saved_model.pb").unlink()
    versions.refresh()
    assert versions.available() == [1]


def test_only_the_named_version_is_served(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    versions = _versions(tmp_path, only=1)
    versions.refresh()
    assert versions.available() == [1]


def test_watch_loads_a_new_version_and_stops(tmp_path):
    _write(tmp_path, 1)
    versions = _versions(tmp_path)
    versions.refresh()
    versions.watch(0.01)
    _write(tmp_path, 2)
    for _ in range(1000):
        if versions.available() == [2]:
            break
        threading.Event().wait(0.01)
    versions.close()
    assert versions.available() == [2]
