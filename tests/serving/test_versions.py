"""Versions that come and go."""

import threading

import pytest

from ftkeras.serving.refused import Refused
from ftkeras.serving.versions import Versions


def _write(folder, number: int) -> None:
    (folder / str(number)).mkdir(parents=True)
    (folder / str(number) / "saved_model.pb").touch()


def _versions(folder, load=lambda path: path.name, **options) -> Versions:
    return Versions("m", folder, load, **options)


def _states(versions: Versions) -> dict[str, str]:
    return {status["version"]: status["state"] for status in versions.status()}


def test_newest_is_served_by_number_not_by_name(tmp_path):
    for number in (2, 10):
        _write(tmp_path, number)
    versions = _versions(tmp_path)
    versions.look()
    with versions.lease() as model:
        assert model == "10"
    assert versions.available() == [10]


def test_draft_is_no_version(tmp_path):
    _write(tmp_path, 1)
    (tmp_path / "2").mkdir()
    (tmp_path / ".3.partial").mkdir()
    versions = _versions(tmp_path)
    versions.look()
    assert versions.available() == [1]


def test_old_version_goes_only_when_the_new_one_is_there_and_nobody_uses_it(tmp_path):
    _write(tmp_path, 1)
    seen = []
    versions = _versions(tmp_path, lambda path: seen.append(versions.available()) or path.name)
    versions.look()
    _write(tmp_path, 2)
    with versions.lease() as used:
        looking = threading.Thread(target=versions.look)
        looking.start()
        while versions.available() != [2]:
            pass
        assert seen == [[], [1]]  # while 2 was loaded, 1 was there
        assert used == "1"
        assert _states(versions) == {"2": "AVAILABLE", "1": "UNLOADING"}
        with versions.lease() as other:
            assert other == "2"
    looking.join(10)
    assert _states(versions) == {"2": "AVAILABLE", "1": "END"}
    with pytest.raises(Refused, match=r"Servable not found for request: Specific\(m, 1\)"):
        versions.lease(1).__enter__()


def test_version_that_will_not_load_leaves_the_old_one(tmp_path):
    tries = []

    def load(path):
        tries.append(path.name)
        if path.name == "2":
            raise ValueError("broken")
        return path.name

    _write(tmp_path, 1)
    versions = _versions(tmp_path, load)
    versions.look()
    _write(tmp_path, 2)
    versions.look()
    versions.look()
    assert tries == ["1", "2"]  # not again and again
    assert _states(versions) == {"2": "END", "1": "AVAILABLE"}
    assert versions.status(2)[0]["status"] == {"error_code": "UNKNOWN", "error_message": "broken"}


def test_labelled_version_stays_beside_the_newest(tmp_path):
    for number in (1, 2, 3):
        _write(tmp_path, number)
    versions = _versions(tmp_path, labels={"stable": 2})
    versions.look()
    assert versions.available() == [2, 3]
    with versions.lease(label="stable") as model:
        assert model == "2"
    with pytest.raises(Refused, match="Unrecognized servable version label: canary"):
        versions.lease(label="canary").__enter__()


def test_version_that_is_removed_gives_way_to_the_one_before(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    versions = _versions(tmp_path)
    versions.look()
    (tmp_path / "2" / "saved_model.pb").unlink()
    versions.look()
    assert versions.available() == [1]


def test_empty_folder_takes_nothing_away(tmp_path):
    _write(tmp_path, 1)
    versions = _versions(tmp_path)
    versions.look()
    (tmp_path / "1" / "saved_model.pb").unlink()
    versions.look()
    assert versions.available() == [1]


def test_one_version_that_is_named_is_the_only_one(tmp_path):
    for number in (1, 2):
        _write(tmp_path, number)
    versions = _versions(tmp_path, only=1)
    versions.look()
    assert versions.available() == [1]


def test_watch_finds_a_new_version_and_ends(tmp_path):
    _write(tmp_path, 1)
    versions = _versions(tmp_path)
    versions.look()
    versions.watch(0.01)
    _write(tmp_path, 2)
    for _ in range(1000):
        if versions.available() == [2]:
            break
        threading.Event().wait(0.01)
    versions.close()
    assert versions.available() == [2]
