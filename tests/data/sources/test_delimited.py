"""CSV and TSV files, with all the irregularities that occur in practice."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ftkeras.data.sources.delimited import Delimited
from ftkeras.errors import UserError
from tests.data.sources.reading import elements


def read(path, content, **columns):
    path.write_bytes(content)
    return elements(Delimited(path=str(path), **columns).read())


def refusal(path, content, **columns):
    """Return the message of the error, whether it is raised at once or while reading."""
    with pytest.raises(UserError) as raised:
        read(path, content, **columns)
    message = str(raised.value)
    assert "\n" not in message
    assert "`task`" in message
    return message


def test_csv_quotes_commas_and_lines_inside_a_field(tmp_path):
    content = b'label,text\nb,"one, ""two""\nthree"\na,four\n'
    assert read(tmp_path / "x.csv", content) == [(b'one, "two"\nthree', 1), (b"four", 0)]


def test_tsv_takes_quotes_as_they_are(tmp_path):
    content = b'text\tlabel\n" one\t1\nsay "two\t0\n'
    assert read(tmp_path / "x.tsv", content) == [(b'" one', 1), (b'say "two', 0)]


def test_tsv_keeps_line_separators_that_are_not_newlines(tmp_path):
    text = "a\rb\x0bc\x85d\u2028e".encode()
    content = b"text\tlabel\n" + text + b"\t1\nf\t0\n"
    assert read(tmp_path / "x.tsv", content) == [(text, 1), (b"f", 0)]


@pytest.mark.parametrize(("name", "mark"), [("x.csv", b","), ("x.tsv", b"\t")])
def test_byte_order_mark_crlf_blank_lines_no_last_newline(tmp_path, name, mark):
    content = b"\xef\xbb\xbftext,label\r\none,no\r\n\r\ntwo,yes".replace(b",", mark)
    assert read(tmp_path / name, content) == [(b"one", 0), (b"two", 1)]


@pytest.mark.parametrize(("name", "mark"), [("x.csv", b","), ("x.tsv", b"\t")])
def test_bytes_that_are_not_utf8_pass_through(tmp_path, name, mark):
    text = b"caf\xe9 \xed\xa0\x80 \xff"
    content = b"text,label\n".replace(b",", mark) + text + mark + b"0\nx" + mark + b"1\n"
    assert read(tmp_path / name, content)[0] == (text, 0)


def test_pair_and_given_labels_and_blanks_around_a_label(tmp_path):
    content = b"s1,s2,gold\na,b, no \nc,d,yes\n"
    columns = {"text": "s1", "pair": "s2", "label": "gold", "labels": ("yes", "no")}
    assert read(tmp_path / "x.csv", content, **columns) == [(b"a", b"b", 1), (b"c", b"d", 0)]


def test_field_longer_than_pythons_own_limit(tmp_path):
    text = b"x" * 200_000
    assert read(tmp_path / "x.csv", b"text,label\n" + text + b",0\n") == [(text, 0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no examples"),
        (b"text,label\n", "holds no examples"),
        (b"sentence,label\na,1\n", "set text= to one of 'sentence', 'label'"),
        (b"text,label\na,1\nb\n", "line 3: 1 fields, but the header has 2"),
        (b"text,label\na,1\nb, c,1\n", "line 3: 3 fields"),
        (b"text,label\na,1\nb,\n", "line 3: a label is missing"),
        (b'text,label\na,1\n"b,0\nc,1\n', "line 3: not well-formed CSV"),
    ],
)
def test_malformed_csv_is_refused_with_its_line(tmp_path, content, message):
    assert message in refusal(tmp_path / "x.csv", content)


def test_unknown_label_names_line_and_labels(tmp_path):
    message = refusal(tmp_path / "x.csv", b'text,label\n"a\nb",no\nc,oui\n', labels=("no", "yes"))
    assert "line 4: label 'oui' is not one of 'no', 'yes'" in message


@pytest.mark.parametrize("name", ["gone.csv", "."])
def test_missing_file_or_folder_is_named(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(UserError, match="cannot read") as raised:
        Delimited(path=str(path)).read()
    assert str(path) in str(raised.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=5))
def test_what_csv_writes_is_read_back(tmp_path, texts):
    written = io.StringIO()
    table = csv.writer(written)
    table.writerows([["text", "label"], *([text, "x"] for text in texts)])
    table = Delimited(path=str(tmp_path / "x.csv"))
    (tmp_path / "x.csv").write_bytes(written.getvalue().encode())
    assert [row["text"] for _, row in table.rows()] == texts


@pytest.mark.real_data
def test_sst2_and_mrpc_are_read_whole(shared_data):
    sst2 = Delimited(path=str(shared_data / "sst2" / "train.tsv"), text="sentence")
    assert sst2.labels() == ("0", "1")
    assert sum(1 for _ in sst2.read().batch(1000).unbatch().batch(1)) == 67_349
    mrpc = Delimited(
        path=str(shared_data / "mrpc" / "dev.tsv"),
        text="#1 String",
        pair="#2 String",
        label="Quality",
    )
    rows = elements(mrpc.read())
    assert len(rows) == 408
    assert rows[0][1].startswith(b'" The foodservice pie business')
