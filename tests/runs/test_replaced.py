"""`restart` replaces a run when the new one begins, and nothing else."""

import pathlib
import re
import shutil

import pytest
import tensorflow as tf

from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import LostWorker, UserError
from ftkeras.processes import child_run
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import folder, layout, replaced
from ftkeras.search import folder as search_folder
from ftkeras.verbs import crossvalidate, train, tune
from tests.search import searches

SMALL = {
    **{"task": "quickstart", "max_length": 16, "cache_dir": "none", "epochs": 1},
    **{"train_examples": 40, "validation_examples": 20, "test_examples": 20, "export": ("none",)},
    "encoder": "bert(layers=1, hidden=32, heads=2, positions=32, vocabulary='reviews')",
}
REFUSED = {**SMALL, "restart": True, "warmup": 500}  # which shows once the examples are counted
# Like a run with phases: what is in it does not matter.
OLD = dict.fromkeys(
    (
        *("run.cfg", "weights.safetensors", "metrics-later.json", "report/a.svg"),
        *("pretrained/run.cfg", "pairs/run.cfg", "rounds/0/run.cfg", "mine.txt"),
    ),
    "old",
)


def _written(home: pathlib.Path, contents=OLD) -> pathlib.Path:
    for name, text in contents.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


def _logs_taken(error: pytest.ExceptionInfo, home: pathlib.Path) -> list[str]:
    """Check that the message names a place with logs, remove them, and return the logs' texts."""
    found = re.search(r"\(.*see .*?([^ ]+)\)", str(error.value))
    assert found
    named = pathlib.Path(found[1])
    logs = [named] if named.is_file() else sorted(named.rglob(layout.LOG))
    texts = [path.read_text() for path in logs]
    shutil.rmtree(home / layout.REFUSED)
    return texts


def _contents(home: pathlib.Path) -> dict[str, str]:
    """Return the texts of all files but locks."""
    files = [
        path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock" != path.name
    ]
    return {str(path.relative_to(home)): path.read_text("utf-8", "replace") for path in files}


@pytest.mark.parametrize("error", [UserError, OSError, KeyboardInterrupt])
def test_run_stays_if_the_new_one_did_not_begin(tmp_path, error):
    with pytest.raises(error), folder.lock(_written(tmp_path), restart=True):
        assert not (tmp_path / "run.cfg").exists()
        _written(tmp_path, {"encoder/config.json": "new", "labels.json": "new"})
        raise error
    assert _contents(tmp_path) == OLD


def test_run_is_deleted_once_the_new_one_has_begun(tmp_path):
    new = {"run.cfg": "new"}
    with pytest.raises(OSError, match="disk"), folder.lock(_written(tmp_path), restart=True):
        _written(tmp_path, new)
        raise OSError("disk full")
    of_others = {name: OLD[name] for name in OLD if "/run.cfg" in name or name == "mine.txt"}
    assert _contents(tmp_path) == {**of_others, **new}


@pytest.mark.parametrize("stage", range(4))
def test_killed_process_loses_no_run(tmp_path, stage, monkeypatch):
    """Whatever was moved already is put back by the next command that is refused."""
    _written(tmp_path)
    rename, done = pathlib.Path.rename, []

    def killed(path, target):
        if len(done) == stage:
            raise SystemExit
        done.append(path)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "rename", killed)
        patch.setattr(replaced, "settle", lambda *of: None)
        with pytest.raises(SystemExit), folder.lock(tmp_path, restart=True):
            raise SystemExit
    with pytest.raises(UserError), folder.lock(tmp_path, restart=True):
        raise UserError
    assert _contents(tmp_path) == OLD


def test_run_comes_back_with_its_phases_if_a_restart_without_them_is_refused(tmp_path):
    with folder.restarting(_written(tmp_path), replaced.RUN_AND_PHASES):
        _written(tmp_path, {"pretrained/run.cfg": "new"})
    with pytest.raises(UserError), folder.lock(tmp_path, restart=True):
        raise UserError
    assert _contents(tmp_path) == OLD


def test_replaced_run_that_was_half_deleted_is_removed(tmp_path):
    """A search's folder is not locked like a run's, which removes all drafts."""
    _written(tmp_path, {"search.cfg": "new", ".replaced.1f.partial/trials/0000/run/run.cfg": "old"})
    with search_folder.lock(tmp_path, searches.config()):
        assert _contents(tmp_path) == {"search.cfg": "new"}


def test_cluster_that_is_started_again_does_not_find_the_old_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(LostWorker), folder.lock(_written(tmp_path), restart=True):
        raise LostWorker
    with folder.lock(tmp_path, restart=False):
        assert not (tmp_path / "run.cfg").exists()
        _written(tmp_path, {"run.cfg": "new"})
    assert not (tmp_path / layout.REPLACED).exists()


@pytest.mark.parametrize(
    "name", ["report/thesis.docx", "metrics-sales.json", "onnx/m.onnx", "encoder/run.cfg"]
)
def test_files_in_a_folder_without_a_run_are_not_replaced(tmp_path, name):
    own = {name: "mine", "notes.txt": "mine"}
    _written(tmp_path, own)
    holds = f"holds {name.partition('/')[0]} but no run.cfg"
    with pytest.raises(UserError, match=holds), folder.lock(tmp_path, restart=True):
        pass
    with pytest.raises(UserError, match=holds):
        folder.check_resumable(Config(restart=True), tmp_path)
    assert _contents(tmp_path) == own


def test_documents_beside_a_run_are_not_replaced(tmp_path):
    own = {"report-2024.docx": "mine", "repeat-1.txt": "mine"}
    with folder.lock(_written(tmp_path, {**own, "run.cfg": "old"}), restart=True):
        _written(tmp_path, {"run.cfg": "new"})
    assert _contents(tmp_path) == {**own, "run.cfg": "new"}


def test_run_that_failed_at_once_or_was_stopped_in_a_phase_may_be_replaced(tmp_path):
    _written(tmp_path, {"failure.json": "{}", "pretrained/.lock": "", "pretrained/run.cfg": ""})
    replaced.require_own(tmp_path, replaced.RUN_AND_PHASES)


def test_drafts_of_runs_in_folders_below_are_left_alone(tmp_path):
    kept = {"a/b/.lock": "", "a/b/.x.1.partial": "", "a/b/c/.x.1.partial": ""}
    _written(tmp_path, {**kept, ".x.1.partial": "", "checkpoints/.y.1.partial": ""})
    with folder.lock(tmp_path, restart=False):
        drafts = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob(".*.partial")}
    assert drafts == set(kept) - {"a/b/.lock"}


@pytest.mark.parametrize(
    "phase",
    [
        {},
        {"few_shot": "contrastive(pairs=1)"},
        {"self_training": "rounds"},
    ],
    ids=lambda phase: next(iter(phase), "none"),
)
@pytest.mark.matrix
def test_refused_training_leaves_the_run(tmp_path, caplog, phase):
    home, unlabelled = _written(tmp_path / "run"), tmp_path / "more.txt"
    unlabelled.write_text("A fine film.\nA dull film.\n")
    if "self_training" in phase:
        phase = {**phase, "unlabelled": (str(unlabelled),)}
    with pytest.raises(UserError):
        train.run(Config(**{**REFUSED, **phase}, run_dir=str(home)))
    assert _contents(home) == OLD
    assert "nothing was trained" in caplog.text


@pytest.mark.matrix
def test_run_that_is_refused_after_its_pretraining_loses_neither(tmp_path, caplog):
    """Its pretraining may have taken hours; the next command uses it, or replaces it."""
    run_dir, settings = _written(tmp_path / "run"), {**REFUSED, "pretrain_epochs": 1}
    old = {name: text for name, text in OLD.items() if name != "mine.txt"}
    with pytest.raises(UserError, match="warmup=500"):
        train.run(Config(**settings, run_dir=str(run_dir)))
    assert "until the run begins" in caplog.text
    assert _contents(run_dir / layout.REPLACED) == old
    trained = (run_dir / layout.PRETRAINED / layout.WEIGHTS).stat()
    with pytest.raises(UserError, match="warmup=400"):
        again = {**settings, "restart": False, "warmup": 400}
        train.run(Config(**again, run_dir=str(run_dir)))
    assert _contents(run_dir / layout.REPLACED) == old
    train.run(Config(**{**again, "warmup": 0}, run_dir=str(run_dir)))
    assert (run_dir / layout.PRETRAINED / layout.WEIGHTS).stat() == trained
    assert not (run_dir / layout.REPLACED).exists()
    assert (run_dir / layout.EXPORTS).exists()


def _refuse(config, run_dir, **options) -> Outcome:
    """Fail like a child process whose settings are refused."""
    _written(run_dir, {layout.LOG: "refused"})
    return Outcome(None, "refused", 1.0)


@pytest.mark.parametrize("pretrain_epochs", [None, 1])
def test_refused_cross_validation_leaves_the_folds(tmp_path, monkeypatch, caplog, pretrain_epochs):
    monkeypatch.setattr(child_run, "train", _refuse)
    old = {"crossvalidation.cfg": "old", "repeat-0/fold-0/run.cfg": "old", "plots/a.svg": "old"}
    old |= {"pretrained/run.cfg": "old", "repeat-1.txt": "mine"}
    old |= {"repeat-0/fold-0/log.txt": "old", "pretrained/log.txt": "old"}
    run = {**SMALL, "folds": 3, "run_dir": str(_written(tmp_path, old)), "restart": True}
    for _ in range(2):
        with pytest.raises(UserError, match="refused") as error:
            crossvalidate.run(CrossvalidateConfig(**run, pretrain_epochs=pretrain_epochs))
    assert f"the logs of what failed are in {tmp_path / layout.REFUSED}" in caplog.text
    assert _logs_taken(error, tmp_path) == ["refused"]
    assert _contents(tmp_path) == old
    (tmp_path / "crossvalidation.cfg").unlink()
    with pytest.raises(UserError, match=r"holds plots but no crossvalidation\.cfg"):
        crossvalidate.run(CrossvalidateConfig(**run))


def test_log_stays_if_another_fold_begins_while_it_is_stopped(tmp_path, monkeypatch):
    def train(config, run_dir, *, environment, halt):
        if config.fold == 0:
            return _refuse(config, run_dir)
        assert halt.wait(30)
        _written(run_dir, {layout.SETTINGS: "new"})
        raise child_run.Halted

    monkeypatch.setattr(child_run, "train", train)
    old = {"crossvalidation.cfg": "old", "repeat-0/fold-0/run.cfg": "old"}
    run = {**SMALL, "folds": 3, "run_dir": str(_written(tmp_path, old)), "restart": True}
    log = tmp_path / "repeat-0" / "fold-0" / layout.LOG
    with pytest.raises(UserError, match=rf"\(see {log}\)"):
        crossvalidate.run(CrossvalidateConfig(**run, parallel=2))
    assert log.read_text() == "refused"


@pytest.mark.matrix
def test_refused_search_leaves_the_trials(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
    monkeypatch.setattr(child_run, "train", _refuse)
    old = {"search.cfg": "old", "trials/0000/run/run.cfg": "old", "plots/a.svg": "old"}
    old |= {"trials/0000/run/log.txt": "old", "search.json": "old"}
    given = searches.config(search_dir=str(_written(tmp_path, old)), restart=True)
    with pytest.raises(UserError, match=r"`restart`\. The last one failed with: refused$") as error:
        tune.run(given)
    table = re.search("table +(.*)", caplog.text)
    assert table
    assert "refused" in pathlib.Path(table[1]).read_text()
    assert set(_logs_taken(error, tmp_path)) == {"refused"}
    assert _contents(tmp_path) == old
    (tmp_path / "search.cfg").unlink()
    with pytest.raises(UserError, match=r"holds plots but no search\.cfg"):
        tune.run(given)
