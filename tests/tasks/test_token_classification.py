"""Tagged texts as a task."""

import json

import pytest

from ftkeras.data.tables.json_records import JsonRecords
from ftkeras.errors import UserError
from ftkeras.support import tags
from ftkeras.tasks.classification import Classification
from ftkeras.tasks.token_classification import TokenClassification

CONLL = "Anna B-PER\nsings O\n\nin O\nNew I-LOC\nYork I-LOC\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.conll").write_text(CONLL)
    return tmp_path


def _read(task, split: str) -> list[tuple[bytes, list]]:
    rows = task.splits()[split].as_numpy_iterator()
    return [(row["text"], tags.decode(row["label"]).tolist()) for row in rows]


def test_examples_have_entities_by_the_number_of_their_type(folder):
    task = TokenClassification(train="train.conll")
    assert task.labels == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert _read(task, "train") == [(b"Anna sings", [[1, 0, 4]]), (b"in New York", [[0, 3, 11]])]
    assert task.notes[0] == "CoNLL"
    assert task.notes[-1] == "1 tag I- that begins an entity, read as B-"
    bioes = TokenClassification(train="train.conll", scheme="BIOES")
    assert bioes.labels[:5] == ("O", "B-LOC", "I-LOC", "E-LOC", "S-LOC")


def test_type_that_is_not_in_train_is_refused(folder):
    (folder / "test.conll").write_text("Anna O\n\nEU B-ORG\n")
    task = TokenClassification(train="train.conll", test="test.conll")
    with pytest.raises(UserError, match=r"line 3 of .*'ORG'; the types are LOC, PER"):
        list(task._examples("test"))


def test_file_without_entities_is_refused(folder):
    (folder / "train.conll").write_text("Anna O\n")
    with pytest.raises(UserError, match="has no entity"):
        TokenClassification(train="train.conll").splits()


def test_moved_spans_are_noted_and_what_was_skipped_explains_why_no_entity_is_left(folder):
    span = {"start": 3, "end": 7, "text": "Anna", "label": "PER"}
    row = {"text": "\N{SNAKE} Anna", "spans": [span], "answer": "accept"}
    (folder / "train.jsonl").write_text(json.dumps(row))
    moved = "1 span was not at the given characters, and moved to where the text occurs"
    assert TokenClassification(train="train.jsonl").notes[-1] == moved
    row["answer"] = "reject"
    (folder / "train.jsonl").write_text(json.dumps(row))
    with pytest.raises(UserError, match="has no entity; 1 row rejected in Prodigy skipped"):
        TokenClassification(train="train.jsonl").splits()


def test_classification_hands_tagged_texts_over(folder):
    name, reason = Classification(train="train.conll").better_task()
    assert name == "token_classification"
    assert reason == "'train.conll' holds tagged texts, CoNLL"


@pytest.mark.parametrize("labels", ["O,B-PER,I-PER", {"0": "O", "2": "I-PER", "1": "B-PER"}])
def test_tags_that_are_numbers_are_named(folder, labels):
    (folder / "train.json").write_text('[{"tokens": ["Anna", "B", "is"], "ner_tags": [1, 2, 0]}]')
    found = Classification(train="train.json", labels=labels).better_task()
    assert found == (
        "token_classification",
        "'train.json' holds tagged texts, words in 'tokens', tags in 'ner_tags'",
    )
    assert _read(TokenClassification(train="train.json", labels=labels), "train") == [
        (b"Anna B is", [[0, 0, 6]])
    ]


def test_names_that_are_no_tags_are_refused(folder):
    with pytest.raises(ValueError, match="`labels` must name tags.*'PER'"):
        TokenClassification(train="train.conll", labels="O,PER")


def test_table_is_opened_once_to_see_what_it_holds(folder, monkeypatch):
    opened = []
    (folder / "a.jsonl").write_text('{"text": "Bad", "label": "x"}\n{"text": "So", "label": "y"}\n')
    original = JsonRecords.__init__
    monkeypatch.setattr(
        JsonRecords, "__init__", lambda *args, **kw: opened.append(1) or original(*args, **kw)
    )
    task = Classification(train="a.jsonl")
    assert task.better_task() is None
    assert task.labels == ("x", "y")
    assert len(opened) == 1


def test_wrong_scheme_is_named(folder):
    with pytest.raises(ValueError, match="`scheme` must be one of BIO, BIOES"):
        TokenClassification(train="train.conll", scheme="IO")
