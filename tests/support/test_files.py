import concurrent.futures
import errno
import json
import os

import pytest

from ftkeras.errors import UserError
from ftkeras.support import files


def test_file_is_replaced_completely(tmp_path):
    path = tmp_path / "new" / "a.json"
    files.write_json(path, {"a": 1})
    files.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 2}
    assert list(path.parent.iterdir()) == [path]


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as beside:
        beside.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "a.txt"
    with files.replacing(path) as first:
        first.write_text("first")
        files.write_text(path, "second")  # as another thread of this process would
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_one_file_all_succeed(tmp_path):
    path, texts = tmp_path / "a.txt", [str(n) * 100 for n in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        for written in threads.map(lambda text: files.write_text(path, text), texts * 25):
            assert written is None
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_version_is_the_next_free_integer(tmp_path):
    for name in ("2", "10", "latest", ".11.1.partial"):
        (tmp_path / name).mkdir()
    with files.next_version(tmp_path) as version:
        (version.draft / "model").touch()
        assert not (tmp_path / "11").exists()
    assert version.path == tmp_path / "11"
    assert (version.path / "model").exists()


def test_version_taken_in_the_meantime_is_not_overwritten(tmp_path):
    with files.next_version(tmp_path) as version:
        (version.draft / "mine").touch()
        (tmp_path / "1").mkdir()
        (tmp_path / "1" / "theirs").touch()
    assert version.path == tmp_path / "2"
    assert [p.name for p in (tmp_path / "1").iterdir()] == ["theirs"]
    assert [p.name for p in (tmp_path / "2").iterdir()] == ["mine"]


def test_failed_version_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="full"), files.next_version(tmp_path) as version:
        (version.draft / "half").touch()
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "folder"
    for content in ("first", "second"):
        with files.replacing_folder(folder) as draft:
            (draft / content).write_text(content)
            assert not (folder / content).exists()
        assert [path.name for path in folder.iterdir()] == [content]
    assert list(tmp_path.iterdir()) == [folder]


def test_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    folder, link = tmp_path / "disk" / "folder", tmp_path / "link"
    folder.mkdir(parents=True)
    (folder / "old").touch()
    link.symlink_to(folder)
    with files.replacing_folder(link) as draft:
        (draft / "new").touch()
    assert link.readlink() == folder
    assert [path.name for path in link.iterdir()] == ["new"]
    assert list(folder.parent.iterdir()) == [folder]


def test_link_is_removed_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in ("folder", "nothing"):
        (tmp_path / "link").symlink_to(tmp_path / name)
        files.remove(tmp_path / "link")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_folder_stays_if_its_replacement_fails(tmp_path):
    folder = tmp_path / "folder"
    with files.replacing_folder(folder) as draft:
        (draft / "kept").write_text("x")
    with pytest.raises(KeyboardInterrupt), files.replacing_folder(folder) as draft:
        (draft / "lost").write_text("x")
        raise KeyboardInterrupt
    with (
        pytest.raises(OSError, match=f"No space left on device: '{folder}'"),
        files.replacing_folder(folder) as draft,
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(draft / "lost"))
    assert [path.name for path in folder.iterdir()] == ["kept"]
    assert list(tmp_path.iterdir()) == [folder]


def test_json_lines_may_have_line_separators_in_their_strings(tmp_path):
    rows = [{"text": "one\u2028two\u0085three\r"}, {"text": ""}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "rows.jsonl").write_text(lines, encoding="utf-8")
    assert files.read_json_lines(tmp_path / "rows.jsonl") == rows


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_failed_write_names_the_file(tmp_path, code):
    """As Python does not for a disk that fills up; others say themselves what failed."""
    with pytest.raises(OSError, match="x.json") as raised, files.replacing(tmp_path / "x.json"):
        raise OSError(code, os.strerror(code))
    assert (raised.value.errno, raised.value.filename) == (code, str(tmp_path / "x.json"))
    with pytest.raises(ConnectionResetError) as raised, files.replacing(tmp_path / "x.json"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")
    assert raised.value.filename is None


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, reason in (("link", "is not a writable folder"), ("x" * 300, "name too long")):
        with pytest.raises(UserError, match=f"run_dir=.*{name} can't be written: .*{reason}"):
            files.require_writable(tmp_path / name, "run_dir")
