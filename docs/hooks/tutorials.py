"""Show the notebooks of `examples/`, with their output, as pages."""

import html
import json
import pathlib
import re
from collections.abc import Iterator

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook."""
    for path in sorted((pathlib.Path(config.docs_dir).parent / "examples").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        content = "\n\n".join(_page(path.name, notebook["cells"]))
        files.append(File.generated(config, f"tutorials/{path.stem}.md", content=content))
    return files


def _page(name: str, cells: list[dict]) -> Iterator[str]:
    """Yield the paragraphs of a notebook's page."""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
        else:
            yield f"```python\n{source}\n```"
            for output in cell["outputs"]:
                yield from _output(output)
    yield f"This page is the notebook `examples/{name}`, which tests execute."


def _output(output: dict) -> Iterator[str]:
    data = output.get("data", {})
    if "image/png" in data:
        yield f"![Figure](data:image/png;base64,{''.join(data['image/png']).strip()})"
    elif "text/html" in data and "<table" in "".join(data["text/html"]):
        yield _table("".join(data["text/html"]))
    elif text := "".join(output.get("text", data.get("text/plain", ""))).rstrip():
        yield f'<pre class="output">{html.escape(text)}</pre>'


def _table(content: str) -> str:
    """Return an HTML table that looks like the site's own.

    It has no attributes, and its lines no indentation, which Markdown would take for code.
    """
    start, end = content.index("<table"), content.index("</table>") + len("</table>")
    table = re.sub(r"<table[^>]*>", "<table>", content[start:end])
    return "\n".join(line.strip() for line in table.splitlines() if line.strip())
