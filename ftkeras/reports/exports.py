"""Exports as text."""

import pathlib


def line(path: pathlib.Path | str, message: str | None = None) -> str:
    """Return where an export is, and the exporter's message."""
    text = f"export  {path}"
    return f"{text}\n        {message}" if message else text


def started(spec: str) -> str:
    """Return a line about the work while an export is written, which may take a minute.

    Args:
        spec: the exporter's, such as `saved_model(dtype='float16')`.
    """
    return f"exporting {spec} and comparing its answers with the run's …"
