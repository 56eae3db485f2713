"""Files of tagged texts in every layout, and what is wrong with bad ones."""

import json
import pathlib

import pytest

from ftkeras.data.tables.reading import Options, open_data
from ftkeras.data.tagged.entities import from_tags
from ftkeras.data.tagged.reading import find_tagged, open_tagged
from ftkeras.errors import UserError

CONLL = """-DOCSTART- -X- O

# id 7 domain=news
EU NNP B-ORG
rejects VBZ O
# NN O

New NNP I-LOC
York NNP I-LOC
"""
EXPECTED = [(b"EU rejects #", [("ORG", 0, 2)]), (b"New York", [("LOC", 0, 8)])]


def _open(path: pathlib.Path, **changed):
    options = {"text": None, "label": None, "tags": {}, "options": Options(), **changed}
    return open_tagged(path.name, path.parent, **options)


def _read(path: pathlib.Path, **changed):
    return [(row.text, row.entities) for _, row in _open(path, **changed).rows()]


def _find(path: pathlib.Path):
    def table():
        return open_data(path.name, path.parent, Options())

    return find_tagged(path.name, path.parent, Options(), table)


def _lines(path: pathlib.Path, *records) -> pathlib.Path:
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    return path


def test_conll_columns_comments_and_documents(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text(CONLL)
    file = _open(path)
    rows = list(file.rows())
    assert [(row.text, row.entities) for _, row in rows] == EXPECTED
    assert [line for line, _ in rows] == [4, 8]
    assert sum(row.repaired for _, row in rows) == 1
    assert file.skipped == ("1 line -DOCSTART- skipped", "1 line of comments skipped")
    assert file.notes == ("CoNLL", "words from column 0", "tags from the last column")
    path.write_text("B-PER x Anna\n")
    assert _read(path, text="2", label=0) == [(b"Anna", [("PER", 0, 4)])]


NUMBERED = """# sent_id = 1
# text = EU rejects type O
1 EU eu B-ORG
2 rejects reject O
3 # # O

1 New new B-LOC
2-3 can't _ _
2 ca can O
3 n't not B-NOT
3.1 sell sell _
"""


def test_words_are_not_read_from_the_column_that_numbers_them(tmp_path):
    path = tmp_path / "train.conllu"
    path.write_text(NUMBERED)
    file = _open(path)
    texts = [row.text for _, row in file.rows()]
    assert texts == [b"EU rejects #", b"New ca n't"]
    assert file.notes[1] == "words from column 1, as column 0 numbers the words"
    skipped = ("2 lines of comments skipped", "2 lines of ranges and empty nodes skipped")
    assert file.skipped == skipped
    assert _read(path, text=2)[1][0] == b"new can not"


@pytest.mark.parametrize("text", ["1 B-NUM\n2 O\n", "2 a B-NUM\n3 b O\n", "1 a B-A\n\n1 b O\n"])
def test_words_that_are_numbers_are_read(tmp_path, text):
    path = tmp_path / "train.conll"
    path.write_text(text)
    assert _read(path)[0][0].startswith(text[:1].encode())


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("B-A I-A I-B O I-A", [("A", 0, 3), ("B", 4, 5), ("A", 8, 9)]),
        ("B-A B-A O S-A S-A", [("A", 0, 1), ("A", 2, 3), ("A", 6, 7), ("A", 8, 9)]),
        ("B-A E-A I-A U-A L-A", [("A", 0, 3), ("A", 4, 5), ("A", 6, 7), ("A", 8, 9)]),
    ],
)
def test_tags_are_read_as_seqeval_reads_them(tags, entities):
    assert from_tags(list("abcde"), tags.split()).entities == entities


def test_blank_words_are_no_part_of_an_entity():
    tagged = from_tags(["New", "", "York", " "], ["B-LOC", "I-LOC", "I-LOC", "E-LOC"])
    assert tagged.entities == [("LOC", 0, len("New  York"))]
    with pytest.raises(ValueError, match="B-PER belongs to the blank word ''; it must be O"):
        from_tags(["", "a"], ["B-PER", "O"])


def test_blank_word_of_conll_is_named_by_its_sentence(tmp_path):
    (tmp_path / "a.conll").write_text("EU B-ORG\n\nin O\n\u00a0 B-LOC\n", encoding="utf-8")
    with pytest.raises(UserError, match="the sentence in line 3 of .* blank word"):
        _read(tmp_path / "a.conll")


def test_invalid_bytes_count_as_the_characters_that_replace_them():
    word = b"\xf0\x9f".decode("utf-8", "surrogateescape")
    found = from_tags([word, "Ann"], ["O", "B-PER"])
    assert found.text == b"\xf0\x9f Ann"
    assert found.entities == [("PER", 2, 5)]


WORDS = {"tokens": ["EU", "rejects", "#"], "ner_tags": ["B-ORG", "O", "O"]}
TEXT = "EU rejects New York"
RECORDS = {
    "words": WORDS,
    "numbers": WORDS | {"ner_tags": [1, 0, 0]},
    "doccano": {"id": 1, "text": TEXT, "label": [[11, 19, "LOC"], [0, 3, "ORG"]]},
    "prodigy": {"text": TEXT, "spans": [{"start": 0, "end": 2, "label": "ORG", "token_start": 0}]},
    "minimal": {"text": TEXT, "label": [{"start": 0, "end": 2, "labels": ["ORG"]}]},
    "text": {"text": TEXT, "label": [{"start": 0, "end": 2, "labels": "ORG"}]},
    "studio": {
        "data": {"text": TEXT},
        "annotations": [
            {"was_cancelled": True, "result": []},
            {
                "result": [
                    {"value": {"start": 11, "end": 19, "labels": ["LOC"]}},
                    {"type": "choices"},
                ]
            },
        ],
    },
}
FOUND = {
    "words": EXPECTED[0],
    "numbers": EXPECTED[0],
    "doccano": (TEXT.encode(), [("ORG", 0, 2), ("LOC", 11, 19)]),
    "prodigy": (TEXT.encode(), [("ORG", 0, 2)]),
    "minimal": (TEXT.encode(), [("ORG", 0, 2)]),
    "text": (TEXT.encode(), [("ORG", 0, 2)]),
    "studio": (TEXT.encode(), [("LOC", 11, 19)]),
}


@pytest.mark.parametrize("layout", RECORDS)
def test_json_layouts(tmp_path, layout):
    path = _lines(tmp_path / "train.jsonl", RECORDS[layout])
    tags = {"0": "O", "1": "B-ORG"} if layout == "numbers" else {}
    assert _read(path, tags=tags) == [FOUND[layout]]
    assert _find(path)[0] == str(path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (WORDS | {"ner_tags": ["O"]}, "line 4 of .*: there are 3 words, but 1 tags"),
        (WORDS | {"ner_tags": [1, 0, 0]}, "tags are numbers; `label_names` must name each"),
        (RECORDS["doccano"] | {"label": [[0, 99, "X"]]}, "0 to 99 is outside its text of 19"),
        (RECORDS["doccano"] | {"label": [[0, 5, "X"], [3, 6, "Y"]]}, "3 to 6, Y, overlaps another"),
        (RECORDS["doccano"] | {"label": [[2, 3, "X"]]}, "holds nothing but spaces"),
        (RECORDS["prodigy"] | {"spans": [{"start": 0, "end": 2}]}, "the span 0 to 2 has no label"),
        (WORDS | {"ner_tags": ["Q-X", "O", "O"]}, "line 4 .*as in B-PER. Received: 'Q-X'"),
        (WORDS | {"ner_tags": [None, "O", "O"]}, "line 4 .*as in B-PER. Received: 'None'"),
        (RECORDS["doccano"] | {"label": [[0, 5]]}, r"must be \[start, end, type\]. .*\[0, 5\]"),
        (RECORDS["doccano"] | {"label": 5}, "spans must be a list. Received: '5'"),
        (RECORDS["doccano"] | {"label": [[0.5, 5, "X"]]}, "must be integers. Received: '0.5'"),
        (RECORDS["doccano"] | {"label": [["0", 5, "X"]]}, "must be integers. Received: '0'"),
    ],
)
def test_bad_record_is_named(tmp_path, record, message):
    good = RECORDS["words" if "tokens" in record else "doccano" if "label" in record else "prodigy"]
    path = _lines(tmp_path / "train.jsonl", good, good, good, record)
    assert _find(path)
    with pytest.raises(UserError, match=message):
        _read(path)


def test_offsets_may_be_written_as_floats(tmp_path):
    record = {"text": TEXT, "label": [[11.0, 19.0, "LOC"]]}
    assert _read(_lines(tmp_path / "a.jsonl", record)) == [(TEXT.encode(), [("LOC", 11, 19)])]


def test_texts_without_labels_do_not_make_tagged_texts_of_the_others(tmp_path):
    empty = {"text": "Bad", "labels": []}
    assert _find(_lines(tmp_path / "a.jsonl", empty, empty, {"text": "x", "labels": ["a"]})) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("York", "line 2 of .*: 'York'; a word and a tag is needed"),
        ("York LOC", "line 2 of .* has the tag 'LOC'; O or a tag such as B-PER is needed"),
    ],
)
def test_bad_line_is_named(tmp_path, line, message):
    (tmp_path / "train.conll").write_text(f"New B-LOC\n{line}\n")
    with pytest.raises(UserError, match=message):
        _read(tmp_path / "train.conll")


def test_columns_of_conll_count_from_the_end_if_negative(tmp_path):
    (tmp_path / "train.conll").write_text("New B-LOC\n")
    assert _read(tmp_path / "train.conll", text=-2) == [(b"New", [("LOC", 0, 3)])]
    for column in (-3, 2):
        with pytest.raises(UserError, match="line 1 of .* has 2 columns: 'New B-LOC'"):
            _read(tmp_path / "train.conll", label=column)


def test_column_of_conll_must_be_a_number(tmp_path):
    (tmp_path / "train.conll").write_text("New B-LOC\n")
    with pytest.raises(UserError, match="`label_column` must be the number of a column"):
        _read(tmp_path / "train.conll", label="tag")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\nBad film,O\n"),
        ("a.txt", "Bad film\nGood film\n"),
        ("a.jsonl", '{"text": "Bad", "labels": ["joy", "anger"]}\n'),
        ("a.jsonl", '{"text": "Bad", "label": 1}\n'),
    ],
)
def test_other_data_is_not_taken_for_tagged_texts(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    assert _find(tmp_path / name) is None


def test_numbers_in_conll_are_named(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("EU 1\nrejects 0\n")
    assert _read(path, tags={"0": "O", "1": "B-ORG"}) == [(b"EU rejects", [("ORG", 0, 2)])]


def test_words_that_all_belong_to_entities_are_found(tmp_path):
    (tmp_path / "a.txt").write_text("Anna B-PER\n\nMary B-PER\n")
    assert _find(tmp_path / "a.txt") == (str(tmp_path / "a.txt"), "CoNLL")


def test_blanks_within_a_word_separate_nothing(tmp_path):
    path = tmp_path / "train.conll"
    lines = "10\u00a0000\tB-NUM\nNew York\tB-LOC\nx\tO\n"
    path.write_text(lines, encoding="utf-8")
    text = "10\u00a0000 New York x"
    assert _read(path) == [(text.encode(), [("NUM", 0, 6), ("LOC", 7, 15)])]
    path.write_text(lines.replace("New York", "Rome").replace("\t", " "), encoding="utf-8")
    text = "10\u00a0000 Rome x"
    assert _read(path) == [(text.encode(), [("NUM", 0, 6), ("LOC", 7, 11)])]
