"""Exports of Label Studio and Prodigy: what their users have decided, and where spans are."""

import json
import pathlib

import pytest

from ftkeras.data.tables.reading import Options
from ftkeras.data.tagged.reading import open_tagged
from ftkeras.data.tagged.spans import from_spans
from ftkeras.errors import UserError

TEXT = "Anna lives in Oslo."
ANNA = [("PER", 0, 4)]


def _span(label="PER", **changed):
    return {"start": 0, "end": 4, "text": "Anna", "labels": [label], **changed}


def _result(label="PER", **changed):
    return {"type": "labels", "to_name": "words", "value": _span(label), **changed}


def _task(*annotations, **data):
    return {"data": {"text": TEXT, **data}, "annotations": list(annotations)}


def _done(*results, **changed):
    return {"result": list(results), **changed}


def _read(folder: pathlib.Path, *rows):
    """Return the entities of each text that is read, and what was left out."""
    path = folder / "export.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    options = {"text": None, "label": None, "tags": {}, "options": Options()}
    file = open_tagged(path.name, folder, **options)
    return [row.entities for _, row in file.rows()], tuple(file.skipped)


def test_only_rows_accepted_in_prodigy_are_read(tmp_path):
    row = {"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "PER"}]}
    rejected, ignored = row | {"answer": "reject"}, {"text": TEXT, "answer": "ignore"}
    rows = [row | {"answer": "accept"}, rejected, rejected, ignored, row]
    skipped = ("2 rows rejected in Prodigy skipped", "1 row ignored in Prodigy skipped")
    assert _read(tmp_path, *rows) == ([ANNA, ANNA], skipped)
    rows = [row | {"answer": "accept"}] * 200 + [row | {"answer": "no"}]
    with pytest.raises(UserError, match="line 201 of .*`answer` must be accept.* Received: 'no'"):
        _read(tmp_path, *rows)


def test_other_answers_are_not_prodigys(tmp_path):
    row = {"text": TEXT, "spans": [[0, 4, "PER"]]}
    rows = [row | {"answer": "reject"}, row | {"answer": "yes"}]
    assert _read(tmp_path, *rows) == ([ANNA, ANNA], ())


def test_tasks_that_nobody_has_annotated_are_left_out(tmp_path):
    cancelled = _done(_result(), was_cancelled=True)
    missing = {"data": {"text": TEXT}}
    rows = [_task(_done(_result())), _task(_done()), _task(cancelled), _task(), missing]
    skipped = ("1 task cancelled in Label Studio skipped", "2 tasks without annotation skipped")
    assert _read(tmp_path, *rows) == ([ANNA, []], skipped)


def test_rows_of_json_min_that_nobody_has_annotated_are_left_out(tmp_path):
    annotated, empty = {"text": TEXT, "label": [_span()]}, {"text": TEXT}
    skipped = ("1 task without annotation skipped",)
    assert _read(tmp_path, annotated, empty) == ([ANNA], skipped)
    rows = [annotated | {"annotation_id": 1}, empty | {"annotation_id": 2}, empty, annotated]
    assert _read(tmp_path, *rows) == ([ANNA, [], ANNA], skipped)


def test_ground_truth_or_else_the_last_annotation_is_read(tmp_path):
    truth, others = _done(_result("TRUE"), ground_truth=True), [_done(_result("X")), _done()]
    last = ("1 task with several annotations, of which the last is read",)
    assert _read(tmp_path, _task(truth, *others)) == ([[("TRUE", 0, 4)]], ())
    assert _read(tmp_path, _task(*others, _done(_result()))) == ([ANNA], last)


def test_results_other_than_labeled_spans_are_counted(tmp_path):
    choice = {"type": "choices", "value": {"start": 0, "end": 4, "choices": ["x"]}}
    note = {"type": "textarea", "value": {"start": 0, "end": 4, "text": ["x"]}}
    skipped = ("2 results of type choices skipped", "1 result of type textarea skipped")
    assert _read(tmp_path, _task(_done(_result(), choice, choice, note))) == ([ANNA], skipped)
    without = {"type": "labels", "value": {"start": 0, "end": 4}}
    with pytest.raises(UserError, match="line 1 of .* the span 0 to 4 has no label"):
        _read(tmp_path, _task(_done(without)))


def test_spans_of_another_text_of_the_task_are_left_out(tmp_path):
    results = [_result(to_name="text"), _result(to_name="title")]
    found = _read(tmp_path, _task(_done(*results), title="Anna"))
    assert found == ([ANNA], ("1 span of the text 'title' skipped",))
    tasks = [_task(_done(_result(to_name=name)), title="Anna") for name in ("t2", "t1")]
    with pytest.raises(UserError, match=r"line 2 of .* 'text', .*`to_name` differs \('t1', 't2'\)"):
        _read(tmp_path, *tasks)
    with pytest.raises(UserError, match="must be named 'text'. Received: 'a', 'b'"):
        _read(tmp_path, {"data": {"a": "x", "b": "y"}, "annotations": [_done(_result())]})


@pytest.mark.parametrize(
    ("text", "start", "end", "recorded", "place"),
    [
        ("🌙 Anna 🌙", 3, 7, "Anna", (2, 6)),  # UTF-16 units
        ("🌙 Anna Anna", 3, 7, "Anna", (2, 6)),
        ("x 🌙", 2, 4, "🌙", (2, 3)),
        ("in Anna's", 0, 4, "Anna", (3, 7)),
        ("in New\nYork", 0, 4, "New\\nYork", (3, 11)),
    ],
)
def test_span_is_moved_to_its_text(text, start, end, recorded, place):
    found = from_spans(text, [_span(start=start, end=end, text=recorded)])
    assert (found.entities, found.moved) == ([("PER", *place)], 1)


@pytest.mark.parametrize(
    ("text", "end", "recorded"),
    [
        ("🌙 Anna", 6, "🌙 Anna"),
        ("New\nYork", 8, "New\\nYork"),
        ("C:\\new", 6, "C:\\new"),
        ("Anna", 4, " "),
    ],
)
def test_span_with_its_text_stays(text, end, recorded):
    found = from_spans(text, [_span(end=end, text=recorded)])
    assert (found.entities, found.moved) == ([("PER", 0, end)], 0)


def test_keys_that_arrow_fills_in_are_no_labels():
    spans = [_span() | {"labels": None, key: "PER"} for key in ("label", "type")]
    assert all(from_spans(TEXT, [span]).entities == [("PER", 0, 4)] for span in spans)


@pytest.mark.parametrize("results", [["a"], {"a": 1}, "a"])
def test_results_that_are_no_objects_are_refused(tmp_path, results):
    message = "line 2 of .*: results must be a list of objects. Received: "
    with pytest.raises(UserError, match=message):
        _read(tmp_path, _task(_done(_result())), _task({"result": results}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"start": 5, "end": 10}, "'lives', but its text was recorded as 'Anna', which occurs sev"),
        ({"text": "Anne"}, "'Anna', but its text was recorded as 'Anne', which does not occur in"),
        ({"labels": ["A", "B"]}, "the span 0 to 4 has several labels, 'A', 'B'; one is needed"),
        ({"labels": [], "type": "Labels"}, "the span 0 to 4 has no label"),
    ],
)
def test_wrong_span_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        from_spans("Anna lives with Anna", [_span(**changed)])
