"""Write the notebooks from their sources, with the output of a real kernel.

    pip install nbclient ipykernel && python examples/execute.py [NAME …]

A source is a Python file whose cells start with `# %%`, or with `# %% [markdown]` for text in
comments. Only sources are edited. Each notebook runs in an empty folder of its own.
"""

import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = sorted(path for path in HERE.glob("*.py") if path.name != "execute.py")
SECONDS = 3600  # at most, for a cell
MARKER = "# %%"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def cells(source: str) -> list[tuple[str, str]]:
    """Return the kind of each cell, markdown or code, and its content."""
    found = []
    for cell in source.split(MARKER)[1:]:
        title, _, content = cell.partition("\n")
        if title.strip() == "[markdown]":
            lines = [
                line.removeprefix("#").removeprefix(" ") for line in content.strip().split("\n")
            ]
            found.append(("markdown", "\n".join(lines)))
        else:
            found.append(("code", content.strip()))
    return found


def execute(path: pathlib.Path):
    """Return the notebook of a source, executed in a kernel."""
    import nbclient
    import nbformat

    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    for number, (kind, content) in enumerate(cells(path.read_text(encoding="utf-8"))):
        make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
        notebook.cells.append(make(content, id=f"cell-{number}"))
    environment = {
        "PYTHONPATH": str(HERE.parent),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",  # they name paths of this machine
    }
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook, timeout=SECONDS, resources={"metadata": {"path": folder}}
        )
        client.execute(env={**os.environ, **environment})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
    return notebook


def main(names: list[str]) -> None:
    """Execute the named notebooks, or all."""
    import nbformat

    for path in SOURCES:
        if not names or path.stem in names:
            nbformat.write(execute(path), path.with_suffix(".ipynb"))
            print(path.with_suffix(".ipynb").name)


if __name__ == "__main__":
    main(sys.argv[1:])
