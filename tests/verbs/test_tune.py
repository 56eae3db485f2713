"""Searches as a user runs them, also killed and resumed."""

import contextlib
import io
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
import tensorflow as tf

from ftkeras.cli import flags
from ftkeras.cli.output import show_messages
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError
from ftkeras.pages import search_page
from ftkeras.processes import child_run
from ftkeras.runs import layout
from ftkeras.search import session, setup
from ftkeras.search.results import Result
from ftkeras.verbs import tune
from ftkeras.workflows import searching
from tests.running import QUICK
from tests.search import searches

TINY = ["--train_examples=400", "--validation_examples=100", "--test_examples=60", "--epochs=1"]
# The second trial freezes more layers than there are, and fails.
SEARCH = [
    *QUICK,
    *TINY,
    "--encoder=bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')",
    "--search=learning_rate=choice(3e-3, 3e-4)",
    "--search=policy=choice(full, freeze(layers=9))",
    "--oracle=grid",
    "--search_dir=s",
    "--checkpoint_every=2",
]


def _tune(*arguments, cwd) -> str:
    """Run a search in this process, except its trials; return its output."""
    output = io.StringIO()
    show_messages()  # the fixture of a module is set up before that of a test
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.chdir(cwd)
        # Too late in a process that has used a GPU already.
        patch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
        tune.run(flags.parse(["tune", *SEARCH, "--cache_dir=cache", *arguments]).config)
    return output.getvalue()


def _trials(home: pathlib.Path) -> list[dict]:
    told = json.loads((home / "s" / layout.TABLE).read_text())
    return [{**row, "seconds": None} for row in told["trials"]]


def _trials_of(searched, count: int) -> list[dict]:
    """Return the first trials of the search that was not interrupted."""
    return [row for row in _trials(searched[0]) if int(row["trial"]) < count]


def _started(*arguments, cwd) -> subprocess.Popen:
    command = [sys.executable, "-m", "ftkeras.main", *arguments, "--cache_dir=cache"]
    output = (cwd / "output.txt").open("w")
    return subprocess.Popen(command, cwd=cwd, stdout=output, stderr=output)


def _wait(condition, process) -> None:
    until = time.monotonic() + 200
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Search two learning rates and two policies, one of which fails; trials run in this process.

    tests/processes/test_child_run.py starts a process, and so do the tests with killed searches.
    """
    folder = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_run, "train", searches.train_here)
        return folder, _tune("--max_trials=3", "--export=huggingface", cwd=folder)


def test_search_ends_with_table_recipe_and_page(searched):
    folder, output = searched
    home = folder / "s"
    rows = _trials(folder)
    assert [row["status"] for row in rows] == ["completed", "completed", "failed"]
    assert "layers" in rows[-1]["reason"]
    assert rows[0]["score"] >= rows[1]["score"]
    assert rows[0]["settings"]["policy"] == ["full"]
    table = output[output.index("\ntrial") :].splitlines()
    assert [line[:4] for line in table[2:5]] == [row["trial"] for row in rows]
    assert "failed: --policy=freeze" in table[4]
    config = flags.parse([f"--flagfile={home / layout.BEST_RECIPE}"]).config
    assert config.learning_rate == rows[0]["settings"]["learning_rate"]
    assert (config.test, config.exports) == (True, ("huggingface",))
    assert "<svg" in (home / layout.PAGE).read_text()


def test_only_the_best_keeps_its_weights_and_texts_are_tokenized_once(searched):
    folder, _ = searched
    best = _trials(folder)[0]["trial"]
    kept = {path.parents[1].name for path in (folder / "s/trials").glob("*/*/weights.safetensors")}
    assert kept == {best}
    logs = [path.read_text() for path in sorted((folder / "s/trials").glob("*/*/log.txt"))]
    # The first has written them; the second failed before it read a text.
    assert ["from the cache" in log for log in logs] == [False, False, True]


@pytest.mark.cluster
def test_retrained_best_uses_validation_and_is_exported(searched, tmp_path):
    folder = shutil.copytree(searched[0], tmp_path / "searched")
    output = _tune("--max_trials=3", "--retrain", "--export=huggingface", cwd=folder)
    run = folder / "s" / layout.RETRAINED
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"]["train"] == 500
    assert "validation" not in metrics
    assert f"{metrics['test']['accuracy']:.4f}" in output
    assert (run / "huggingface/config.json").exists()


def test_same_command_again_runs_nothing(searched):
    folder, _ = searched
    before = (folder / "s" / layout.JOURNAL).read_text()
    assert "3 of 3 trials have ended" in _tune("--max_trials=3", cwd=folder)
    assert (folder / "s" / layout.JOURNAL).read_text() == before


@pytest.mark.cluster
def test_killed_search_ends_like_one_that_was_not_killed(searched, tmp_path):
    process = _started("tune", *SEARCH, "--max_trials=2", cwd=tmp_path)
    first = tmp_path / "s/trials/0000/seed-0"
    _wait(lambda: list((first / "checkpoints").glob("update-*")), process)
    (child,) = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not psutil.wait_procs([child], timeout=60)[1]
    assert not (first.parent / "trial.json").exists()
    assert "0 of 1 trials have ended" in _tune("--max_trials=2", cwd=tmp_path)
    assert "resuming at step" in (first / "log.txt").read_text()
    assert _trials(tmp_path) == _trials_of(searched, 2)


@pytest.mark.cluster
def test_another_worker_finishes_the_trial_of_a_killed_one(searched, tmp_path):
    process = _started(
        *("launch", "--workers=2", "--", "tune", *SEARCH, "--max_trials=2"), cwd=tmp_path
    )
    journal = tmp_path / "s" / layout.JOURNAL
    first = tmp_path / "s/trials/0000/seed-0/checkpoints"
    _wait(lambda: list(first.glob("update-*")), process)
    begun = [json.loads(line) for line in journal.read_text().splitlines()]
    holder = next(line["worker"] for line in begun if line["trial"] == "0000")
    for child in psutil.Process(process.pid).children():
        if child.environ().get("KERASTUNER_TUNER_ID") == holder:
            child.kill()
    assert process.wait(200) == 0, (tmp_path / "output.txt").read_text()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    given = [line for line in lines if line["event"] == "given"]
    assert [line["trial"] for line in given] == ["0000"]
    assert given[0]["worker"] != holder
    assert _trials(tmp_path) == _trials_of(searched, 2)


@pytest.mark.matrix
def test_hyperband_keeps_the_states_it_may_resume_until_it_ends(tmp_path, monkeypatch):
    given = searches.config(oracle="hyperband(factor=2)", epochs=4, search_dir=str(tmp_path))
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)

    def kept(child) -> int:
        monkeypatch.setattr(child_run, "train", child.train)
        with contextlib.suppress(searches.Killed):
            tune.run(given)
        return len(list(tmp_path.glob("trials/*/*/weights.safetensors")))

    # Four have ended; the fifth goes on in a copy of the best of them.
    assert kept(searches.Child({5: searches.Killed()})) == 5
    assert kept(searches.Child()) == 1
    best = json.loads((tmp_path / layout.TABLE).read_text())["trials"][0]
    assert (tmp_path / "trials" / best["trial"] / "seed-0/weights.safetensors").exists()
    recipe = flags.parse([f"--flagfile={tmp_path / layout.BEST_RECIPE}"]).config
    assert recipe.trained_epochs == (best["last_epoch"] or 4) == 4


def test_search_says_why_it_ends_before_its_number_of_trials(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
    monkeypatch.setattr(child_run, "train", searches.Child().train)
    monkeypatch.setattr(search_page, "write", lambda *of: None)
    search = ("batch_size=choice(16, 32)",)
    tune.run(searches.config(search=search, max_trials=5, search_dir=str(tmp_path)))
    shown = capsys.readouterr().out
    assert "the search ends after 2 trials: no setting is left that was not tried" in shown


@pytest.mark.matrix
def test_another_best_is_retrained_from_scratch(tmp_path, monkeypatch):
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda devices, kind: None)
    for trials in (1, 8):
        given = searches.config(max_trials=trials, retrain=True, search_dir=str(tmp_path))
        child = searches.Child()
        monkeypatch.setattr(child_run, "train", child.train)
        monkeypatch.setattr(searching, "_show_retrained", lambda metrics, run_dir: None)
        tune.run(given)
        _, retrained = child.runs[-1]
        assert retrained.train_on_validation
        assert (retrained.last_epoch, retrained.exports) == (3, ("saved_model",))
        best = flags.parse([f"--flagfile={tmp_path / layout.BEST_RECIPE}"]).config
        assert retrained.learning_rate == best.learning_rate
    assert retrained.restart


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--search=learning_rate=log(1, 0.1)"], "the lower end must be below"),
        (["--search=epochs=int(1, 3)", "--oracle=hyperband"], "allots the epochs"),
        (
            ["--search=learning_rate=log(1e-5, 1e-4)", "--oracle=grid"],
            "needs choices, or intervals",
        ),
        (["--search=policy=choice(full, none_such)"], "`policy` must be one of .*'none_such'"),
        (["--oracle=none_such"], "`oracle` must be one of bayesian, .*'none_such'"),
        (["--oracle=bayesian(initial=1)"], "`initial` must be an integer of at least 2"),
        (
            ["--retrain", "--search=schedule=choice(linear, reduce_on_plateau)"],
            "at schedule=reduce_on_plateau: .* follows the validation metrics",
        ),
        (["--retrain", "--notest"], "with `notest` nothing is left to evaluate on; omit one"),
        (
            ["--oracle=hyperband", "--self_training=rounds", "--unlabelled=more.txt"],
            "for more epochs later, which `self_training` does not allow",
        ),
    ],
)
def test_impossible_search_is_refused(arguments, message):
    config = flags.parse(["tune", "--task=quickstart", *arguments]).config
    with pytest.raises(UserError, match=message):
        setup.plan(config)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--max_trials=0"], "`max_trials` must be at least 1"),
        (["--max_hours=0"], "`max_hours` must be positive"),
        (["--executions_per_trial=0"], "`executions_per_trial` must be at least 1"),
        (["--run_dir=r"], "`search_dir` is the search's folder"),
        (["--train_on_validation"], "`retrain` trains on it at the end"),
        (["--folds=3", "--fold=0"], "the score of a trial is the mean over all `folds`"),
        (["--folds=3", "--fold=1"], "the score of a trial is the mean over all `folds`"),
        (["--search_dir="], "`search_dir` must name a folder"),
    ],
)
def test_wrong_settings_of_a_search_are_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        flags.parse(["tune", *arguments])


def test_defaults_depend_on_the_oracle():
    def of(*arguments):
        return setup.with_defaults(flags.parse(["tune", *arguments]).config)

    assert (of().max_trials, len(of().search)) == (10, 3)
    assert of("--oracle=grid").max_trials is None
    hyperband = of("--oracle=hyperband")
    assert hyperband.max_trials is None
    assert not [line for line in hyperband.search if line.startswith("epochs")]
    few_shot = of("--few_shot=contrastive")
    assert (few_shot.epochs, len(few_shot.search)) == (50, 2)
    assert "learning_rate=choice(6.3e-03, 3.7e-03, 2.5e-03)" in few_shot.search
    assert len(of("--few_shot=contrastive", "--policy=full").search) == 3
    assert of("--search=head.dropout=uniform(0.0, 0.3)").head == "classification"


@pytest.mark.parametrize(
    ("given", "rates"),
    [
        ("--encoder=bert(hidden=768, vocabulary='v')", "5.0e-04, 3.0e-04, 2.0e-04"),
        ("--encoder=bert-base-uncased", "5.0e-05, 3.0e-05, 2.0e-05"),  # as published
        ("--learning_rate=1e-3", "1.3e-03, 7.5e-04, 5.0e-04"),
    ],
)
def test_default_learning_rates_are_those_published_in_proportion_to_auto(given, rates):
    found = setup.with_defaults(flags.parse(["tune", "--batch_size=16", given]).config)
    assert found.search[0] == "batch_size=choice(16, 32)"
    assert found.search[1].startswith(f"learning_rate=choice({rates}")
    assert found.search[2] == "epochs=choice(2, 3, 4)"


@pytest.mark.parametrize(
    ("oracle", "examples", "epochs"),
    [("hyperband", 80, 20), ("random", 80, "auto"), ("hyperband", 10**6, 12)],
)
def test_oracle_that_allots_epochs_gets_the_number_of_a_run(oracle, examples, epochs, tmp_path):
    data = tmp_path / "data.csv"  # 200 rows, of which a tenth is for test and one for validation
    data.write_text("text,label\n" + "good,pos\nbad,neg\n" * 100)
    given = [f"--task=classification(train='{data}')", f"--train_examples={examples}"]
    config = flags.parse(["tune", f"--oracle={oracle}", *given]).config
    settled = setup.settle_epochs(config)
    assert (settled.epochs, settled.train_examples) == (epochs, examples)


def test_recipe_has_the_numbers_that_the_best_trial_chose(tmp_path):
    config, best = TuneConfig(), Result("0001", {}, {}, "completed", (0.9,))
    assert session.as_trained(config, best, tmp_path) == config
    run_dir = tmp_path / layout.TRIALS / "0001" / "seed-0"
    run_dir.mkdir(parents=True)
    used = Config(learning_rate=1.6e-4, epochs=6)
    (run_dir / layout.SETTINGS).write_text(flagfile.render(used))
    recipe = session.best_config(session.as_trained(config, best, tmp_path), best)
    assert (recipe.learning_rate, recipe.epochs) == (1.6e-4, 6)


def test_recipe_is_the_best_trial_for_train():
    config = setup.with_defaults(
        flags.parse(["tune", "--oracle=hyperband", "--epochs=9", "--folds=5"]).config
    )
    best = Result("0001", {}, {"policy": ("bitfit",)}, "completed", (0.9,), last_epoch=3)
    recipe = session.best_config(config, best)
    assert (recipe.epochs, recipe.last_epoch, recipe.folds) == (9, 3, None)
    assert (recipe.policy, recipe.test, recipe.keep) == (("bitfit",), True, 2)
