"""Write the data of a run that comes before another one."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras.errors import UserError
from ftkeras.support import files


def write(path: pathlib.Path, rows: Sequence[Mapping[str, Any]], *, field: str, what: str) -> None:
    """Write JSON lines, unless they are there.

    Args:
        path: of the file.
        rows: the lines.
        field: of the configuration that the error names.
        what: the lines, in its words.

    Raises:
        UserError: if the file has other lines.
    """
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.exists() and path.read_text(encoding="utf-8") != content:
        raise UserError(
            f"{field}: {path} has the {what} of other examples; name another `run_dir`, or start "
            "from scratch with `restart`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, content)
