"""Write the data of a run that comes before another one."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files, hashes


def write(
    home: pathlib.Path, name: str, rows: Sequence[Mapping[str, Any]], *, field: str, what: str
) -> bool:
    """Write JSON lines, unless they are there, and return whether they are new.

    Other lines are replaced if nothing was trained on them: what they were made for was refused.

    Args:
        home: the folder of the run that they are made for.
        name: of the file.
        rows: the lines.
        field: of the configuration that the error names.
        what: the lines of such a file, in its words, as a plural.

    Raises:
        UserError: if that run has begun with other lines.
    """
    path = home / layout.DATA / name
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    if path.exists() and (home / layout.SETTINGS).exists():
        raise UserError(
            f"`{field}`: {what} have changed since the phase in {home} began; name another folder, "
            "or start from scratch with `restart`."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, content)
    return True


def write_sources(config: Config, home: pathlib.Path, *, field: str) -> None:
    """Record digests of a run's data, unless they are there, for the run that comes before it.

    The data may change in between: the run would test on texts that were trained on.

    Args:
        config: of the run.
        home: the folder of the one before it.
        field: of the configuration that the error names.

    Raises:
        UserError: if the data were others when the one before it began.
    """
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    digests = {split: hashes.of_contents(paths) for split, paths in task.files().items()}
    rows = [{"split": split, "sha256": digest} for split, digest in digests.items()]
    write(home, layout.SOURCES, rows, field=field, what="the data")
