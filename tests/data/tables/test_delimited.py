import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkeras.data.tables.delimited import Delimited
from ftkeras.errors import UserError

REVIEWS = [("The meal was dull, note 64.", "neg"), ("The film was great, note 87.", "pos")] * 20


def _write(path, rows, *, header=("text", "label"), encoding="utf-8", start="", **dialect):
    text = io.StringIO()
    writer = csv.writer(text, **dialect)
    writer.writerows([*([header] if header else []), *rows])
    path.write_bytes((start + text.getvalue()).encode(encoding))
    return path


def _read(table):
    return [values for _, values in table.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("header", [("text", "label"), None], ids=["header", "no header"])
def test_delimiter_and_header_are_detected(tmp_path, delimiter, header):
    path = _write(tmp_path / "x.csv", REVIEWS, header=header, delimiter=delimiter)
    table = Delimited(path)
    assert table.dialect.delimiter == delimiter
    assert table.columns == (header or ("0", "1"))
    assert _read(table) == REVIEWS


def test_what_was_detected_is_reported(tmp_path):
    path = _write(tmp_path / "x.csv", REVIEWS, delimiter=";")
    assert Delimited(path).notes == (
        "encoding utf-8",
        "delimiter ';'",
        "header in the first line",
    )


def test_numbers_over_numbers_are_no_header(tmp_path):
    rows = [("3", "Fears for pensions", "Unions say they are disappointed.")] * 10
    assert not Delimited(_write(tmp_path / "x.csv", rows, header=None)).header


def test_unknown_names_are_a_header_over_longer_texts_and_repeated_values(tmp_path):
    table = Delimited(_write(tmp_path / "x.csv", REVIEWS, header=("Bericht", "Urteil")))
    assert table.columns == ("Bericht", "Urteil")


QUESTION = "How satisfied are you with the product, in your own words, please write"


@pytest.mark.parametrize(
    "header",
    [(QUESTION, "label"), ("0", "1")],
    ids=["a question beside a usual name", "pandas' numbers of columns"],
)
def test_line_of_names_is_a_header(tmp_path, header):
    rows = [("The meal was dull.", "0"), ("The film was great.", "1")] * 3
    table = Delimited(_write(tmp_path / "x.csv", rows, header=header))
    assert table.columns == header
    assert _read(table) == rows


def test_pandas_numbers_of_columns_stand_behind_an_index_without_a_name(tmp_path):
    rows = [(str(n), text, label) for n, (text, label) in enumerate(REVIEWS)]
    assert Delimited(_write(tmp_path / "x.csv", rows, header=("", "0", "1"))).header
    numbers = [("0", "1"), ("2", "3"), ("4", "1")]
    assert not Delimited(_write(tmp_path / "y.csv", numbers, header=None)).header


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_excels_line_names_the_delimiter(tmp_path, delimiter):
    start = f"sep={delimiter}\r\n"
    path = _write(tmp_path / "x.csv", REVIEWS, start=start, delimiter=delimiter)
    table = Delimited(path)
    assert _read(table) == REVIEWS
    assert next(table.rows())[0] == 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_names_the_encoding(tmp_path, encoding):
    rows = [("Das war schön.", "gut"), ("Das war öde.", "schlecht")] * 5
    assert _read(Delimited(_write(tmp_path / "x.csv", rows, encoding=encoding))) == rows


def test_bytes_that_are_not_utf8_are_refused_with_their_line_and_the_remedy(tmp_path):
    rows = [("The meal was fine.", "pos"), ("Le café était mauvais.", "neg")] * 5
    path = _write(tmp_path / "x.csv", rows, encoding="cp1252")
    with pytest.raises(UserError, match=r"line 3 of .*0xe9.*encoding=cp1252"):
        Delimited(path)
    assert _read(Delimited(path, encoding="cp1252")) == rows


def test_invalid_byte_behind_a_megabyte_is_found(tmp_path):
    lines = [b"text,label"] + [b"a text of some words,pos", b"another one,neg"] * 40_000
    lines[70_001] = b"caf\xe9 au lait,pos"
    (tmp_path / "x.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(UserError, match="line 70002"):
        Delimited(tmp_path / "x.csv")


def test_pandas_quotes_in_a_tab_separated_file_enclose_fields(tmp_path):
    rows = [(f'He said "{text}" to us.', label) for text, label in REVIEWS]
    assert _read(Delimited(_write(tmp_path / "x.tsv", rows, delimiter="\t"))) == rows


@pytest.mark.parametrize("inner", ["\n", "\n\n", "\t", "\r\n"])
def test_pandas_quotes_in_a_tab_separated_file_enclose_lines_and_tabs(tmp_path, inner):
    rows = [
        (f"{text}{inner}So it is." if n % 3 else text, label)
        for n, (text, label) in enumerate(REVIEWS)
    ]
    assert _read(Delimited(_write(tmp_path / "x.tsv", rows, delimiter="\t"))) == rows


def test_quotes_in_a_glue_file_are_characters(tmp_path):
    lines = ['"It is good .\t1', 'He said " no " .\t0', '" quoted whole "\t1', "plain\t0"]
    (tmp_path / "x.tsv").write_text("sentence\tlabel\n" + "\n".join(lines))
    table = Delimited(tmp_path / "x.tsv")
    assert "no quoting" in table.notes
    assert [values[0] for values in _read(table)] == [line.split("\t")[0] for line in lines]


def test_row_of_another_length_is_named(tmp_path):
    (tmp_path / "x.csv").write_text("text,label\n" + "fine text,pos\n" * 40 + "a,b,c\n")
    with pytest.raises(UserError, match="line 42 of .* has 3 fields, but the first has 2"):
        _read(Delimited(tmp_path / "x.csv"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("just one column\nof texts\n", "does not split into columns"),
        ("text,label\n", "one row only, which looks like .* set `header` to false. Otherwise"),
        ("a,b;c\nd,e;f\ng,h;i\n", "set `delimiter`"),
    ],
)
def test_what_cannot_be_told_is_refused(tmp_path, content, message):
    (tmp_path / "x.txt").write_text(content)
    with pytest.raises(UserError, match=message):
        Delimited(tmp_path / "x.txt")


_FIELDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=30)


@given(rows=st.lists(st.tuples(_FIELDS, st.sampled_from(["yes", "no"])), min_size=4, max_size=20))
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows):
    path = _write(tmp_path_factory.mktemp("csv") / "x.csv", rows, header=("text", "label"))
    assert _read(Delimited(path, delimiter=",", header=True)) == [tuple(row) for row in rows]


def test_unquoted_file_keeps_line_separators_that_are_not_newlines(tmp_path):
    text = "a\rb\x0bc\x85d\u2028e"
    (tmp_path / "x.tsv").write_bytes(f"text\tlabel\n{text}\t1\nf\t0\n".encode())
    assert _read(Delimited(tmp_path / "x.tsv")) == [(text, "1"), ("f", "0")]


def test_csv_keeps_quotes_commas_and_lines_inside_a_field(tmp_path):
    content = b'label,text\nb,"one, ""two""\nthree"\na,four\n'
    (tmp_path / "x.csv").write_bytes(content)
    assert list(Delimited(tmp_path / "x.csv").rows()) == [
        (2, ("b", 'one, "two"\nthree')),
        (4, ("a", "four")),
    ]


@pytest.mark.parametrize(("name", "mark"), [("x.csv", b","), ("x.tsv", b"\t")])
def test_byte_order_mark_crlf_blank_lines_no_last_newline(tmp_path, name, mark):
    content = b"\xef\xbb\xbftext,label\r\none,no\r\n\r\ntwo,yes".replace(b",", mark)
    (tmp_path / name).write_bytes(content)
    assert _read(Delimited(tmp_path / name)) == [("one", "no"), ("two", "yes")]


@pytest.mark.parametrize(("name", "mark"), [("x.csv", b","), ("x.tsv", b"\t")])
def test_invalid_bytes_pass_through_if_the_encoding_is_given(tmp_path, caplog, name, mark):
    text = b"caf\xe9 \xed\xa0\x80 \xff"
    content = b"text,label\n".replace(b",", mark) + text + mark + b"0\nx" + mark + b"1\n"
    (tmp_path / name).write_bytes(content)
    found = _read(Delimited(tmp_path / name, encoding="utf-8"))[0][0]
    assert found.encode("utf-8", "surrogateescape") == text
    (line,) = caplog.messages
    assert line.startswith("warning: 5 characters of ")
    assert line.endswith("can't be read as utf-8, and are replaced; check `encoding`")


def test_field_longer_than_pythons_own_limit(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"text,label\n" + b"x" * 200_000 + b",0\n")
    assert len(_read(Delimited(tmp_path / "x.csv"))[0][0]) == 200_000


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "sep={}\r\n"])
def test_first_text_may_be_longer_than_the_sample(tmp_path, delimiter, start):
    rows = [("A long paragraph, really.\n" * 12_000, "pos"), *REVIEWS]
    start = start.format(delimiter)
    table = Delimited(_write(tmp_path / "x.csv", rows, start=start, delimiter=delimiter))
    assert table.columns == ("text", "label")
    assert _read(table) == rows


@pytest.mark.parametrize(("before", "line"), [("", 2), ("a,1\n", 3)])
def test_quote_that_is_never_closed_is_named_by_its_line(tmp_path, before, line):
    (tmp_path / "x.csv").write_text(f'text,label\n{before}"b,0\nc,1\n')
    with pytest.raises(UserError, match=f"line {line} .* is not well-formed"):
        _read(Delimited(tmp_path / "x.csv"))


@pytest.mark.real_data
def test_sst2_mrpc_and_ag_news_are_read_whole(shared_data):
    counts = {"sst2/train.tsv": 67_349, "mrpc/dev.tsv": 408, "agnews/agnews.csv": 6_000}
    for name, count in counts.items():
        assert sum(1 for _ in Delimited(shared_data / name).rows()) == count
    first = next(Delimited(shared_data / "mrpc/dev.tsv").rows())[1]
    assert first[4].startswith('" The foodservice pie business')


def test_index_without_a_name_does_not_hide_the_header(tmp_path):
    lines = "".join(f"{n},This is text {n}.,{'neg' if n % 2 else 'pos'}\n" for n in range(20))
    (tmp_path / "x.csv").write_text(f",text,label\n{lines}")
    table = Delimited(tmp_path / "x.csv")
    assert table.columns == ("", "text", "label")
    assert len(list(table.rows())) == 20


def test_label_that_is_a_usual_name_of_columns_is_no_header(tmp_path):
    rows = "How do I reset it,question\nYou click here,answer\n" * 10
    (tmp_path / "x.csv").write_text(f"What is this,question\n{rows}")
    assert Delimited(tmp_path / "x.csv").columns == ("0", "1")
    (tmp_path / "y.csv").write_text(f"text,label\n{rows}text,label\n{rows}")  # joined files
    assert Delimited(tmp_path / "y.csv").columns == ("text", "label")


def test_byte_order_mark_is_left_out_whatever_the_encoding(tmp_path):
    text = "text,label\n" + "It was good.,pos\nIt was bad.,neg\n" * 5
    (tmp_path / "x.csv").write_bytes(text.encode("utf-8-sig"))
    for encoding in (None, "utf-8", "UTF_8"):
        assert Delimited(tmp_path / "x.csv", encoding=encoding).columns == ("text", "label")
