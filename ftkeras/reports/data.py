"""Describe the data of a run: the file, the labels of each split, likely mistakes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.data.task import Task

# Above these shares something is probably wrong with the vocabulary or `max_length`.
MANY_UNKNOWN, MANY_CUT = 0.05, 0.2
# More classes than this are not listed one by one.
MOST_CLASSES = 20


def text(task: Task, splits: Mapping[str, Mapping[str, Any]], max_length: int) -> str:
    """Return a block about the data of a run.

    Args:
        task: what was read.
        splits: a summary for each split, as `data.summary.summarize` returns it.
        max_length: tokens to which texts were cut.
    """
    lines = [f"data    {', '.join(task.notes)}"] if task.notes else []
    return "\n".join([*lines, *_labels(task.labels, splits), *_notes(task, splits, max_length)])


def _labels(names: Sequence[str], splits: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if len(names) > MOST_CLASSES:
        names = [*names[: MOST_CLASSES - 1], f"{len(names) - MOST_CLASSES + 1} more classes"]
    width = max(8, *(len(name) + 2 for name in names))
    yield "label".ljust(width) + "".join(f"{split:>12}" for split in splits)
    for number, name in enumerate(names):
        last = number == MOST_CLASSES - 1
        counts = [
            sum(summary["labels"][number:]) if last else summary["labels"][number]
            for summary in splits.values()
        ]
        yield name.ljust(width) + "".join(f"{count:>12,}" for count in counts)


def _notes(task: Task, splits: Mapping[str, Mapping[str, Any]], max_length: int) -> Iterator[str]:
    yield from (f"warning: {warning}" for warning in task.warnings)
    for split, summary in splits.items():
        count = sum(summary["labels"])
        if summary["empty"]:
            yield f"note: {split}: {_number(summary['empty'], 'text')} without a single token"
        if summary["duplicates"]:
            yield f"note: {split}: {_number(summary['duplicates'], 'text')} that occurred before"
        if summary["contradictions"]:
            texts = _number(summary["contradictions"], "text")
            yield f"warning: {split}: {texts} with more than one label"
        if (share := summary["full_length"] / count) > MANY_CUT:
            yield (
                f"warning: {split}: {summary['full_length']:,} of {count:,} texts ({share:.0%}) "
                f"fill {max_length} tokens, so most of them are cut; a larger max_length, or "
                "truncation=head_tail, keeps more of them"
            )
        if (share := summary["unknown_share"]) > MANY_UNKNOWN:
            yield (
                f"warning: {split}: {share:.0%} of the tokens are unknown to the encoder's "
                "vocabulary; use an encoder for this language"
            )
        if missing := [n for n, c in zip(task.labels, summary["labels"], strict=True) if not c]:
            yield f"warning: {split} has no example of {', '.join(map(repr, missing[:5]))}"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
