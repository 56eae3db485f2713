"""Steps of the text layer that the callers of an export of token ids must do themselves."""

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftkeras import catalog
from ftkeras.support import files
from ftkeras.text.from_folder import read_tokenizer
from ftkeras.text.layer import TextLayer
from ftkeras.text.redactions import Redaction, Rule
from ftkeras.text.truncations import Truncation
from ftkeras.text.truncations.windows import Windows

REDACTION = "redaction.json"
# How a caller gets the answer to a text from those to its windows, by `Problem.reads`. Where tokens
# of windows are predicted, there is none to a text.
_OF_WINDOWS = {
    "texts": "combines the windows' logits ({})",
    "words": "takes each word's tag from the window where it is farthest from a cut",
    "contexts": "takes the best span of all windows as the answer",
}


def message(text_layer: TextLayer, reads: str) -> str | None:
    """Return a note on the steps that an export of token ids leaves to its caller; None for none.

    Args:
        text_layer: of the run.
        reads: see `Problem.reads`.
    """
    truncation, notes = text_layer.truncation, []
    if isinstance(truncation, Windows) and reads in _OF_WINDOWS:
        combines = _OF_WINDOWS[reads].format(truncation.combine)
        notes.append(f"it reads a window; the caller cuts texts, and {combines}")
    if text_layer.redaction is not None:
        notes.append(f"it redacts nothing; the caller does, by the rules in {REDACTION}")
    return "; ".join(notes) or None


def rules(redaction: Redaction | None) -> list[dict[str, Any]]:
    """Return the rules of a redaction, JSON-serializable; see `ftkeras.text.redactions.Rule`."""
    return [] if redaction is None else [vars(rule) for rule in redaction.rules]


def write(folder: pathlib.Path, text_layer: TextLayer) -> None:
    """Write the rules that the caller applies, if there are any."""
    if text_layer.redaction is not None:
        files.write_json(folder / REDACTION, rules(text_layer.redaction))


def spec(truncation: Truncation) -> str:
    """Return the spec of a truncation, such as `head_tail(head=128)`."""
    name = type(truncation).__module__.rpartition(".")[2]
    return str(catalog.Spec(name, truncation.get_config()))


def settings(text_layer: TextLayer) -> dict[str, Any]:
    """Return the settings of a text layer for `restore`, as plain JSON."""
    return {
        "max_length": text_layer.max_length,
        "truncation": spec(text_layer.truncation),
        "segments": text_layer.segments,
        "redaction": rules(text_layer.redaction),
    }


@dataclass
class _Rules:
    """A redaction that was read from an export: only its rules are known."""

    rules: tuple[Rule, ...]

    def get_config(self) -> dict[str, Any]:
        return {"rules": rules(self)}


def restore(folder: pathlib.Path, settings: Mapping[str, Any]) -> TextLayer:
    """Return the text layer of an export's folder.

    Args:
        folder: has the files of the tokenizer.
        settings: what the function `settings` returned.

    Raises:
        UserError: a file is missing or damaged.
    """
    rules = tuple(Rule(**rule) for rule in settings["redaction"])
    return TextLayer(
        tokenizer=read_tokenizer(folder),
        truncation=catalog.build("truncation", settings["truncation"]),
        max_length=settings["max_length"],
        segments=settings["segments"],
        redaction=_Rules(rules) if rules else None,
    )
