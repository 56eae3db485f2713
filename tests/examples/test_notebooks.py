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


SHOWS_A_RUN = """# %%
import ftkeras
words = ("charming", "dull", "moving", "silly", "superb", "weak")
texts = [f"The {thing} was {word}." for thing in ("film", "plot", "cast", "end") for word in words]
encoder = "bert(layers=1, hidden=16, heads=2, vocabulary='reviews')"
settings = {"epochs": 1, "learning_rate": 1e-3, "export": "none", "report": False}
run = ftkeras.train((texts, ["good", "bad"] * 12), encoder=encoder, max_length=16, **settings)
run
# %%
run.plot()
"""


@pytest.mark.process
def test_notebook_shows_progress_metrics_and_curves(tmp_path):
    for package in ("nbclient", "ipykernel", "ipywidgets"):
        pytest.importorskip(package, exc_type=ImportError)
    source = tmp_path / "source.py"
    source.write_text(SHOWS_A_RUN)
    training, curves = SCRIPT.execute(source).cells
    kinds = {kind for output in training.outputs for kind in output.get("data", ())}
    assert {"text/html", "application/vnd.jupyter.widget-view+json"} <= kinds
    assert "image/png" in curves.outputs[-1]["data"]


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
