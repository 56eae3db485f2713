"""The texts of examples that a page shows, kept so that it can be written without the data."""

import json
import pathlib
from collections.abc import Mapping, Sequence

from ftkeras.figures.parts import Section, Table
from ftkeras.pages.run_view import RunView
from ftkeras.runs import layout
from ftkeras.support import files

# The first column of tables of single examples, which holds their ids.
EXAMPLE = "example"


def write(view: RunView, sections: Sequence[Section]) -> None:
    """Write report_texts.jsonl: the texts of the examples that tables of a page show.

    If the page has no texts because none are wanted, an earlier file is removed. If they can't be
    read any more, it stays.

    Args:
        view: the run, evaluated on its own data.
        sections: of its page.
    """
    path = view.folder / layout.REPORT_TEXTS
    if not view.with_texts:
        path.unlink(missing_ok=True)
        return
    if (texts := view.known_texts) is None:
        return
    shown = {row[0] for table in _tables(sections) for row in table.rows}
    rows = zip((str(row.get("id")) for row in view.rows), texts, strict=True)
    lines = [json.dumps({"id": at, **text}) for at, text in rows if at in shown]
    files.write_text(path, "".join(f"{line}\n" for line in lines))


def read(view: RunView) -> dict[str, dict[str, str]]:
    """Return the texts of examples that were kept, by their ids; none if none are wanted.

    Those are of report_texts.jsonl and of samples.jsonl, by which exports are verified.
    """
    if not view.with_texts or view.name is not None:
        return {}
    names = (layout.SAMPLES, layout.REPORT_TEXTS)
    rows = [row for name in names for row in _rows(view.folder / name)]
    return {
        row["id"]: {name: row[name] for name in ("text", "pair") if name in row} for row in rows
    }


def _tables(sections: Sequence[Section]) -> list[Table]:
    parts = [part for section in sections for part in section.parts]
    return [part for part in parts if isinstance(part, Table) and part.columns[0] == EXAMPLE]


def _rows(path: pathlib.Path) -> Sequence[Mapping[str, str]]:
    """Return the rows of a file; none if it is not there or damaged."""
    try:
        return files.read_json_lines(path)
    except (OSError, ValueError):
        return []
