"""Trials: their runs, their scores, and when they are stopped early."""

import dataclasses

import numpy as np
import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.processes import child_run
from ftkeras.runs import layout
from ftkeras.search import folder as folders
from ftkeras.search import pruning, results, trials
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result
from tests.search import searches
from tests.search.searches import Child

VALUES = {"learning_rate": 1e-4, "policy": "full"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a trial, with a `Child` instead of a process."""

    def run(values, child, *, trial="0000", **given):
        config = searches.config(**given)
        monkeypatch.setattr(child_run, "train", child.train)
        return trials.Trials(config, searches.space_of(config), tmp_path).run(trial, values)

    return run


def test_trial_is_a_run_of_train_without_test(run, tmp_path):
    child = Child()
    result = run(VALUES, child, seed=4, data_seed=2, export=("huggingface",))
    ((name, config),) = child.runs
    assert name == "0000/seed-4"
    assert (config.learning_rate, config.policy, config.data_seed) == (1e-4, ("full",), 2)
    assert (config.test, config.exports, config.keep_state) == (False, (), False)
    assert result.scores == (searches.accuracy(config),)
    assert results.read(tmp_path / "0000") == result
    assert result.settings == {"learning_rate": 1e-4, "policy": ("full",)}


def test_score_is_the_mean_over_seeds(run):
    child = Child()
    result = run(VALUES, child, executions_per_trial=3, seed=5)
    assert [name for name, _ in child.runs] == ["0000/seed-5", "0000/seed-6", "0000/seed-7"]
    assert result.score == pytest.approx(result.scores[1])
    assert result.sd == pytest.approx(0.01)
    assert result.seconds == 30.0


def test_loss_as_objective_is_minimized(run):
    result = run(VALUES, Child(), objective="loss")
    assert result.score == pytest.approx(
        1 - searches.accuracy(Config(learning_rate=1e-4, epochs=3))
    )
    rows = [Result(n, {}, {}, COMPLETED, (s,)) for n, s in (("a", 0.5), ("b", 0.4))]
    assert results.best(rows, "loss").trial == "b"
    assert results.best(rows, "accuracy").trial == "a"


def test_ties_between_trials_are_broken_by_loss_then_by_epochs():
    def trial(name, score, loss, epochs):
        return Result(name, {}, {}, COMPLETED, (score,), losses=(loss,), best_epochs=(epochs,))

    rows = [trial("a", 0.9, 3e13, 1), trial("b", 0.9, 0.4, 3), trial("c", 0.9, 0.4, 2)]
    infinite = trial("d", 0.95, float("inf"), 1)
    ranked = results.rank([infinite, *rows], "accuracy")
    assert [row.trial for row in ranked] == ["c", "b", "a", "d"]


def test_failed_run_fails_the_trial_and_finished_runs_stay(run, tmp_path):
    result = run(VALUES, Child({2: "killed by SIGKILL"}), executions_per_trial=3)
    assert (result.status, result.reason) == (FAILED, "killed by SIGKILL")
    assert (tmp_path / "0000/seed-0/metrics.json").exists()


def test_nan_score_fails_the_trial(run, monkeypatch):
    monkeypatch.setattr(searches, "accuracy", lambda config: float("nan"))
    result = run(VALUES, Child())
    assert (result.status, result.reason) == (FAILED, "validation accuracy is nan")


def test_finished_runs_do_not_run_again(run):
    with pytest.raises(searches.Killed):
        run(VALUES, Child({2: searches.Killed()}), executions_per_trial=2)
    child = Child()
    result = run(VALUES, child, executions_per_trial=2)
    assert [name for name, _ in child.runs] == ["0000/seed-1"]
    assert result.seconds == 20.0


def test_failed_trial_does_not_run_again(run):
    first = run(VALUES, Child({1: "no"}))
    child = Child()
    assert run(VALUES, child) == first
    assert not child.runs


def test_later_round_resumes_a_copy_of_the_earlier_run(run, tmp_path):
    given = {"oracle": "hyperband", "epochs": 9}
    first = run({**VALUES, trials.EPOCHS: 3}, Child(), **given)
    (tmp_path / "0000/seed-0/checkpoints").mkdir()
    child = Child()
    values = {**VALUES, trials.EPOCHS: 9, trials.CONTINUES: "0000"}
    second = run(values, child, trial="0001", **given)
    ((_, config),) = child.runs
    assert (first.last_epoch, config.epochs, config.last_epoch) == (3, 9, None)
    assert (second.continues, config.keep_state) == ("0000", True)
    assert (tmp_path / "0001/seed-0/checkpoints").exists()
    before = flagfile.read(tmp_path / "0000/seed-0/run.cfg", Config)
    assert before.last_epoch == 3
    assert second.values == VALUES


def test_score_is_the_mean_over_folds(run):
    child = Child()
    result = run(VALUES, child, folds=3, executions_per_trial=2)
    assert [(config.fold, config.seed) for _, config in child.runs] == [
        *((0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1))
    ]
    assert len(result.scores) == 3
    assert result.sd == pytest.approx(0.003)


def _with_scores(*scores, status=COMPLETED, trial="0000"):
    return Result(trial, {}, {}, status, scores)


def test_trial_with_hopeless_first_folds_is_pruned(run, tmp_path):
    results.write(_with_scores(0.97, 0.973, 0.977, 0.98, 0.98), tmp_path / "0000")
    child = Child()
    result = run({**VALUES, "learning_rate": 1e-5}, child, trial="0001", folds=5)
    assert result.status == PRUNED
    assert len(child.runs) == len(result.scores) < 5
    assert "trial 0000 leads by" in result.reason


@pytest.mark.parametrize(
    ("scores", "pruned"),
    [
        ((0.80,), False),  # one fold says nothing about the spread
        ((0.80, 0.81), False),  # behind by 0.10 twice: nor do equal leads
        ((0.80, 0.815), True),  # behind by 0.10 and 0.095
        ((0.80, 0.90), False),  # behind by 0.10 and 0.01
        ((0.80, 0.90, 0.80), False),
        ((0.95, 0.95), False),  # ahead
        ((0.80, 0.81, 0.80, 0.79, 0.80), False),  # all folds are done
    ],
)
def test_trial_is_pruned_only_if_these_folds_do_not_explain_the_lead(scores, pruned):
    best = _with_scores(0.90, 0.91, 0.90, 0.89, 0.90)
    others = [best, _with_scores(0.99, 0.99, status=PRUNED), _with_scores(status=FAILED)]
    reason = pruning.reason_to_prune(_with_scores(*scores, trial="1"), others, "accuracy", folds=5)
    assert bool(reason) == pruned
    mirrored = [dataclasses.replace(o, scores=tuple(1 - s for s in o.scores)) for o in others]
    loss = _with_scores(*(1 - s for s in scores))
    assert bool(pruning.reason_to_prune(loss, mirrored, "loss", folds=5)) == pruned


@pytest.mark.parametrize(("epochs", "pruned"), [(1, False), (3, True)])
def test_trial_is_compared_only_with_trials_of_as_many_epochs(run, tmp_path, epochs, pruned):
    best = _with_scores(0.97, 0.973, 0.977, 0.98, 0.98)
    results.write(dataclasses.replace(best, last_epoch=3), tmp_path / "0000")
    values = {**VALUES, "learning_rate": 1e-5, trials.EPOCHS: epochs}
    result = run(values, Child(), trial="0001", folds=5, oracle="hyperband", epochs=9)
    assert (result.status == PRUNED) == pruned


@pytest.mark.parametrize("folds", [3, 10])
def test_equally_good_settings_are_seldom_pruned(folds):
    rng, pruned = np.random.default_rng(0), 0
    for _ in range(500):
        fold = rng.normal(0, 0.01, folds)  # a fold's difficulty is common to both settings
        one, other = (0.8 + fold + rng.normal(0, 0.01, folds) for _ in range(2))
        for seen in range(2, folds):
            own = _with_scores(*one[:seen])
            if pruning.reason_to_prune(own, [_with_scores(*other)], "accuracy", folds=folds):
                pruned += 1
                break
    assert pruned <= pruning.ERROR * 500


def test_only_the_best_keeps_its_weights_and_all_keep_their_metrics(run, tmp_path):
    rates = {"0000": 1e-5, "0001": 1e-4, "0002": 1e-3}
    ended = [run({**VALUES, "learning_rate": r}, Child(), trial=n) for n, r in rates.items()]
    for folder in ("checkpoints", "rounds/1/checkpoints", "rounds/1/pairs"):
        (tmp_path / "0000/seed-0" / folder).mkdir(parents=True)
    (tmp_path / "0000/seed-0/rounds/1/weights.safetensors").touch()
    (tmp_path / "0000/seed-0/rounds/1/metrics.json").touch()
    results.delete_other_weights(tmp_path, ended, "accuracy")
    (left,) = tmp_path.rglob("weights.safetensors")
    assert left.parents[1].name == "0001"
    assert not [*tmp_path.rglob("checkpoints"), *tmp_path.rglob("pairs")]
    assert (tmp_path / "0000/seed-0/rounds/1/metrics.json").exists()
    assert len(list(tmp_path.glob("*/*/metrics.json"))) == 3


def test_folder_is_resumed_by_the_same_search_only(tmp_path):
    given = searches.config(max_trials=3, search_dir=str(tmp_path))
    (tmp_path / layout.SEARCH_SETTINGS).write_text(flagfile.render(given))
    folders.require_same_search(dataclasses.replace(given, max_trials=9, max_hours=2.0), tmp_path)
    for name, value in {
        "oracle": "grid",
        "epochs": 7,
        "executions_per_trial": 2,
        "learning_rate": 1e-3,
        "search": given.search[:1],
    }.items():
        with pytest.raises(UserError, match=rf"another search: `{name}`=.*\(there "):
            folders.require_same_search(dataclasses.replace(given, **{name: value}), tmp_path)
