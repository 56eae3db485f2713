import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest

from ftkeras.cli import flags
from ftkeras.processes import child_run
from ftkeras.runs import layout
from tests.running import QUICK

TINY = ["--train_examples=200", "--validation_examples=50", "--epochs=1", "--notest"]


@pytest.fixture
def config():
    return flags.parse([*QUICK, *TINY, "--export=none", "--cache_dir=none"]).config


@pytest.mark.process
def test_child_run_gives_metrics_and_keeps_its_log(config, tmp_path):
    outcome = child_run.train(config, tmp_path / "run")
    assert outcome.reason is None
    assert 0 < outcome.metrics["validation"]["accuracy"] <= 1
    assert "test" not in outcome.metrics
    assert not (tmp_path / "run" / "predictions.jsonl").exists()
    predicted = (tmp_path / "run" / "predictions_validation.jsonl").read_text().splitlines()
    assert len(predicted) == outcome.metrics["validation"]["examples"] == 50
    assert "evaluating" in (tmp_path / "run" / layout.LOG).read_text()


@pytest.mark.process
def test_failing_child_run_says_why_in_a_line(config, tmp_path):
    outcome = child_run.train(dataclasses.replace(config, encoder="nowhere/"), tmp_path / "run")
    assert outcome.metrics is None
    assert outcome.reason.startswith("--encoder=nowhere/")
    assert "\n" not in outcome.reason


@pytest.mark.process
def test_the_reason_of_a_failure_is_not_read_from_the_log(config, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", _breaking(tmp_path, "print('the last line'); 1 / 0"))
    outcome = child_run.train(config, tmp_path / "run")
    assert outcome.reason == "ZeroDivisionError: division by zero"
    record = json.loads((tmp_path / "run" / layout.FAILURE).read_text())
    assert record == {"reason": outcome.reason}
    assert "Traceback" in (tmp_path / "run" / layout.LOG).read_text()


@pytest.mark.process
def test_child_that_reports_nothing_is_told_by_its_code(config, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", _breaking(tmp_path, "import os; os._exit(3)"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / layout.FAILURE).write_text('{"reason": "of an earlier attempt"}')
    assert child_run.train(config, tmp_path / "run").reason == "ended with code 3"


@pytest.mark.process
def test_killed_child_run_is_told_from_a_failing_one(config, tmp_path, monkeypatch):
    kill = "import os; os.kill(os.getpid(), 9)"
    monkeypatch.setenv("PYTHONPATH", _breaking(tmp_path, kill))
    outcome = child_run.train(config, tmp_path / "run")
    assert outcome.reason == "killed by SIGKILL, perhaps because memory ran out"


def _breaking(folder: pathlib.Path, code: str) -> str:
    """Return a PYTHONPATH with which `train` runs this code instead of training."""
    hook = f"from ftkeras.verbs import train\ndef run(config):\n    {code}\ntrain.run = run\n"
    (folder / "broken").mkdir()
    lines = "import sys\nif 'ftkeras.main' in sys.orig_argv:\n" + textwrap.indent(hook, "    ")
    (folder / "broken" / "sitecustomize.py").write_text(lines)
    return f"{folder / 'broken'}:{os.environ.get('PYTHONPATH', '')}:{os.getcwd()}"


def test_child_run_is_halted_from_another_thread_and_has_its_own_environment(config, tmp_path):
    halt, log = threading.Event(), tmp_path / "run" / layout.LOG
    threading.Thread(target=_set_when_written, args=(halt, log), daemon=True).start()
    with pytest.raises(child_run.Halted):
        child_run.train(config, tmp_path / "run", environment={"PYTHONVERBOSE": "1"}, halt=halt)
    assert "import 'ftkeras" in log.read_text() or "import _frozen" in log.read_text()
    assert not psutil.Process().children()


def _set_when_written(halt: threading.Event, log: pathlib.Path) -> None:
    while not (log.exists() and log.stat().st_size):
        time.sleep(0.05)
    halt.set()


def test_child_ends_with_its_killed_parent(tmp_path):
    code = (
        "import pathlib, sys\n"
        "from ftkeras.cli import flags\n"
        "from ftkeras.processes import child_run\n"
        "child_run.train(flags.parse(sys.argv[2:]).config, pathlib.Path(sys.argv[1]))"
    )
    arguments = [*QUICK, "--epochs=50", "--export=none", "--cache_dir=none"]
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run"), *arguments])
    child = _first_child(parent.pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _, alive = psutil.wait_procs([child], timeout=60)
    assert not alive


def _first_child(pid: int) -> psutil.Process:
    while not (children := psutil.Process(pid).children()):
        time.sleep(0.05)
    return children[0]
