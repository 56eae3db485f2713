"""JSON Lines files."""

import json

import pytest

from ftkeras.data.sources.jsonl import Jsonl
from ftkeras.errors import UserError
from tests.data.sources.reading import elements


def read(tmp_path, content, **columns):
    (tmp_path / "x.jsonl").write_bytes(content)
    return elements(Jsonl(path=str(tmp_path / "x.jsonl"), **columns).read())


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_strings_integers_and_booleans_are_labels(tmp_path):
    for labels, ids in (("ab", [0, 1]), ((10, 2), [0, 1]), ((True, False), [1, 0])):
        content = lines(*({"text": "t", "label": label, "more": []} for label in labels))
        assert [label for _, label in read(tmp_path, content)] == ids


def test_byte_order_mark_crlf_blank_lines_and_pairs(tmp_path):
    row = b'{"text": "a\\u00e9", "pair": "b", "label": 1}'
    content = b"\xef\xbb\xbf" + row + b"\r\n\r\n" + row
    assert read(tmp_path, content, pair="pair") == [("aé".encode(), b"b", 0)] * 2


def test_bytes_that_are_not_utf8_pass_through(tmp_path):
    content = b'{"text": "\xff\xe9", "label": 0}\n{"text": "\\ud83d x", "label": 0}\n'
    assert read(tmp_path, content) == [(b"\xff\xe9", 0), (b"\xed\xa0\xbd x", 0)]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (b"{", "line 2: not JSON"),
        (b"[1]", "line 2: not a JSON object"),
        (b"[" * 100_000, "line 2: not JSON"),
        (b'{"text": "b"}', "line 2: no column 'label' for label; set label= to one of 'text'"),
        (b'{"text": "b", "label": null}', "line 2: a label is missing"),
        (b'{"text": "b", "label": [1]}', "line 2: a label is missing"),
        (b'{"text": 3, "label": 0}', "line 2: a text must be a string"),
    ],
)
def test_malformed_line_is_refused_with_its_number(tmp_path, second, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, b'{"text": "a", "label": 0}\n' + second, labels=("0", "1"))
