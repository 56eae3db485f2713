import gzip

import pytest

from ftkeras.data.tables import opening
from ftkeras.errors import UserError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv.gz", gzip.compress(b"text,label\ngood,pos\n" * 50)[:-20]),
        ("x.csv.gz", b"\x1f\x8b" + b"\x00" * 20),
        ("x.csv.xz", b"\xfd7zXZ\x00"),
        ("x.csv.bz2", b"BZh9" + b"\x00" * 20),
        ("x.csv.zip", b"PK\x03\x04" + b"\x00" * 20),
    ],
)
def test_damaged_archive_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}' can't be decompressed: "):
        opening.open_binary(tmp_path / name).read()
