"""Label Studio's exports: tasks with annotations, and JSON-MIN, a row for each annotation."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.data.tables.table import Row
from ftkeras.data.tagged.entities import LeftOut, Tagged
from ftkeras.data.tagged.spans import from_spans

NOT_ANNOTATED: LeftOut = ("task", "without annotation skipped")
# Results of these types are spans; others are choices, texts, ratings or relations.
_SPANS = ("labels", "hypertextlabels")


def are_annotations(value: Any) -> bool:
    """Return whether a value is a list of annotations of a task."""
    return isinstance(value, list | tuple) and all(
        isinstance(each, Mapping) and "result" in each for each in value
    )


def find_annotations(columns: Sequence[str], label: int, rows: Sequence[Row]) -> int | None:
    """Return the position of the column that only annotated rows of JSON-MIN fill.

    It is "annotation_id", as a row without entities has no spans either; or that of the spans if
    there is no other. None if the spans are not JSON-MIN's.
    """
    values = [row[label] for row in rows]
    spans = [span for value in values if isinstance(value, list | tuple) for span in value]
    if not any(isinstance(span, Mapping) and "labels" in span for span in spans):
        return None
    return columns.index("annotation_id") if "annotation_id" in columns else label


class Tasks:
    """Read the tasks of an export as JSON.

    Of several annotations of a task, the ground truth is read, or else the last one.

    Args:
        left_out: is filled with how often something was not read.
    """

    def __init__(self, left_out: Counter[LeftOut]):
        self._left_out = left_out
        self._fields: set[str] = set()

    def read(self, data: Any, annotations: Any) -> Tagged | None:
        """Return the text of a task with its entities; None if it was not annotated.

        Raises:
            ValueError: if it is no task, a span is wrong, or spans may be of another text.
        """
        results = self._results(annotations)
        if results is None:
            return None
        if not isinstance(data, Mapping):
            raise ValueError(f"the data of a task must be an object. Received: {str(data)[:60]!r}")
        name = _text_field(data)
        spans = [each.get("value") for each in results if self._is_read(each, data, name)]
        return from_spans(data[name], spans)

    def _results(self, annotations: Any) -> Sequence[Any] | None:
        annotations = annotations or []
        if not are_annotations(annotations):
            raise ValueError(
                "annotations must be a list of objects with 'result'. Received: "
                f"{str(annotations)[:60]!r}"
            )
        done = [each for each in annotations if not each.get("was_cancelled")]
        if not done:
            cancelled = ("task", "cancelled in Label Studio skipped")
            self._left_out[cancelled if annotations else NOT_ANNOTATED] += 1
            return None
        candidates = [each for each in done if each.get("ground_truth")] or done
        if len(candidates) > 1:
            self._left_out["task", "with several annotations, of which the last is read"] += 1
        results = candidates[-1]["result"] or []
        are_objects = isinstance(results, list | tuple) and all(
            isinstance(each, Mapping) for each in results
        )
        if not are_objects:
            raise ValueError(f"results must be a list of objects. Received: {str(results)[:60]!r}")
        return results

    def _is_read(self, result: Mapping[str, Any], data: Mapping[str, Any], name: str) -> bool:
        """Return whether a result is a span of the text that is read."""
        kind, field = result.get("type"), str(result.get("to_name"))
        if "labels" not in (result.get("value") or {}) and kind not in _SPANS:
            self._left_out["result", f"of type {kind} skipped"] += 1
            return False
        if field != name and isinstance(data.get(field), str):
            self._left_out["span", f"of the text {field!r} skipped"] += 1
            return False
        # Names of the labeling interface need not be those of the data.
        self._fields.add(field)
        if len(self._fields) > 1:
            names = ", ".join(map(repr, sorted(self._fields)))
            raise ValueError(
                f"it is not known which spans are of the text {name!r}, as their `to_name` differs "
                f"({names}); export the spans of one text"
            )
        return True


def _text_field(data: Mapping[str, Any]) -> str:
    """Return the name of a task's text: "text", or any if there is only one."""
    names = [name for name, value in data.items() if isinstance(value, str)]
    if "text" in data:
        return "text"
    if len(names) != 1:
        raise ValueError(
            f"one text of the task must be named 'text'. Received: {', '.join(map(repr, data))}"
        )
    return names[0]
