import contextvars
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from ftkeras.cli import flags
from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.experiment import run_length
from ftkeras.pages import cross_validation_page
from ftkeras.problems.classification import Classification
from ftkeras.processes import child_run, supervisor
from ftkeras.processes.child_run import Outcome
from ftkeras.reports import crossvalidation as report
from ftkeras.runs import crossvalidation, folder, layout
from ftkeras.statistics.significance import corrected_t
from ftkeras.support import files
from ftkeras.verbs import crossvalidate
from tests.running import QUICK, run_ftkeras, succeed

COUNT = 12


class Children:
    """Replace the child processes: a run is finished at once."""

    def __init__(self):
        self.started, self.environments, self.fails, self.at_once, self.most = [], [], {}, 0, 0
        self.lock = threading.Lock()

    def train(self, config: Config, run_dir: pathlib.Path, *, environment, halt) -> Outcome:
        with self.lock:
            self.started.append((config.fold_repeat, config.fold))
            self.environments.append(environment)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        halt.wait(0.02)
        with self.lock:
            self.at_once -= 1
        run_dir.mkdir(parents=True, exist_ok=True)
        files.write_text(run_dir / layout.SETTINGS, flagfile.render(config))
        if reason := self.fails.get((config.fold_repeat, config.fold)):
            return Outcome(None, reason, 1.0)
        return self._finish(config, run_dir)

    def _finish(self, config: Config, run_dir: pathlib.Path) -> Outcome:
        metrics = measured(config)
        files.write_json(run_dir / "metrics.json", metrics)
        files.write_json(run_dir / layout.LABELS, ["a", "b"])
        for home in (run_dir, run_dir / layout.ROUNDS / "0"):
            files.write_text(home / "weights.safetensors", "many")
        rows = range(config.fold, COUNT, config.folds)
        answer = {"label": "a", "predicted": "a", "probabilities": [0.75, 0.25]}
        lines = [json.dumps({"id": f"validation-{row}", **answer}) for row in rows]
        files.write_text(run_dir / layout.PREDICTIONS["validation"], "\n".join(lines) + "\n")
        files.write_json(run_dir / layout.EXPORTS, [])
        return Outcome(metrics, None, 1.0)


def measured(config: Config, **figures) -> dict:
    """Return the metrics of a fold, which depend on its number."""
    value = 0.8 + 0.01 * config.fold + 0.002 * config.fold_repeat
    names = ("accuracy", "loss", "precision", "recall", "f1", "auc")
    figures = dict.fromkeys(names, value) | {"examples": COUNT // config.folds} | figures
    held = COUNT // config.folds
    return {
        "validation": figures,
        "train": {"best_epoch": 1, "seconds": 2.0},
        "data": {"train": COUNT - held, "validation": held},
    }


@pytest.fixture
def children(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = Children()
    monkeypatch.setattr(child_run, "train", made.train)
    # Plots take seconds; tests/pages looks at the page.
    monkeypatch.setattr(cross_validation_page, "write", lambda home, *of: home / "page")
    return made


def _config(**settings) -> CrossvalidateConfig:
    run = {"task": "quickstart", "folds": 3, "run_dir": "cv"}
    return CrossvalidateConfig(**{**run, "learning_rate": 3e-5, "epochs": 3, **settings})


def _predicted() -> list[dict]:
    lines = (pathlib.Path("cv") / layout.OUT_OF_FOLD_PREDICTIONS).read_text().splitlines()
    return [json.loads(line) for line in lines]


def _result() -> dict:
    return json.loads((pathlib.Path("cv") / layout.CROSSVALIDATION_RESULT).read_text())


def test_each_fold_is_trained_once_without_test_or_export():
    folds = crossvalidation.fold_configs(_config(export=("saved_model",), restart=True), repeats=2)
    assert [(f.fold_repeat, f.fold) for f in folds] == [(r, k) for r in (0, 1) for k in (0, 1, 2)]
    for fold in folds:
        assert type(fold) is Config
        assert (fold.test, fold.exports, fold.keeps_state, fold.restart) == (
            False,
            (),
            False,
            False,
        )
        assert fold.folds == 3


def test_every_example_has_one_prediction_per_repeat(children):
    crossvalidate.run(_config(repeats=2))
    predicted = [(line["repeat"], line["id"]) for line in _predicted()]
    assert predicted == [(r, f"validation-{row}") for r in range(2) for row in range(COUNT)]
    assert all(line["fold"] == int(line["id"][11:]) % 3 for line in _predicted())


def test_summary_is_the_corrected_interval_over_folds(children, capsys):
    crossvalidate.run(_config(repeats=2))
    accuracies = [0.80, 0.81, 0.82, 0.802, 0.812, 0.822]
    expected = corrected_t(accuracies, test_share=0.5, limits=(0, 1))
    found = _result()["figures"]["accuracy"]
    assert found == pytest.approx({k: getattr(expected, k) for k in ("mean", "sd", "low", "high")})
    assert [row["accuracy"] for row in _result()["folds"]] == pytest.approx(accuracies)
    shown = capsys.readouterr().out
    assert f"95 % from{'':3}" in shown
    assert f"{expected.low:.4f}" in shown


def test_metric_that_a_fold_lacks_is_omitted():
    folds = crossvalidation.fold_configs(_config())
    metrics = [measured(fold, auc=None if fold.fold == 1 else 0.9) for fold in folds]
    result = crossvalidation.summary(folds, metrics, Classification.measures)
    assert result["figures"]["auc"] is None
    assert re.search(r"^mean .* -$", report.table(result, Classification), re.MULTILINE)


def test_finished_folds_are_not_trained_again(children):
    children.fails = {(0, 1): "out of luck"}
    with pytest.raises(UserError, match=r"cv/repeat-0/fold-1 failed: out of luck"):
        crossvalidate.run(_config())
    assert children.started == [(0, 0), (0, 1)]
    children.fails = {}
    crossvalidate.run(_config())
    assert children.started[2:] == [(0, 1), (0, 2)]
    assert len(_predicted()) == COUNT
    children.started.clear()
    crossvalidate.run(_config(repeats=2))
    assert children.started == [(1, 0), (1, 1), (1, 2)]


def test_weights_are_deleted_unless_asked_for(children):
    crossvalidate.run(_config())
    assert not list(pathlib.Path("cv").rglob("*.safetensors"))
    crossvalidate.run(_config(restart=True, keep_weights=True))
    assert len(list(pathlib.Path("cv").rglob("*.safetensors"))) == 3 * 2


def test_weights_that_are_asked_for_too_late_are_reported(children, caplog):
    crossvalidate.run(_config())
    with caplog.at_level("INFO"):
        crossvalidate.run(_config(keep_weights=True))
    assert "`keep_weights` comes too late for 3 of 3 folds" in caplog.text


def test_folds_that_were_not_pretrained_are_refused_before_the_pretraining(children):
    crossvalidate.run(_config())
    with pytest.raises(UserError, match=r"pretrain_epochs=1: what cv holds was not pretrained"):
        crossvalidate.run(_config(pretrain_epochs=1))
    assert not (pathlib.Path("cv") / layout.PRETRAINED).exists()


def test_a_run_is_refused_in_the_folder_of_a_cross_validation(children):
    crossvalidate.run(_config())
    with pytest.raises(UserError, match=r"cv holds crossvalidation.cfg but no run.cfg"):
        folder.check_resumable(Config(), pathlib.Path("cv"))


def test_restart_clears_no_folder_that_another_process_uses(children):
    crossvalidate.run(_config())
    before = sorted(pathlib.Path("cv").rglob("*"))
    refused = pytest.raises(UserError, match="run_dir=cv is in use by another process")
    with folder.lock(pathlib.Path("cv"), restart=False), refused:
        # A process of its own does not know what this one has locked.
        contextvars.Context().run(crossvalidate.run, _config(restart=True))
    assert sorted(pathlib.Path("cv").rglob("*")) == before


def test_folds_train_for_the_same_number_of_epochs(children):
    config = _config(epochs="auto", learning_rate="auto", train_examples=360, folds=3)
    crossvalidate.run(config)
    runs = [flagfile.read(path, Config) for path in pathlib.Path("cv").rglob(layout.SETTINGS)]
    assert {run.epochs for run in runs} == {8}  # 240 examples are 15 updates, and 120 are wanted
    crossvalidate.run(config)
    assert len(children.started) == 3


@pytest.mark.matrix
def test_more_examples_than_there_are_do_not_shorten_training(children):
    for examples in (None, 10**6):
        config = _config(epochs="auto", learning_rate="auto", train_examples=examples)
        crossvalidate.run(dataclasses.replace(config, restart=True))
    recorded = [flagfile.read(path, Config) for path in pathlib.Path("cv").rglob(layout.SETTINGS)]
    whole = run_length.settle_epochs(crossvalidation.fold_configs(_config(epochs="auto"))[0])
    assert {run.epochs for run in recorded} == {whole.epochs}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"learning_rate": 1.0}, r"`learning_rate`=1.0 \(there 3e-05\)"),
        ({"folds": 4}, r"`folds`=4 \(there 3\)"),
        ({"group_by": "none"}, "`group_by`=none"),
    ],
)
def test_other_settings_are_refused_naming_them(children, settings, named):
    crossvalidate.run(_config())
    with pytest.raises(UserError, match=f"cv/repeat-0/fold-0.*{named}"):
        crossvalidate.run(_config(**settings))
    crossvalidate.run(_config(**settings, restart=True))
    assert len(_predicted()) == COUNT


def test_parallel_folds_share_the_machine(children, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    crossvalidate.run(_config(parallel=3, repeats=2))
    assert children.most == 3
    assert len(_predicted()) == 2 * COUNT
    assert {e["TF_NUM_INTRAOP_THREADS"] for e in children.environments} == {"2"}


def test_each_parallel_fold_has_a_gpu_of_its_own(monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    assert supervisor.resource_shares(2) == [{"CUDA_VISIBLE_DEVICES": n} for n in ("4", "7")]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert [e["CUDA_VISIBLE_DEVICES"] for e in supervisor.resource_shares(3)] == ["0", "1", "0"]
    assert {e["TF_FORCE_GPU_ALLOW_GROWTH"] for e in supervisor.resource_shares(3)} == {"true"}


def test_failing_fold_stops_the_others(children, monkeypatch):
    halted = []

    def train(config, run_dir, *, environment, halt):
        if config.fold == 0:
            return Outcome(None, "no luck", 1.0)
        halted.append(halt.wait(30))
        raise child_run.Halted

    monkeypatch.setattr(child_run, "train", train)
    with pytest.raises(UserError, match="fold-0 failed: no luck"):
        crossvalidate.run(_config(parallel=2))
    assert halted == [True]


def test_sigterm_says_how_to_resume(children, monkeypatch):
    def train(config, run_dir, *, environment, halt):
        os.kill(os.getpid(), signal.SIGTERM)
        assert halt.wait(30)
        raise child_run.Halted

    monkeypatch.setattr(child_run, "train", train)
    with pytest.raises(Stopped, match="repeat the command with run_dir=cv") as stopped:
        crossvalidate.run(_config())
    assert stopped.value.signal == signal.SIGTERM


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fold": 1}, "crossvalidate does not take `fold`: it runs all folds; use train"),
        ({"fold_repeat": 1}, "crossvalidate does not take `fold_repeat`"),
        ({"parallel": 0}, "`parallel` must be at least 1"),
        ({"repeats": 0}, "`repeats` must be at least 1"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        _config(**settings)


def test_recorded_settings_repeat_the_cross_validation(children):
    config = _config(repeats=2, policy=("layerwise(decay=0.9)",))
    crossvalidate.run(config)
    again = flags.parse(["crossvalidate", "--flagfile=cv/crossvalidation.cfg", "--run_dir=cv"])
    assert again.config == dataclasses.replace(config, batch_size=16)


SMALL = [
    *QUICK,
    "--encoder=bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')",
    *("--train_examples=80", "--epochs=2", "--batch_size=10", "--folds=2", "--cache_dir=cache"),
]


@pytest.mark.cluster
def test_folds_are_runs_in_processes_of_their_own(tmp_path):
    command = ["crossvalidate", *SMALL, "--run_dir=cv"]
    said = succeed(*command, cwd=tmp_path)
    assert "repeat-0/fold-1: accuracy" in said
    lines = (tmp_path / "cv" / layout.OUT_OF_FOLD_PREDICTIONS).read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 80
    again = succeed(*command, cwd=tmp_path, run=run_ftkeras)
    assert again.count("finished before") == 2


@pytest.mark.cluster
def test_killed_fold_ends_like_one_that_was_not_killed(tmp_path):
    arguments = [*SMALL, "--checkpoint_every=1"]
    _kill_in_second_fold(arguments, tmp_path)
    first, second = (tmp_path / "cut" / "repeat-0" / f"fold-{fold}" for fold in (0, 1))
    trained_at = (first / "metrics.json").stat().st_mtime_ns
    done = run_ftkeras("crossvalidate", *arguments, "--run_dir=cut", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "repeat-0/fold-0: accuracy" in done.stdout
    assert "finished before" in done.stdout
    assert (first / "metrics.json").stat().st_mtime_ns == trained_at
    assert "resuming at step" in (second / layout.LOG).read_text()
    lines = (tmp_path / "cut" / layout.OUT_OF_FOLD_PREDICTIONS).read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == 80
    one = [*arguments, "--fold=1", "--notest", "--export=none", "--run_dir=whole"]
    succeed("train", *one, cwd=tmp_path)
    for name in (layout.PREDICTIONS["validation"], "encoder/config.json"):
        assert (second / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def _kill_in_second_fold(arguments: list[str], folder: pathlib.Path) -> None:
    """Send SIGKILL as soon as the second fold has a checkpoint."""
    command = [sys.executable, "-m", "ftkeras.main", "crossvalidate", *arguments, "--run_dir=cut"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    checkpoints = folder / "cut" / "repeat-0" / "fold-1" / "checkpoints"
    while not list(checkpoints.glob("update-*.safetensors")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    time.sleep(1)  # the child ends when it sees that we are gone
