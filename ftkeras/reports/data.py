"""Describe the data of a run: the file, the answers of each split, likely mistakes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ftkeras.data.task import Task
from ftkeras.experiment.windows import CUT

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
    if all("labels" in summary for summary in splits.values()):
        lines += _labels(task.labels, splits)
    if all("mean" in summary for summary in splits.values()):
        lines += _numbers(task.labels, splits)
    if all("entities" in summary for summary in splits.values()):
        lines += _entities(splits)
    lines += _windows(splits)
    return "\n".join([*lines, *_notes(task, splits, max_length)])


def redacted(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return a line about what placeholders replace in each split.

    >>> redacted({"train": {"email": 2, "ip": 0, "phone": 1}, "test": {"email": 0}})
    'redacted 2 email, 1 phone in train; nothing in test'
    """
    parts = []
    for split, by_kind in counts.items():
        shown = [f"{count:,} {kind}" for kind, count in by_kind.items() if count]
        parts.append(f"{', '.join(shown) or 'nothing'} in {split}")
    return f"redacted {'; '.join(parts)}"


def _windows(splits: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield into how many windows the texts of each split are cut."""
    for split, summary in splits.items():
        if "windows" in summary:
            windows, texts = summary["windows"], _size(summary)
            yield (
                f"windows {_number(texts, 'text')} of {split}: {_number(windows, 'window')}, "
                f"{windows / texts:.2f} a text, at most {summary['most_windows']:,}; "
                f"{summary['several_windows']:,} have more than one"
            )


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


def _numbers(names: Sequence[str], splits: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the mean, standard deviation and range of each number in each split."""
    for number, name in enumerate(names):
        for split, summary in splits.items():
            keys = ("mean", "sd", "lowest", "highest")
            mean, sd, lowest, highest = (summary[key][number] for key in keys)
            yield f"{name}: {mean:.4g} ± {sd:.4g} in {split}, from {lowest:g} to {highest:g}"


def _entities(splits: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield how many entities of each type each split has."""
    kinds = next(iter(splits.values()))["entities"]
    width = max(8, *(len(kind) + 2 for kind in kinds))
    yield "entity".ljust(width) + "".join(f"{split:>12}" for split in splits)
    for kind in kinds:
        counts = (f"{summary['entities'][kind]:>12,}" for summary in splits.values())
        yield kind.ljust(width) + "".join(counts)


def _notes(task: Task, splits: Mapping[str, Mapping[str, Any]], max_length: int) -> Iterator[str]:
    """Yield a line for each kind of problem, with the splits that have it."""
    yield from (f"warning: {warning}" for warning in task.warnings)
    for kind, key, meaning in _COUNTED:
        if by_split := {name: summary[key] for name, summary in splits.items() if summary.get(key)}:
            shown = ", ".join(f"{count:,} of {name}" for name, count in by_split.items())
            yield f"{kind}: {meaning}: {shown}"
    full = {name: summary["full_length"] / _size(summary) for name, summary in splits.items()}
    if long := [name for name, share in full.items() if share > MANY_CUT]:
        shown = ", ".join(
            f"{splits[name]['full_length']:,} of {_size(splits[name]):,} texts of {name} "
            f"({full[name]:.0%})"
            for name in long
        )
        more = "a larger max_length keeps more of them, truncation=windows reads all of each"
        if task.problem_class.reads not in CUT:
            more = "a larger max_length, or truncation=head_tail, keeps more of them"
        yield f"warning: {shown} fill {max_length} tokens, so most of them are cut; {more}"
    unknown = {name: summary["unknown_share"] for name, summary in splits.items()}
    if many := [
        f"{share:.0%} of {name}" for name, share in unknown.items() if share > MANY_UNKNOWN
    ]:
        yield (
            f"warning: {', '.join(many)} are tokens that the encoder's vocabulary does not have; "
            "use an encoder for this language"
        )
    for name, summary in splits.items():
        counts = zip(task.labels, summary.get("labels", []), strict=False)
        if missing := [label for label, count in counts if not count]:
            yield f"warning: {name} has no example of {', '.join(map(repr, missing[:5]))}"


# Problems that are counted: how serious each is, its key in the summary, and what is counted.
_COUNTED = (
    ("note", "empty", "texts without a token"),
    ("note", "duplicates", "texts that repeat an earlier one"),
    ("note", "unlabelled", "texts without a label"),
    ("warning", "contradictions", "texts with more than one answer"),
    (
        "warning",
        "within_words",
        "entities that begin or end within a word, which the model can't find",
    ),
)


def _size(summary: Mapping[str, Any]) -> int:
    return summary["examples"] if "examples" in summary else sum(summary["labels"])


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
