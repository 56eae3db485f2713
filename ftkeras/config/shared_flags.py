"""Flags that the configurations of several verbs have, and checks of their values."""

from typing import Any

from ftkeras.config.fields import flag
from ftkeras.errors import UserError

# The formats in which `predict` and `select` write a file, by their suffix.
OUTPUT_SUFFIXES = (".csv", ".jsonl", ".parquet")


def header(group: str) -> Any:
    """Return the flag for whether tables have a header."""
    return flag(None, group, "Whether the first row names the columns. Default: detected.")


def delimiter(group: str) -> Any:
    """Return the flag for the character between columns of tables."""
    return flag(None, group, "The character between columns. Default: detected.")


def encoding_of(file: str) -> Any:
    """Return the flag for the encoding of the file that another flag names."""
    return flag(None, "Input", f"Encoding of `{file}`, such as cp1252. Default: UTF-8.")


def pair_column() -> Any:
    """Return the flag for the column of the second text, in files without answers."""
    return flag(None, "Input", "Column of the second text. Default: as in training.")


def pair() -> Any:
    """Return the flag for second texts, one for each `text`."""
    return flag((), "Input", "The second text of each `text`, for a model of pairs. Repeatable.")


def debug(group: str = "Output") -> Any:
    """Return the flag for tracebacks."""
    return flag(False, group, "Show tracebacks and TensorFlow's own messages.")


def check_pair(config: Any) -> None:
    """Raise UserError unless `pair` has no text, or one for each `text`."""
    if config.pair and len(config.pair) != len(config.text):
        raise UserError(
            "`pair` must be given once for each `text`. Received: "
            f"{len(config.pair)} and {len(config.text)}."
        )


def check_output(config: Any) -> None:
    """Raise UserError if `output` is a file of another format than `OUTPUT_SUFFIXES`."""
    if config.output is not None and not config.output.lower().endswith(OUTPUT_SUFFIXES):
        *others, last = OUTPUT_SUFFIXES
        raise UserError(
            f"`output` must end in {', '.join(others)} or {last}. Received: {config.output!r}."
        )
