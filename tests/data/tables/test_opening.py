import gzip

import pytest

from ftkeras.data.tables import delimited, opening, reading
from ftkeras.errors import UserError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv.gz", gzip.compress(b"text,label\ngood,pos\n" * 50, mtime=0)[:-20]),
        ("x.csv.gz", b"\x1f\x8b" + b"\x00" * 20),
        ("x.csv.xz", b"\xfd7zXZ\x00"),
        ("x.csv.bz2", b"BZh9" + b"\x00" * 20),
        ("x.csv.zip", b"PK\x03\x04" + b"\x00" * 20),
    ],
    ids=["gzip that is cut off", "gzip", "xz", "bzip2", "zip"],
)
def test_damaged_archive_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}' can't be decompressed: "):
        opening.open_binary(tmp_path / name).read()


def test_utf_16_without_a_mark_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes("text,label".encode("utf-16-le"))
    with pytest.raises(UserError, match="`encoding`=utf-16 can't decode .*use utf-16-le"):
        opening.open_text(tmp_path / "x.csv", "utf-16")
    assert opening.open_text(tmp_path / "x.csv", "utf-16-le").read() == "text,label"


@pytest.mark.parametrize("content", ["sep=;\n", '"unclosed'])
def test_file_without_a_row_is_refused(tmp_path, content):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(UserError, match=r"x\.csv' has no complete row|is empty"):
        delimited.Delimited(tmp_path / "x.csv")


def test_damaged_arrow_file_is_named(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "x.feather").write_bytes(bytes(range(130, 170)))
    with pytest.raises(UserError, match=r"x\.feather' can't be read"):
        list(reading.open_data("x.feather", tmp_path, reading.Options()).rows())


def test_files_of_splits_are_listed_with_those_in_folders(tmp_path):
    for name in ("a.csv", "b.csv", "texts/no/1.txt", "texts/yes/2.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    found = opening.files_by_split({"train": ["*.csv", "texts"], "test": "b.csv"}, tmp_path)
    names = {
        split: [path.relative_to(tmp_path).as_posix() for path in paths]
        for split, paths in found.items()
    }
    listed = ["a.csv", "b.csv", "texts/no/1.txt", "texts/yes/2.txt"]
    assert names == {"train": listed, "test": ["b.csv"]}
    with pytest.raises(UserError, match="there is no file"):
        opening.files_by_split({"train": "none.csv"}, tmp_path)


def test_invalid_bytes_behind_a_byte_order_mark_are_refused(tmp_path):
    rows = b"text,label\r\nI like caf\xe9 it,pos\r\nI hate it,neg\r\n"
    (tmp_path / "x.csv").write_bytes(b"\xef\xbb\xbf" + rows)
    with pytest.raises(UserError, match=r"line 2 of .* is not UTF-8 \(byte 0xe9\)"):
        opening.find_encoding(tmp_path / "x.csv")


def test_characters_of_utf_16_that_are_replaced_are_counted(tmp_path, caplog):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfea\x00\x00\xdcb\x00")  # half of a pair
    assert opening.find_encoding(tmp_path / "x.csv") == "utf-16"
    (line,) = caplog.messages
    assert line.startswith("warning: 1 character of ")


def test_pattern_is_looked_up_in_a_folder_whose_name_looks_like_one(tmp_path, monkeypatch):
    folder = tmp_path / "data[1]"
    folder.mkdir()
    (folder / "a.csv").write_text("x")
    assert opening.find_files("*.csv", folder) == [folder / "a.csv"]
    assert opening.find_files(str(tmp_path / "*" / "*.csv"), folder) == [folder / "a.csv"]
    monkeypatch.setenv("HOME", str(tmp_path))
    assert opening.find_files("~/**/*.csv", folder) == [folder / "a.csv"]
