"""Exports as text."""

import pathlib


def line(path: pathlib.Path | str, message: str | None = None) -> str:
    """Return where an export is, and the exporter's message."""
    text = f"export  {path}"
    return f"{text}\n        {message}" if message else text
