"""The short form of a task on your own files: `--data=reviews.csv` and what goes with it.

A run records the full form, `--task=classification(train='reviews.csv', …)`.
"""

import pathlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ftkeras import catalog
from ftkeras.config import flagfile, shared_flags
from ftkeras.config.fields import WithPaths, flag
from ftkeras.errors import UserError
from ftkeras.support.specs import Spec

DEFAULT_TASK = "imdb"

# Fields of a configuration that only the short form has, and the key of the task that each sets.
KEYS = {
    "data": "train",
    "test_data": "test",
    "validation_data": "validation",
    "text_column": "text",
    "pair_column": "pair",
    "label_column": "label",
    "label_names": "labels",
    "label_separator": "separator",
    "header": "header",
    "delimiter": "delimiter",
    "encoding": "encoding",
}


@dataclass(frozen=True, kw_only=True)
class OwnData(WithPaths):
    """The task, or your own files as one; whichever is given, `task` says it in the end."""

    data: tuple[str, ...] = flag(
        (),
        "Data",
        "Your own examples: a file, a folder or a pattern. CSV, TSV, JSON, Parquet, .xlsx, or one "
        "folder of texts per class. Columns and format are inferred and reported. Repeatable.",
        path=True,
    )
    test_data: tuple[str, ...] = flag(
        (), "Data", "Examples for testing. Default: a part of `data`, which is held out.", path=True
    )
    validation_data: tuple[str, ...] = flag(
        (),
        "Data",
        "Examples for validation. Default: a part of `data`, which is held out.",
        path=True,
    )
    text_column: str | None = flag(
        None,
        "Data",
        "Column of the text, by name, or by number from 0; title,body joins two columns.",
    )
    pair_column: str | None = flag(None, "Data", "Column of the second text of each pair.")
    label_column: str | None = flag(
        None,
        "Data",
        "Column of the label, or of a list of labels. stars,price predicts two numbers, or two "
        "labels if the columns hold 0 and 1.",
    )
    label_names: str | None = flag(
        None,
        "Data",
        "New names for labels, 1=World,2=Sports; or all labels in the order of their ids, neg,pos; "
        "or a .txt file with one label per line.",
    )
    label_separator: str | None = flag(
        None, "Data", "The character between several labels in a cell. Default: detected."
    )
    header: bool | None = shared_flags.header("Data")
    delimiter: str | None = shared_flags.delimiter("Data")
    encoding: str | None = flag(
        None,
        "Data",
        "Encoding of the files, such as cp1252. Default: UTF-8, or that of a byte order mark.",
    )
    task: str = flag(DEFAULT_TASK, "Data", "A dataset and its labels: {task}.")
    redact: str | None = flag(
        None,
        "Data",
        "Replace personal data in texts by placeholders, in training and in exports: {redact}, "
        "or none.",
    )

    def _use_own_data(self) -> None:
        """Write `data` and what goes with it as a task."""
        values = {name: getattr(self, name) for name in KEYS}
        if all(value in (None, ()) for value in values.values()):
            return
        if not _lacks_files(self.task):
            given = next(name for name, value in values.items() if value not in (None, ()))
            raise UserError(f"`{given}` can't be combined with task={self.task}; use one of them.")
        object.__setattr__(self, "task", task_spec(values, self.task))
        for name in values:
            object.__setattr__(self, name, type(self).__dataclass_fields__[name].default)


def _lacks_files(task: str) -> bool:
    """Return whether `data` can go with a task: similarity, but not similarity(train='a.csv')."""
    spec = catalog.parse("task", task)
    catalog.require("task", spec.name)
    takes_files = "train" in catalog.keys("task", spec.name) and "train" not in spec.arguments
    return task == DEFAULT_TASK or takes_files


def task_spec(values: Mapping[str, object], task: str = DEFAULT_TASK) -> str:
    """Return the task that the fields of the short form describe.

    Args:
        values: a value for each of `KEYS`; None or an empty tuple if it is not given.
        task: what to learn, without files; if it is the default, the data says what.

    Raises:
        UserError: if `data` is missing, a value can't be read, or `task` has it, too.

    >>> given = {"data": ("x.csv",), "text_column": "title,body", "label_names": "1=no,2=yes"}
    >>> task_spec({name: given.get(name) for name in KEYS})
    "classification(train='x.csv', text=('title', 'body'), labels={'1': 'no', '2': 'yes'})"
    >>> task_spec({name: ("x.csv",) if name == "data" else None for name in KEYS}, "similarity")
    "similarity(train='x.csv')"
    """
    given = {name: value for name, value in values.items() if value not in (None, ())}
    if "data" not in given:
        raise UserError(f"`{next(iter(given))}` needs `data`, the file to train on.")
    if "text_column" in given:
        given["text_column"] = _columns(given["text_column"])
    if "label_names" in given:
        given["label_names"] = _names(given["label_names"])
    for name in ("data", "test_data", "validation_data"):
        if name in given:
            given[name] = _single(given[name])
    arguments = {KEYS[name]: given[name] for name in KEYS if name in given}
    if task != DEFAULT_TASK:
        spec = catalog.parse("task", task)
        if twice := [name for name in given if KEYS[name] in spec.arguments]:
            raise UserError(f"`{twice[0]}` is also given in task={task}; give it once.")
        return str(Spec(spec.name, {**arguments, **spec.arguments}))
    # Only multi_label has a separator. The data may still turn out to pose another task.
    name = "multi_label" if "label_separator" in given else "classification"
    return str(Spec(name, arguments))


def evaluate_on(given: dict[str, object], present: Collection[str]) -> None:
    """Replace the task of a run by the files to evaluate it on, if any are given.

    Where the run's own data is, and how much of it was used, does not hold for them.

    Args:
        given: all values of a configuration, which are changed.
        present: the names of those that are not the run's.

    Raises:
        UserError: `task` and files are given.
    """
    own = [name for name in KEYS if name in present]
    if own and "task" in present:
        raise UserError(f"`{own[0]}` can't be combined with task={given['task']}; use one of them.")
    if own:
        given["task"] = DEFAULT_TASK
        if not given["data"]:
            given["data"], given["test_data"] = given["test_data"], ()
    if own or "task" in present:
        given |= {name: None for name in ("data_dir", "test_examples") if name not in present}


def evaluation_task(task: str, recorded: str, columns: Mapping[str, object]) -> str:
    """Return the task that evaluates a run on the files that `task` names, and reads nothing else.

    What `task` does not say about these files is as in training. How they are delimited and whether
    they have a header is as in training only if the suffix is the same.

    Args:
        task: names the files as `test`, or as `train` if there is no `test`.
        recorded: the task of the run.
        columns: the columns that the run read, "text", "pair" and "label"; and the "notation" of
            the answers, if there are several.

    Raises:
        UserError: if a task is no spec.

    >>> evaluation_task("classification(train='b.csv')", "classification(train='a.csv')",
    ...                 {"text": ["title", "body"], "pair": None, "label": "stars"})
    "classification(train='b.csv', text=('title', 'body'), label='stars')"
    """
    spec, before_spec = catalog.parse("task", task), catalog.parse("task", recorded)
    before = before_spec.arguments
    if "train" not in spec.arguments:
        return task
    given = {key: value for key, value in spec.arguments.items() if key not in _SPLITS}
    files = spec.arguments.get("test") or spec.arguments["train"]
    inherited = {key: value for key, value in columns.items() if key in _COLUMNS}
    if "text" in inherited:
        inherited["text"] = _single(_several(inherited["text"]))
    inherited |= {key: before[key] for key in _AS_BEFORE if key in before}
    if _suffix(files) == _suffix(before.get("train")):
        inherited |= {key: before[key] for key in ("header", "delimiter") if key in before}
    merged = {"train": files, **inherited, **given}
    # The short form can't say what the run's labels are.
    name = before_spec.name if "train" in before else spec.name
    return str(Spec(name, {k: v for k, v in merged.items() if v is not None}))


_SPLITS = ("train", "test", "validation")
_COLUMNS = ("text", "pair", "label", "notation")
# Keys that the task of an evaluation takes over from that of the run, if it has them.
_AS_BEFORE = (*_COLUMNS, "start", "labels", "separator", "scale", "threshold")


def _suffix(files: object) -> str:
    return pathlib.Path(str(_several(files)[0])).suffix


def columns(settings: pathlib.Path) -> dict[str, object]:
    """Return the columns that a recorded task names: "text" (a tuple) and "pair".

    Args:
        settings: a flagfile; if it can't be read, nothing is returned.
    """
    try:
        lines = flagfile.lines_of(settings)
    except OSError:
        return {}
    tasks = [line.removeprefix("--task=") for line in lines if line.startswith("--task=")]
    given = catalog.parse("task", tasks[-1]).arguments if tasks else {}
    text = given.get("text", ())
    return {"text": _several(text), "pair": given.get("pair")}


def _several(names: object) -> tuple:
    return tuple(names) if isinstance(names, tuple | list) else (names,)


def _single(names: object) -> object:
    return names[0] if isinstance(names, Sequence) and len(names) == 1 else names


def _columns(columns: object) -> object:
    if not isinstance(columns, str):
        return _single(columns)
    return _single(tuple(name.strip() for name in columns.split(",")))


def _names(text: object) -> object:
    """Return names by label if a text has any; else all labels: of a file, or what is given."""
    if not isinstance(text, str):
        return text
    if text.endswith(".txt"):
        return _lines(text)
    if "=" not in text:
        return text
    pairs = [pair.partition("=") for pair in text.split(",")]
    if wrong := [label for label, equals, name in pairs if not (label.strip() and name.strip())]:
        raise UserError(
            "`label_names` must read LABEL=NAME,LABEL=NAME, such as 1=World,2=Sports. Received: "
            f"{text!r}, where {wrong[0]!r} has no name."
        )
    named = {label.strip(): name.strip() for label, _, name in pairs}
    if len(named) < len(pairs):
        raise UserError(f"`label_names` names a label twice; name each once. Received: {text!r}.")
    return named


def _lines(name: str) -> tuple[str, ...]:
    """Return the labels in the lines of a file."""
    try:
        text = pathlib.Path(name).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(f"`label_names`: {name} can't be read: {error}") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())
