"""The section about how to train the model again, and how to use and serve it."""

import hashlib
import json
import pathlib
import shlex
from typing import Any
from urllib.parse import quote

from ftkeras.config import flagfile
from ftkeras.errors import UserError
from ftkeras.figures.parts import Code, Column, Facts, Heading, Missing, Part, Section, Table
from ftkeras.pages.run_view import RunView
from ftkeras.runs import inputs, layout, signatures
from ftkeras.support import files

# Of the texts of the run, the shortest of some is the example.
LOOKED_AT, LONGEST_EXAMPLE = 200, 200


def section(view: RunView) -> Section:
    """Return the section about training again, using and serving."""
    facts = {**_versions(view), **_sizes(view)}
    words = flagfile.shortest_words("train", view.config)
    command = " ".join(words)
    lines = [" ".join(words[:2]), *words[2:]]
    parts: list[Part] = [
        Code(" \\\n    ".join(lines), "Train the same model again"),
        Facts(facts),
        *_use(view),
    ]
    return Section("Reproduce, use, serve", "reproduce", parts, {"command": command, **facts})


def _versions(view: RunView) -> dict[str, str]:
    versions = [f"{name} {version}" for name, version in view.metrics.get("versions", {}).items()]
    return {"Versions": ", ".join(versions) or "not recorded"}


def _sizes(view: RunView) -> dict[str, str]:
    weights = view.folder / layout.WEIGHTS
    sizes = {"Weights": f"{weights.stat().st_size / 1e6:,.1f} MB"} if weights.is_file() else {}
    return {**sizes, **_fingerprint(view)}


def _fingerprint(view: RunView) -> dict[str, str]:
    """Return a digest by which one can tell whether two runs have the same examples."""
    try:
        rows = [{"id": row["id"], **view.problem.truth(row)} for row in view.rows]
    except UserError:
        return {}
    texts = view.known_texts
    content, of = ([rows], "answers") if texts is None else ([rows, texts], "texts and answers")
    digest = hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8)
    return {f"Fingerprint of {view.split}": f"{digest.hexdigest()} (its {of})"}


def _use(view: RunView) -> list[Part]:
    """Return the exports, and how to call the newest SavedModel."""
    models = [path for path in view.exports if not path.exists() or _is_saved_model(path)]
    if not view.exports:
        export = shlex.join(["ftkeras", "export", f"--run_dir={view.folder}"])
        return [Missing("Use and serve", f"the run has no export; write one with: {export}")]
    parts: list[Part] = [_exports(view.exports)]
    if not models:
        return parts
    model, example = str(models[-1].parent), _example(view)
    return [
        *parts,
        Heading("Use it"),
        Code(_python(model, example), "Python"),
        Code(_curl(model, example), "Serve it, and ask it over HTTP"),
    ]


def _example(view: RunView) -> dict[str, str]:
    """Return a short text of the run, or a placeholder if its texts are not known."""
    texts = (view.known_texts or [])[:LOOKED_AT]
    shortest = min(texts, key=lambda text: sum(map(len, text.values())), default={})
    if shortest and sum(map(len, shortest.values())) <= LONGEST_EXAMPLE:
        return shortest
    has_pairs = bool(inputs.read(view.folder).get("pairs"))
    return {"text": "A text.", **({"pair": "Its second text."} if has_pairs else {})}


def _python(model: str, example: dict[str, str]) -> str:
    """Return three lines of Python that call an export."""
    given = ", ".join(f"[{text!r}]" for text in example.values())
    return f"import ftkeras\n\nmodel = ftkeras.load({model!r})\nprint(model.predict({given}))"


def _curl(model: str, example: dict[str, str]) -> str:
    """Return the commands that serve an export and send it a request."""
    instance: Any = example if len(example) > 1 else example["text"]
    body = shlex.quote(json.dumps({"instances": [instance]}, ensure_ascii=False))
    address = f"http://127.0.0.1:8501/v1/models/{quote(pathlib.Path(model).name)}:predict"
    serve = shlex.join(["ftkeras", "serve", f"--model={model}"])
    return f"pip install 'ftkeras[serve]'\n{serve} &\ncurl -d {body} {shlex.quote(address)}"


def _exports(paths: list[pathlib.Path]) -> Table:
    rows = []
    for path in paths:
        record = files.read_json(path / layout.EXPORT_RECORD)
        latency = record.get("latency_ms", {})
        size = record.get("bytes")
        rows.append(
            [
                str(path),
                record.get("dtype"),
                None if size is None else size / 1e6,
                latency.get("batch_1"),
                latency.get("batch_32"),
            ]
        )
    columns = [
        *("export", "data type"),
        Column("MB", "{:,.1f}"),
        Column("ms a text", "{:,.1f}", "the median on the machine that exported it"),
        Column("ms a batch of 32", "{:,.1f}"),
    ]
    return Table("exports", "Exports", columns, rows)


def _is_saved_model(path: pathlib.Path) -> bool:
    return (path / signatures.MODEL).is_file()
