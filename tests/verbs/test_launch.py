"""Clusters of real processes, which run a few lines of Python or the whole program."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import psutil
import pytest
import tensorflow as tf

from ftkeras.cli import flags
from ftkeras.errors import UserError
from ftkeras.processes import cluster, supervisor
from ftkeras.search import crew
from ftkeras.verbs import launch, tune
from tests.running import QUICK, assert_metrics_agree, run_ftkeras, succeed

# A worker that knows its number, as NUMBER, and keeps what it heard in a file of that name.
WORKER = """
import json, os, pathlib, signal, sys, time
NUMBER = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
def heard(signal, frame):
    pathlib.Path(f"{NUMBER}.heard").write_text(str(signal))
    sys.exit(128 + signal)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, heard)
"""
SLEEPS = "pathlib.Path(f'{NUMBER}.ready').touch(); time.sleep(60)"


def attempt(code: str, *, restarts: int = 0) -> int:
    return cluster.run([sys.executable, "-c", WORKER + code], 2, restarts)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_workers_share_one_cluster(capfd):
    assert attempt("print(os.environ['TF_CONFIG']); print(os.environ['OMP_NUM_THREADS'])") == 0
    lines = capfd.readouterr().out.splitlines()
    tagged = [line.partition(" | ") for line in lines if "cluster" in line]
    assert sorted(name for name, _, _ in tagged) == ["worker 0", "worker 1"]
    configs = [json.loads(text) for _, _, text in sorted(tagged)]
    assert [config["task"]["index"] for config in configs] == [0, 1]
    addresses = configs[0]["cluster"]["worker"]
    assert configs[1]["cluster"]["worker"] == addresses
    assert len(set(addresses)) == 2


def test_error_lines_name_the_worker(capfd):
    attempt("print(f'from {NUMBER}', file=sys.stderr)")
    errors = capfd.readouterr().err.splitlines()
    assert sorted(errors) == ["worker 0 | from 0", "worker 1 | from 1"]


@pytest.mark.parametrize(
    ("end", "code"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), signal.SIGKILL)", 137)]
)
def test_all_workers_end_if_one_fails(folder, monkeypatch, end, code):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 3600)  # none is killed
    wait = "while not pathlib.Path('0.ready').exists(): time.sleep(0.01)"
    fails = f"\nif NUMBER:\n    {wait}\n    {end}\n{SLEEPS}"
    assert attempt(fails) == code
    assert (folder / "0.heard").read_text() == str(int(signal.SIGTERM))


def test_worker_that_ignores_sigterm_is_killed(monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.5)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path('0.ready').touch()"
    wait = "while not pathlib.Path('0.ready').exists(): time.sleep(0.01)"
    assert attempt(f"\nif NUMBER:\n    {wait}\n    sys.exit(3)\n{deaf}\ntime.sleep(60)") == 3


COUNTS = """
tries = pathlib.Path(f"{NUMBER}.tries")
tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
"""
# A worker that fails stops the others, perhaps before they have counted their try.
AFTER_THE_FIRST = """
first = pathlib.Path("0.tries")
while not first.exists() or len(first.read_text()) < len(tries.read_text()):
    time.sleep(0.01)
"""


def test_cluster_restarts_as_often_as_asked(folder, capfd):
    fails_twice = COUNTS + AFTER_THE_FIRST + "sys.exit(NUMBER == 1 and len(tries.read_text()) < 3)"
    assert attempt(fails_twice, restarts=3) == 0
    assert [(folder / f"{n}.tries").read_text() for n in range(2)] == ["xxx"] * 2
    assert "restart 2 of 3" in capfd.readouterr().out


def test_restart_starts_from_scratch_only_in_the_first_attempt(folder):
    given = "pathlib.Path(f'{NUMBER}.given').write_text(sys.argv[-1]); "
    command = [sys.executable, "-c", WORKER + COUNTS + given + "sys.exit(tries.read_text() == 'x')"]
    assert cluster.run([*command, "--restart"], 1, 1) == 0
    assert (folder / "0.given").read_text() == "--norestart"


@pytest.mark.parametrize(("code", "tries"), [(1, "xx"), (2, "x")])
def test_user_errors_are_not_retried(folder, code, tries):
    assert attempt(COUNTS + AFTER_THE_FIRST + f"sys.exit({code})", restarts=1) == code
    assert (folder / "0.tries").read_text() == tries


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_all_workers_for_good(folder, number):
    root = pathlib.Path(launch.__file__).parents[2]
    command = [sys.executable, "-c", WORKER + SLEEPS]
    code = f"raise SystemExit(cluster.run({command!r}, 2, 5))"
    program = f"from ftkeras.processes import cluster; {code}"
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(root)}
    )
    while not all((folder / f"{n}.ready").exists() for n in range(2)):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(60) == 128 + number
    assert [(folder / f"{n}.heard").read_text() for n in range(2)] == [str(int(number))] * 2


def test_flags_behind_the_dashes_are_those_of_train():
    config = flags.parse(["launch", "--workers=3", "--", "--task=quickstart"]).config
    assert (config.workers, config.verb, config.config.task) == (3, "train", "quickstart")
    *kept, folder = launch.with_run_dir(config.config, config.arguments)
    assert kept == ["--task=quickstart"]
    assert folder.startswith("--run_dir=runs/quickstart/")
    named = flags.parse(["launch", "--", "train", "--run_dir=r"]).config
    assert launch.with_run_dir(named.config, named.arguments) == ["train", "--run_dir=r"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs `--`"),
        (["--task=imdb"], "no flag --task"),
        (["--", "--no_such=1"], "no flag --no_such"),
        (["--", "--epochs=0"], "`epochs` must be at least 1"),
        (["--", "plot"], "launch starts train or tune. Received: plot"),
        (["--workers=0", "--", "train"], "`workers` must be at least 1"),
    ],
)
def test_wrong_settings_are_refused_before_anything_starts(arguments, message):
    with pytest.raises(UserError, match=message):
        flags.parse(["launch", *arguments])


def test_wrong_search_is_refused_before_anything_starts(folder, monkeypatch):
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
    own = ["tune", "--task=quickstart", "--oracle=grid", "--search=learning_rate=log(1e-5, 1e-4)"]
    for arguments, verb in ((["launch", "--", *own], launch), (own, tune)):
        config = flags.parse([*arguments, "--search_dir=s"]).config
        with pytest.raises(UserError, match="a grid needs choices, or intervals with a step"):
            verb.run(config)
        assert not list(folder.iterdir())
    unread = ("tune", "--data=no.csv", "--pretrain_epochs=1")
    pretraining = flags.parse(["launch", "--", *unread]).config
    with pytest.raises(UserError, match="pretrain_epochs=1: with several workers"):
        launch.run(pretraining)


def test_worker_that_missed_the_end_of_a_search_is_not_told_to_resume_it(folder, monkeypatch):
    monkeypatch.setattr(crew, "GRACE_SECONDS", 0.0)
    members = supervisor.Processes()
    worker = WORKER.replace('json.loads(os.environ["TF_CONFIG"])["task"]["index"]', "1")
    waits = "while not pathlib.Path('1.ready').exists(): time.sleep(0.01)"
    with members.supervise():
        members.start("worker-1", [sys.executable, "-c", worker + SLEEPS], os.environ)
        end = f"import pathlib, time\n{waits}"
        members.start(crew.CHIEF, [sys.executable, "-c", end], os.environ)
        late = members.running["worker-1"]
        assert crew._supervise(members, lambda name, *more: None, restarts=0) == 0
        members.stop()
    assert late.wait() == -signal.SIGKILL
    assert not (folder / "1.heard").exists()


# Two whole runs, the same but for the second worker's end.
RUN = [
    *QUICK,
    "--encoder=bert(layers=1, hidden=16, heads=2, positions=64, dropout=0.0, "
    "attention_dropout=0.0, vocabulary='reviews')",
    *("--epochs=2", "--head=classification(dropout=0.0)", "--checkpoint_every=5"),
]


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("launched")
    done = run_ftkeras("launch", "--", *RUN, "--run_dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.cluster
def test_launched_run_equals_a_single_process(launched, tmp_path):
    folder, _ = launched
    succeed(*RUN, "--run_dir=run", "--export=none", cwd=tmp_path)
    one, two = (json.loads((f / "run/metrics.json").read_text()) for f in (tmp_path, folder))
    for split in ("validation", "test"):
        # A short run's answers are nearly tied, so their order, and the area, hangs on rounding.
        assert two[split].pop("auc") == pytest.approx(one[split].pop("auc"), abs=0.01)
        assert_metrics_agree(two[split], one[split], rel=1e-4)
    assert two["data"] == one["data"]


@pytest.mark.cluster
def test_only_the_chief_writes_and_prints(launched):
    folder, done = launched
    assert "worker 0 | epoch 2/2" in done.stderr
    assert not [line for line in done.stdout.splitlines() if line.startswith("worker 1")]
    rows = list(csv.DictReader((folder / "run/history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [path.name for path in (folder / "saved_models/quickstart").iterdir()] == ["1"]
    assert {path.name for path in folder.iterdir()} == {"run", "saved_models"}


@pytest.mark.cluster
def test_export_of_the_chief_classifies_texts(launched):
    folder, _ = launched
    output = succeed("predict", "--model=saved_models/quickstart", "--text=Fine.", cwd=folder)
    assert output.split("\t")[0] in ("negative", "positive")


def _signalled_in_training(
    number: int, *flags: str, worker: int, restarts: int, cwd: pathlib.Path
) -> tuple[int, str]:
    """Signal a worker after its 20th update; return the exit code and output of `launch`."""
    command = [sys.executable, "-m", "ftkeras.main", "launch", f"--restarts={restarts}", "--"]
    process = subprocess.Popen(
        [*command, *RUN, *flags, "--run_dir=run", "--export=none"],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(cwd.glob("run/checkpoints/update-*20.*")):
        assert process.poll() is None
        time.sleep(0.02)
    workers = sorted(psutil.Process(process.pid).children(), key=lambda child: child.pid)
    workers[worker].send_signal(number)
    output, errors = process.communicate(timeout=200)
    return process.returncode, output + errors


@pytest.mark.cluster
@pytest.mark.parametrize("killed", [0, 1])
def test_cluster_with_a_killed_worker_ends_with_the_same_bits(launched, tmp_path, killed):
    folder, _ = launched
    code, output = _signalled_in_training(signal.SIGKILL, worker=killed, restarts=1, cwd=tmp_path)
    assert code == 0, output
    assert "launch   starting again" in output
    one, other = (f / "run/weights.safetensors" for f in (folder, tmp_path))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.cluster
def test_rounded_gradients_are_resumed_with_the_same_bits(launched, tmp_path):
    compressed = "--strategy=multi_worker(compress='bfloat16')"
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    flags = (*RUN, compressed, "--run_dir=run", "--export=none")
    assert run_ftkeras("launch", "--", *flags, cwd=tmp_path / "whole").returncode == 0
    code, output = _signalled_in_training(
        signal.SIGKILL, compressed, worker=1, restarts=1, cwd=tmp_path / "killed"
    )
    assert code == 0, output
    folders = (tmp_path / "whole", tmp_path / "killed", launched[0])
    whole, killed, exact = ((f / "run/weights.safetensors").read_bytes() for f in folders)
    assert whole == killed
    assert whole != exact


@pytest.mark.cluster
def test_workers_stop_together_if_one_is_signalled(tmp_path):
    code, output = _signalled_in_training(signal.SIGTERM, worker=1, restarts=0, cwd=tmp_path)
    assert code == 128 + signal.SIGTERM, output
    kept = [line.partition("It is kept after ")[2] for line in output.splitlines()]
    steps = [line.partition(";")[0] for line in kept if line]
    assert len(steps) == 2
    assert steps[0] == steps[1]
