"""Examples in memory as files."""

import json
import types

import numpy as np
import pandas as pd
import pytest

from ftkeras.api import data, data_files
from ftkeras.data.sources.stream import reraise_user_errors
from ftkeras.errors import UserError
from ftkeras.runs import replaced
from ftkeras.support import files
from ftkeras.tasks.classification import Classification

ROWS = [{"text": "a", "label": 1}, {"text": "ü\n", "label": 0}]


def _rows(value) -> list[dict]:
    content = data.take({"data": value})["data"]
    return [json.loads(line) for line in content.decode().splitlines()]


@pytest.mark.parametrize(
    "value",
    [
        ROWS,
        {"text": ["a", "ü\n"], "label": np.array([1, 0])},
        (["a", "ü\n"], [1, 0]),
        (np.array(["a", "ü\n"]), np.array([1, 0])),
        (np.array([["a"], ["ü\n"]]), np.array([[1], [0]])),
        (pd.DataFrame({"review": ["a", "ü\n"]}), pd.DataFrame({"stars": [1, 0]})),
    ],
    ids=["dicts", "columns", "lists", "arrays", "arrays of one column", "tables of one column"],
)
def test_kinds_of_examples_give_the_same_rows(value):
    assert data.is_in_memory(value)
    assert _rows(value) == ROWS


def test_frame_gives_its_columns_and_missing_values_are_none():
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "stars": pd.array([1, None], dtype="Int64"),
            "price": [0.5, float("nan")],
            "kind": pd.Categorical(["x", "y"]),
        },
        index=[7, 7],
    )
    assert _rows(frame) == [
        {"text": "a", "stars": 1, "price": 0.5, "kind": "x"},
        {"text": None, "stars": None, "price": None, "kind": "y"},
    ]


class HuggingFaceDataset:
    """Stands in for `datasets.Dataset`."""

    def __init__(self, columns, features):
        self.columns, self.features, self.column_names = columns, features, tuple(columns)

    def __getitem__(self, name):
        return self.columns[name]


def test_labels_of_a_hugging_face_dataset_are_names():
    label = types.SimpleNamespace(names=["neg", "pos"])
    features = {"text": object(), "label": label, "tags": types.SimpleNamespace(feature=label)}
    columns = {"text": ["a", "b", "c"], "label": [1, -1, None], "tags": [[1, 0], [], [-1]]}
    assert _rows(HuggingFaceDataset(columns, features)) == [
        {"text": "a", "label": "pos", "tags": ["pos", "neg"]},
        {"text": "b", "label": None, "tags": []},
        {"text": "c", "label": None, "tags": [None]},
    ]


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        ("M8[D]", ["2020-01-01", "NaT"], ["2020-01-01", None]),
        ("M8[ns]", ["2020-01-01", "NaT"], ["2020-01-01T00:00:00.000000000", None]),
        ("m8[ns]", [5, "NaT"], ["5 nanoseconds", None]),
    ],
)
def test_dates_and_spans_of_time_are_texts(kind, values, texts):
    times = np.array(values, kind)
    rows = _rows({"text": ["a", "b"], "label": times, "tags": [times, times]})
    assert [row["label"] for row in rows] == texts
    assert rows[0]["tags"] == texts


def test_nested_values_keep_their_structure():
    span = {"start": np.int64(0), "label": b"PER"}
    assert _rows([{"text": "a", "spans": [span]}]) == [
        {"text": "a", "spans": [{"start": 0, "label": "PER"}]}
    ]


def test_labels_in_a_set_are_sorted():
    given = {"text": ["a", "b"], "label": [{"sad", "long", "dull"}, frozenset()]}
    assert [row["label"] for row in _rows(given)] == [["dull", "long", "sad"], []]


@pytest.mark.parametrize("named", [True, False])
def test_tf_data_gives_its_elements(named):
    import tensorflow as tf

    columns = (["a", "b"], [1, 0])
    given = dict(zip(("text", "label"), columns, strict=True)) if named else columns
    dataset = tf.data.Dataset.from_tensor_slices(given)
    assert _rows(dataset) == [{"text": "a", "label": 1}, {"text": "b", "label": 0}]


def test_tf_data_of_single_texts_is_refused():
    import tensorflow as tf

    with pytest.raises(UserError, match=r"`data`: .* dicts or \(text, label\)\. Received"):
        _rows(tf.data.Dataset.from_tensor_slices(["a", "b"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.batch(2), r"single examples; use `dataset.unbatch\(\)`"),
        (lambda data: data.padded_batch(1).prefetch(1), r"use `dataset.unbatch\(\)`"),
        (lambda data: data.repeat(), "must have an end; remove `repeat`"),
    ],
)
def test_tf_data_of_batches_or_without_an_end_is_refused(change, message):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((["a", "b"], [1, 0]))
    with pytest.raises(UserError, match=f"`data`: .*{message}"):
        _rows(change(dataset))
    assert _rows(dataset.batch(2).unbatch()) == _rows(dataset)


def test_words_of_single_examples_are_no_batches():
    import tensorflow as tf

    columns = {"text": tf.constant([["a", "b"]]), "tags": tf.constant([["O", "B"]])}
    dataset = tf.data.Dataset.from_tensor_slices(columns)
    assert _rows(dataset) == _rows(columns) == [{"text": ["a", "b"], "tags": ["O", "B"]}]


def test_table_of_arrow_gives_its_columns():
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"text": ["a", None], "tags": [["x"], []]})
    assert _rows(table) == table.to_pylist()


@pytest.mark.parametrize("value", ["a.csv", ["a.csv", "b.csv"], ("a.csv",)], ids=str)
def test_names_of_files_are_no_examples(value):
    assert not data.is_in_memory(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "`data` has no examples"),
        ({"text": []}, "`data` has no examples"),
        ({"text": ["a"], "label": []}, "`data` has no examples"),
        (
            {"text": ["a"], "label": [1, 2]},
            "same number of values in each column.*1 of 'text', 2 of",
        ),
        (3, "`data` must be files, a DataFrame.*Received: int"),
        pytest.param(
            {"text": ["a", object()]},
            "must have texts.* in 'text'. Received: <object.*of type object",
            id="object",
        ),
        pytest.param(
            {"text": ["a"], "label": [iter("ab")]},
            "in 'label'. Received: .*of type str_.*iterator",
            id="iterator",
        ),
        ({"text": ["a"], "label": [{"tags": {"a": 1}.values()}]}, "of type dict_values"),
        ({"text": {"a"}}, "must have a list, an array or a column for 'text'. Received: {"),
        (
            (pd.DataFrame({"a": ["x"], "b": ["y"]}), ["pos"]),
            "`data` must be a pair of columns.* Received: a DataFrame of 'a', 'b' as 'text'",
        ),
        ({"text": "good"}, "must have a list, an array or a column for 'text'. Received: 'good'"),
        ({"text": ["a"], "label": 1}, "a column for 'label'. Received: 1"),
        ((["a", "b"], None), "a column for 'label'. Received: None"),
        ({"text": ["a"], "label": np.array(1)}, r"for 'label'. Received: array\(1\)"),
        (
            {1: ["a"], "1": ["b"]},
            "`data` must not have two columns of the same name. Received: '1' twice",
        ),
    ],
    ids=str,
)
def test_wrong_examples_are_refused(value, message):
    with pytest.raises(UserError, match=message):
        data.take({"data": value})


@pytest.mark.parametrize("matrix", [np.eye(2, dtype=int), [[0, 1], [1, 1]]], ids=["array", "list"])
def test_matrix_of_labels_without_names_is_refused(matrix):
    for value in ((["a", "b"], matrix), {"text": ["a", "b"], "label": matrix}):
        with pytest.raises(UserError, match="names of labels: .*: a matrix of 0 and 1 with 2 col"):
            data.take({"data": value})
    assert data.take({"data": (["a", "b"], [["x"], ["x", "y"]])})
    assert data.take({"data": ([["a", "b"]], [[0, 1]])})  # words and their tags


def test_lone_surrogates_are_reported(caplog):
    assert data.take({"data": {"text": ["a\ud800", "b"]}})["data"].count(b"a?") == 1
    assert caplog.messages == [
        "warning: 1 character of `data` can't be written as UTF-8; '?' replaces each"
    ]


def test_errors_name_examples_as_the_user_does():
    paths = {"data": "runs/a/data/train.jsonl", "test_data": "runs/a/data/test.jsonl"}
    with pytest.raises(UserError) as caught, data_files.named_by_field(paths):
        raise UserError("line 3 of 'runs/a/data/test.jsonl' is not like 'runs/a/data/train.jsonl'")
    assert str(caught.value) == "row 2 of `test_data` is not like `data`"


@pytest.mark.parametrize("field", ["data", "test_data"])
def test_errors_about_a_row_name_its_argument_once(tmp_path, field):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n{"text": 1, "label": "y"}\n')
    message = f"^`{field}`: row 1: a text must be a string"
    named = data_files.named_by_field({field: str(path)})
    with pytest.raises(UserError, match=message), named, reraise_user_errors():
        list(Classification(train=str(path)).splits()["train"])


def test_frames_that_would_be_misread_are_refused():
    with pytest.raises(
        UserError, match="must not have two columns of the same name. Received: 'text' twice"
    ):
        _rows(pd.DataFrame([["a", "b"]], columns=["text"] * 2))
    with pytest.raises(UserError, match=r"pass one of the dict's, such as \['train'\]. Received"):
        _rows({"train": pd.DataFrame(ROWS)})


def _write(folder, content=b'{"text": "a"}\n', *, restart=False, error=None, keep=True):
    stems = data.STEMS
    with data_files.written(
        {"data": content}, folder, stems=stems, restart=restart, keep=keep
    ) as paths:
        if error:
            raise error
    return paths


def test_examples_of_a_run_are_not_replaced_unless_it_restarts(tmp_path):
    folder = tmp_path / "run"
    path = tmp_path / "run" / "data" / "train.jsonl"
    assert _write(folder) == {"data": str(path)}
    _write(folder)  # the same examples, to resume
    with pytest.raises(UserError, match="`data`: .* has other examples.*`restart`"):
        _write(folder, b'{"text": "b"}\n')
    _write(folder, b'{"text": "b"}\n', restart=True)
    assert path.read_bytes() == b'{"text": "b"}\n'


def test_examples_of_a_run_come_back_if_the_new_one_is_refused(tmp_path):
    old, new = (f'{{"text": "{letter}"}}\n'.encode() for letter in "ab")
    path = tmp_path / "data" / "train.jsonl"
    _write(tmp_path, old)
    (tmp_path / "run.cfg").write_text("old")
    for keep in (True, False):
        with pytest.raises(KeyError):
            _write(tmp_path, new, restart=True, error=KeyError(), keep=keep)
        assert path.read_bytes() == old
    with (
        pytest.raises(KeyError),
        data_files.written({"data": new}, tmp_path, stems=data.STEMS, restart=True),
    ):
        files.write_text(tmp_path / "run.cfg", "new")
        raise KeyError
    assert [one.read_bytes() for one in path.parent.iterdir()] == [new]


def test_examples_of_a_run_come_back_if_the_new_ones_are_not_written(tmp_path, monkeypatch):
    def interrupted(path, text):
        raise KeyboardInterrupt

    _write(tmp_path)
    (tmp_path / "run.cfg").write_text("old")
    monkeypatch.setattr(files, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path, b'{"text": "b"}\n', restart=True)
    found = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    assert found == {"train.jsonl": b'{"text": "a"}\n'}
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_examples_of_a_run_that_waits_for_the_new_one_to_begin_stay_as_long(tmp_path):
    """As if a pretraining was trained before the new run was refused."""
    path, contents = tmp_path / "data" / "train.jsonl", replaced.RUN_AND_PHASES
    _write(tmp_path)
    (tmp_path / "run.cfg").write_text("old")

    def refuse(letter: str, phase: str | None) -> None:
        content = f'{{"text": "{letter}"}}\n'.encode()
        written = data_files.written({"data": content}, tmp_path, stems=data.STEMS, restart=True)
        with pytest.raises(KeyError), written:
            replaced.set_aside(tmp_path, contents)
            if phase:
                files.write_text(tmp_path / phase / "run.cfg", "new")
            replaced.settle(tmp_path, contents)
            raise KeyError

    refuse("b", "pretrained")
    assert path.read_bytes() == b'{"text": "b"}\n'
    refuse("c", "pretrained")
    refuse("d", None)
    assert (tmp_path / "run.cfg").read_text() == "old"
    assert [one.read_bytes() for one in path.parent.iterdir()] == [b'{"text": "a"}\n']


def test_refused_run_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        _write(tmp_path / "name" / "run", error=KeyError())
    assert list(tmp_path.iterdir()) == []


def test_refused_evaluation_leaves_the_run_as_it_was(tmp_path):
    (tmp_path / "run.cfg").touch()
    with pytest.raises(KeyError):
        _write(tmp_path, error=KeyError(), keep=False)
    assert [path.name for path in tmp_path.iterdir()] == ["run.cfg"]
    _write(tmp_path)
    with pytest.raises(KeyError):
        _write(tmp_path, error=KeyError(), keep=False)
    assert (tmp_path / "data" / "train.jsonl").exists()


def test_interrupted_run_keeps_its_examples(tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(KeyboardInterrupt):
        _write(tmp_path / "run", error=KeyboardInterrupt())
    assert (tmp_path / "run" / "data" / "train.jsonl").exists()
