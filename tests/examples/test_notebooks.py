"""The notebooks run in a real Jupyter kernel, and show what their sources give."""

import importlib.util
import json
import pathlib

import pytest

HUB = "sentence-transformers/"
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def _script():
    spec = importlib.util.spec_from_file_location("execute", EXAMPLES / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
NAMES = [path.stem for path in SCRIPT.SOURCES]


def _sources(cells):
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]


@pytest.mark.parametrize("name", NAMES)
def test_notebook_is_that_of_its_source_and_has_output(name):
    cells = json.loads((EXAMPLES / f"{name}.ipynb").read_text())["cells"]
    source = (EXAMPLES / f"{name}.py").read_text()
    assert _sources(cells) == SCRIPT.cells(source), "python examples/execute.py"
    outputs = [
        output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]
    ]
    assert len(outputs) >= 3
    assert all(output["output_type"] != "error" for output in outputs)


@pytest.mark.process
@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs(name):
    pytest.importorskip("nbclient", exc_type=ImportError)
    pytest.importorskip("ipykernel", exc_type=ImportError)
    if HUB in (EXAMPLES / f"{name}.py").read_text():
        pytest.skip("downloads an encoder and data, and trains for minutes")
    executed = SCRIPT.execute(EXAMPLES / f"{name}.py")  # an error in a cell is raised
    last = [cell for cell in executed.cells if cell.cell_type == "code"][-1]
    assert last.outputs
