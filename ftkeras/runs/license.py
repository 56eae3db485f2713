"""Find out the license and the language of a pretrained checkpoint."""

import pathlib
import re
from dataclasses import dataclass

import yaml

# Families of checkpoints whose authors state one license for all of them.
_FAMILIES = {
    r"(google-bert/)?bert-(base|large)-.*|google/bert_.*": ("apache-2.0", "google-research/bert"),
    r"sentence-transformers/.*MiniLM.*": ("apache-2.0", "its model card"),
}
# What YAML has where nothing is stated.
_EMPTY = ("", "null", "~")


@dataclass(frozen=True)
class License:
    """A license, and who states it.

    Attributes:
        identifier: The license's identifier on the Hugging Face Hub, such as `apache-2.0`.
        source: Where it is stated.
    """

    identifier: str
    source: str


def find(checkpoint: str | None) -> License | None:
    """Return the license that a checkpoint's model card states, or the one of its family.

    Args:
        checkpoint: A folder or Hub id; None for random weights, which have none.
    """
    if checkpoint is None:
        return None
    stated = _card_metadata(checkpoint).get("license")
    if isinstance(stated, str) and stated not in _EMPTY:
        return License(stated.lower(), "its model card")
    known = (entry for names, entry in _FAMILIES.items() if re.fullmatch(names, checkpoint))
    return next((License(*entry) for entry in known), None)


def describe(checkpoint: str | None) -> str:
    """Return a checkpoint's license in words."""
    if checkpoint is None:
        return "none, as training started from random weights"
    known = find(checkpoint)
    if known is None:
        return "not known; see where the checkpoint comes from"
    return f"{known.identifier}, as {known.source} states"


def language(checkpoint: str | None) -> str | list[str] | None:
    """Return the language that a checkpoint's model card states, if it states one."""
    stated = _card_metadata(checkpoint).get("language") if checkpoint else None
    return stated if isinstance(stated, (str, list)) and stated not in _EMPTY else None


def _card_metadata(checkpoint: str) -> dict:
    """Return the YAML header of the README.md in a checkpoint's folder; empty if there is none."""
    card = pathlib.Path(checkpoint) / "README.md"
    if not card.is_file():
        return {}
    text = card.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
    header = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    try:
        # All scalars as texts: `no` is Norwegian, and a day may be none.
        content = yaml.load(header[1], yaml.BaseLoader) if header else None
    except yaml.YAMLError:
        return {}  # someone else's file; a header that can't be parsed states nothing
    return content if isinstance(content, dict) else {}
