"""Steps of the text layer that the callers of an export of token ids must do themselves."""

import pathlib
from typing import Any

from ftkeras.support import files
from ftkeras.text.layer import TextLayer
from ftkeras.text.redactions import Redaction
from ftkeras.text.truncations.windows import Windows

REDACTION = "redaction.json"


def message(text_layer: TextLayer, *, cuts: bool = True) -> str | None:
    """Return what to say of an export that reads token ids; None if it leaves out nothing.

    Args:
        text_layer: of the run.
        cuts: whether answers to windows can be combined at all.
    """
    truncation, notes = text_layer.truncation, []
    if cuts and isinstance(truncation, Windows):
        notes.append(
            "it reads a window; the caller cuts texts, "
            f"and combines the windows' logits ({truncation.combine})"
        )
    if text_layer.redaction is not None:
        notes.append(f"it redacts nothing; the caller does, by the rules in {REDACTION}")
    return "; ".join(notes) or None


def rules(redaction: Redaction | None) -> list[dict[str, Any]]:
    """Return what is replaced by what, JSON-serializable; see `ftkeras.text.redactions.Rule`."""
    return [] if redaction is None else [vars(rule) for rule in redaction.rules]


def write(folder: pathlib.Path, text_layer: TextLayer) -> None:
    """Write the rules that the caller applies; remove those of an earlier export."""
    if text_layer.redaction is None:
        files.remove(folder / REDACTION)
    else:
        files.write_json(folder / REDACTION, rules(text_layer.redaction))
