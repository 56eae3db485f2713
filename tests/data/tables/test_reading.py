import bz2
import gzip
import json
import lzma
import pathlib
import zipfile

import pytest

from ftkeras.data.tables.reading import Options, located_rows, open_data
from ftkeras.errors import UserError

ROWS = [("The meal was dull.", "neg"), ("The film was great.", "pos")] * 10
CSV = "text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)
RECORDS = [{"text": text, "label": label} for text, label in ROWS]
HERE = pathlib.Path()


def _read(*names, folder=HERE, **options):
    table = open_data([str(name) for name in names], folder, Options(**options))
    return table, [tuple(map(str, values)) for _, values in table.rows()]


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_compressed_file_reads_like_the_plain_one(tmp_path, suffix, compress):
    path = tmp_path / f"x.csv{suffix}"
    path.write_bytes(compress(CSV.encode()))
    assert _read(path)[1] == ROWS


def test_zip_with_one_file_reads_like_the_file(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("folder/x.jsonl", "\n".join(map(json.dumps, RECORDS)))
    assert _read(tmp_path / "x.zip")[1] == ROWS


def test_zip_with_several_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.csv", CSV)
        archive.writestr("b.csv", CSV)
    with pytest.raises(UserError, match="holds 2 files"):
        _read(tmp_path / "x.zip")


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("array", [True, False], ids=["array", "lines"])
def test_json_is_an_array_or_lines_whatever_the_suffix(tmp_path, suffix, array):
    text = json.dumps(RECORDS) if array else "\n".join(map(json.dumps, RECORDS))
    (tmp_path / f"x{suffix}").write_text(text)
    table, rows = _read(tmp_path / f"x{suffix}")
    assert rows == ROWS
    assert table.notes[0] == ("a JSON array" if array else "JSON lines")


def test_json_keys_that_some_objects_lack_are_columns_with_none(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n{"label": 1, "text": "b"}\n')
    table = open_data(str(tmp_path / "x.jsonl"), HERE, Options())
    assert table.columns == ("text", "label")
    assert [values for _, values in table.rows()] == [("a", None), ("b", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a"}\n{"text"', "line 2 .* is not JSON"),
        ("[1, 2]", "item 1 .* not a JSON object"),
    ],
)
def test_broken_json_is_named_by_its_place(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UserError, match=message):
        _read(tmp_path / "x.json")


def test_parquet_and_arrow_are_read(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.Table.from_pylist(RECORDS)
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet", row_group_size=7)
    with (
        pa.OSFile(str(tmp_path / "x.arrow"), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as w,
    ):
        w.write_table(table)
    assert _read(tmp_path / "x.parquet")[1] == ROWS
    assert _read(tmp_path / "x.arrow")[1] == ROWS


def test_folder_in_the_layout_of_save_to_disk_is_read(tmp_path):
    pa = pytest.importorskip("pyarrow")
    table, names = pa.Table.from_pylist(RECORDS), ["data-0.arrow", "data-1.arrow"]
    for number, name in enumerate(names):
        with (
            pa.OSFile(str(tmp_path / name), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as writer,
        ):
            writer.write_table(table.slice(10 * number, 10))
    state = {"_data_files": [{"filename": name} for name in names]}
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert _read(tmp_path)[1] == ROWS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", '{"_data_files": [{"file'),
        ("state.json", "{}"),
        ("state.json", '{"_data_files": ["a"]}'),
        ("dataset_dict.json", '{"splits": []}'),
    ],
)
def test_folder_that_save_to_disk_did_not_finish_is_refused(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=rf"{name}' is not as `datasets.save_to_disk` writes it"):
        _read(tmp_path)


def test_parquet_value_that_python_cannot_hold_is_refused(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    times = pa.array([2**62], pa.timestamp("us"))
    pyarrow.parquet.write_table(pa.table({"time": times}), tmp_path / "x.parquet")
    with pytest.raises(UserError, match=r"x\.parquet' can't be read"):
        _read(tmp_path / "x.parquet")


def test_damaged_parquet_is_refused_in_one_line(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(UserError, match=r"x\.parquet.*can't be read") as caught:
        _read(tmp_path / "x.parquet")
    assert "\n" not in str(caught.value)


def test_first_sheet_of_a_spreadsheet_is_read(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    for row in ROWS:
        book.active.append(row)
    book.create_sheet("notes").append(["not this"])
    book.save(tmp_path / "x.xlsx")
    assert _read(tmp_path / "x.xlsx")[1] == ROWS


def _with_sheet(path, change):
    """Write ROWS to a spreadsheet, and change the XML of its sheet; None removes it."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("text", "label"), *ROWS):
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts.pop("xl/worksheets/sheet1.xml")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        if (changed := change(sheet)) is not None:
            archive.writestr("xl/worksheets/sheet1.xml", changed)
    return path


@pytest.mark.parametrize("size", [b"A1", b"A1:B5", b"A1:Z99"])
def test_sheet_is_read_whole_whatever_size_it_claims(tmp_path, size):
    path = _with_sheet(tmp_path / "x.xlsx", lambda sheet: sheet.replace(b"A1:B21", size))
    table, rows = _read(path)
    assert table.columns == ("text", "label")
    assert rows == ROWS


def test_column_of_a_sheet_needs_no_name(tmp_path):
    cell = b'<c r="C2"><v>7</v></c></row><row r="3"'
    path = _with_sheet(
        tmp_path / "x.xlsx", lambda sheet: sheet.replace(b'</row><row r="3"', cell, 1)
    )
    table, rows = _read(path)
    assert table.columns == ("text", "label", "")
    assert rows == [(*ROWS[0], "7"), *[(*row, "None") for row in ROWS[1:]]]


@pytest.mark.parametrize("change", [lambda sheet: sheet[:-300], lambda sheet: None])
def test_damaged_sheet_is_named(tmp_path, change):
    path = _with_sheet(tmp_path / "x.xlsx", change)
    with pytest.raises(UserError, match=r"x\.xlsx' (can't be read|has no sheet)"):
        _read(path)


def test_folders_of_text_files_are_classes(tmp_path):
    for number, (text, label) in enumerate(ROWS):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / f"{number:02}.txt").write_text(text)
    table, rows = _read(tmp_path)
    assert table.columns == ("text", "label")
    assert sorted(rows) == sorted(ROWS)


def test_several_files_and_patterns_are_one_table(tmp_path):
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text(CSV)
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    assert len(_read("*.csv", folder=tmp_path)[1]) == 40
    assert len(_read("a.csv", "c.jsonl", folder=tmp_path)[1]) == 40


def test_columns_may_be_in_any_order_and_some_files_may_have_more(tmp_path):
    (tmp_path / "a.csv").write_text("rank,label,text,reason\n1,good,Fine.,close\n2,bad,Poor.,\n")
    (tmp_path / "b.csv").write_text("text,label\nDull.,bad\n")
    (tmp_path / "c.jsonl").write_text('{"label": "good", "text": "Great."}\n')
    table, rows = _read("a.csv", "b.csv", "c.jsonl", folder=tmp_path)
    assert table.columns == ("label", "text")
    assert rows == [("good", "Fine."), ("bad", "Poor."), ("bad", "Dull."), ("good", "Great.")]
    assert "not read, as not all have them: rank, reason" in table.notes
    located = [(name.rpartition("/")[2], line) for name, line, _ in located_rows(table)]
    assert located == [("a.csv", 2), ("a.csv", 3), ("b.csv", 2), ("c.jsonl", 1)]


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ("text,label", "text,stars", "has the columns text, stars, but .*has text, label"),
        ("text,label,id", "label,text,stars", "has the columns label, text, stars, but"),
        ("text,label", "review,stars", "has the columns review, stars, but"),
        ("text,text,label", "label,text,text", "has the columns label, text, text, but"),
        ("text,label", "text,label,text", "has the columns text, label, text, but"),
    ],
)
def test_files_with_other_columns_are_refused(tmp_path, one, other, message):
    for name, header in (("a.csv", one), ("b.csv", other)):
        row = ",".join("abc"[: header.count(",") + 1])
        (tmp_path / name).write_text(f"{header}\n{row}\n")
    with pytest.raises(UserError, match=message):
        _read("a.csv", "b.csv", folder=tmp_path)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ({"text": "string", "n": "int8"}, {"text": "string", "n": "int64"}, ["string", "int64"]),
        ({"text": "string", "n": "null"}, {"n": "int8", "text": "string"}, ["string", "int8"]),
        ({"text": "string", "n": "int8"}, {"text": "string", "n": "string"}, None),
    ],
)
def test_types_of_columns_hold_the_values_of_all_files(tmp_path, one, other, common):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    values = {"null": None, "int8": 1, "int64": 1000, "string": "x"}
    for name, types in (("a", one), ("b", other)):
        row = {column: values[kind] for column, kind in types.items()}
        schema = pa.schema([(column, getattr(pa, kind)()) for column, kind in types.items()])
        pyarrow.parquet.write_table(
            pa.Table.from_pylist([row], schema), tmp_path / f"{name}.parquet"
        )
    table = open_data("*.parquet", tmp_path, Options())
    if common is None:
        assert table.schema is None
        return
    assert [str(kind) for kind in table.schema.types] == common
    rows = [dict(zip(table.columns, row, strict=True)) for _, row in table.rows()]
    assert pa.Table.from_pylist(rows, table.schema).to_pylist() == rows


def test_unnamed_columns_of_other_numbers_are_refused(tmp_path):
    for name, row in (("a.csv", "Fine.,good\n"), ("b.csv", "1,Fine.,good\n")):
        (tmp_path / name).write_text(20 * row)
    with pytest.raises(UserError, match="has the columns 0, 1, 2, but .* has 0, 1"):
        _read("a.csv", "b.csv", folder=tmp_path, header=False)


def test_home_directory_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.csv").write_text(CSV)
    assert _read("~/x.csv")[1] == ROWS


def test_missing_file_is_named():
    with pytest.raises(UserError, match="there is no file 'gone/x.csv'"):
        _read("gone/x.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [({"encoding": "utf-9"}, "`encoding` must be"), ({"delimiter": ";;"}, "`delimiter` must be")],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Options(**options)


def test_json_with_byte_order_mark_crlf_and_blank_lines(tmp_path):
    row = b'{"text": "a\\u00e9", "label": 1}'
    (tmp_path / "x.jsonl").write_bytes(b"\xef\xbb\xbf" + row + b"\r\n\r\n" + row)
    assert _read(tmp_path / "x.jsonl")[1] == [("a\u00e9", "1")] * 2


def test_json_nested_too_deep_is_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n' + "[" * 100_000)
    with pytest.raises(UserError, match="line 2 .* is not JSON"):
        _read(tmp_path / "x.jsonl")
