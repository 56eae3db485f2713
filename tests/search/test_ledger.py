"""The ledger: searches that are killed, resumed, and shared by workers."""

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras_tuner.engine.trial import TrialStatus

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.search import folder as folders
from ftkeras.search import results
from ftkeras.search.ledger import ENDED, FAILURES_TO_STOP
from ftkeras.search.results import Result
from tests.matrix import examples, matrix
from tests.search import searches
from tests.search.searches import Child, Killed

SEARCHES = {
    "random": {"oracle": "random", "max_trials": 6},
    "grid": {"oracle": "grid", "search": searches.STEPS},
    "bayesian": {"oracle": "bayesian(initial=3)", "max_trials": 6},
    "hyperband": {"oracle": "hyperband(factor=2)", "epochs": 4},
    "few settings": {
        "oracle": "hyperband",
        "epochs": 9,
        "search": ("batch_size=choice(16, 32)", "learning_rate=choice(2e-5, 3e-5, 5e-5)"),
    },
}


def _results(book) -> list[dict]:
    return [dataclasses.asdict(result) for result in book.results.values()]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Return the results of each search without interruption."""
    found = {}
    for name, settings_of in SEARCHES.items():
        with pytest.MonkeyPatch.context() as monkeypatch:
            home = tmp_path_factory.mktemp(name)
            book = searches.search(searches.config(**settings_of), home, Child(), monkeypatch)
            found[name] = _results(book)
    return found


@pytest.mark.parametrize("name", matrix(SEARCHES, default=["random", "hyperband"]))
@pytest.mark.parametrize("killed", matrix([1, 3, 5], default=[3]))
def test_killed_search_ends_like_one_that_was_not(
    name, killed, uninterrupted, tmp_path, monkeypatch
):
    given = searches.config(**SEARCHES[name])
    assert searches.search(given, tmp_path, Child({killed: Killed()}), monkeypatch) is None
    second = Child({2: Killed()})
    assert searches.search(given, tmp_path, second, monkeypatch) is None
    book = searches.search(given, tmp_path, Child(), monkeypatch)
    assert _results(book) == uninterrupted[name]
    assert second.runs[0][0].startswith(f"{killed - 1:04d}/")  # the same trial, in its folder
    assert not book.running


def test_trial_with_a_written_result_does_not_run_again(uninterrupted, tmp_path, monkeypatch):
    given = searches.config(**SEARCHES["random"])
    write = results.write

    def write_and_die(result, home):
        write(result, home)
        if result.trial == "0002":
            raise Killed

    monkeypatch.setattr(results, "write", write_and_die)
    assert searches.search(given, tmp_path, Child(), monkeypatch) is None
    monkeypatch.setattr(results, "write", write)
    child = Child()
    book = searches.search(given, tmp_path, child, monkeypatch)
    assert [name for name, _ in child.runs] == ["0003/seed-0", "0004/seed-0", "0005/seed-0"]
    assert _results(book) == uninterrupted["random"]


def test_partial_line_of_the_journal_is_ignored(uninterrupted, tmp_path, monkeypatch):
    given = searches.config(**SEARCHES["random"])
    searches.search(given, tmp_path, Child({4: Killed()}), monkeypatch)
    journal = tmp_path / layout.JOURNAL
    journal.write_text(journal.read_text()[:-20])
    book = searches.search(given, tmp_path, Child(), monkeypatch)
    assert _results(book) == uninterrupted["random"]
    assert all(map(json.loads, journal.read_text().splitlines()))


def test_search_continues_with_more_trials(tmp_path, monkeypatch):
    shorter = searches.config(max_trials=2)
    searches.search(shorter, tmp_path, Child(), monkeypatch)
    child = Child()
    book = searches.search(searches.config(max_trials=12), tmp_path, child, monkeypatch)
    assert len(child.runs) == 10
    whole = searches.search(searches.config(max_trials=12), tmp_path / "new", Child(), monkeypatch)
    assert _results(book) == _results(whole)


def test_time_limit_counts_all_sessions(tmp_path):
    (tmp_path / layout.CLOCK).write_text("50.0")
    given = searches.config(max_trials=5)
    book = searches.ledger(given, tmp_path, max_seconds=51.0)
    assert book.create_trial("one").status == TrialStatus.RUNNING
    late = searches.ledger(given, tmp_path, max_seconds=49.0)
    assert late.create_trial("one").trial_id == "0000"  # it has started before
    results.write(Result("0000", {}, {}, results.COMPLETED, (0.5,)), tmp_path / "trials/0000")
    late.end_trial(late.oracle.trials["0000"])
    assert late.create_trial("one").status == TrialStatus.STOPPED
    assert float((tmp_path / layout.CLOCK).read_text()) >= 50.0


def test_search_continues_after_failed_trials_and_records_their_reason(tmp_path, monkeypatch):
    child = Child({1: "out of memory", 3: "--policy=freeze: no"})
    book = searches.search(searches.config(max_trials=5), tmp_path, child, monkeypatch)
    reasons = {trial: result.reason for trial, result in book.results.items()}
    assert reasons == {
        "0000": "out of memory",
        "0001": None,
        "0002": "--policy=freeze: no",
        "0003": None,
        "0004": None,
    }
    assert book.failure is None


def test_search_stops_if_all_of_its_first_trials_fail(tmp_path, monkeypatch):
    child = Child(dict.fromkeys(range(1, 9), "no disk"))
    book = searches.search(searches.config(max_trials=8), tmp_path, child, monkeypatch)
    assert len(child.runs) == FAILURES_TO_STOP
    assert book.failure == "no disk"


def test_a_short_search_in_which_every_trial_failed_has_failed(tmp_path, monkeypatch):
    child = Child(dict.fromkeys((1, 2), "no disk"))
    book = searches.search(searches.config(max_trials=2), tmp_path, child, monkeypatch)
    assert (len(child.runs), book.failure) == (2, "no disk")
    more = searches.search(searches.config(max_trials=4), tmp_path, Child(), monkeypatch)
    assert (len(more.results), more.failure) == (4, None)


def test_hyperband_continues_after_a_failed_trial(uninterrupted, tmp_path, monkeypatch):
    given = searches.config(**SEARCHES["hyperband"])
    book = searches.search(given, tmp_path, Child({2: "no"}), monkeypatch)
    ended = book.results.values()
    assert len(ended) == len(uninterrupted["hyperband"])
    assert [result.trial for result in ended if result.status == results.FAILED] == ["0001"]
    assert "0001" not in {result.continues for result in ended}
    assert max(result.last_epoch or given.epochs for result in ended) == given.epochs
    assert any(result.continues for result in ended)


def test_hyperband_continues_the_best_if_it_wants_more_settings_than_there_are(uninterrupted):
    ended = uninterrupted["few settings"]  # a bracket of 9 epochs would start with 9 settings
    assert [result["last_epoch"] for result in ended] == [*[1] * 6, 3, 3, None]
    best = sorted(ended[:6], key=lambda result: result["scores"])[-2:]
    assert {result["continues"] for result in ended[6:8]} == {result["trial"] for result in best}


@pytest.mark.matrix
def test_bayesian_tries_every_setting_once(tmp_path, monkeypatch):
    lines = (
        "batch_size=choice(4, 8, 16, 32)",
        "learning_rate=choice(1e-5, 2e-5, 3e-5, 4e-5, 5e-5)",
    )
    given = searches.config(search=lines, oracle="bayesian(initial=2)", max_trials=25, seed=2)
    book = searches.search(given, tmp_path, Child(), monkeypatch)
    tried = [tuple(result.values.values()) for result in book.results.values()]
    assert len(tried) == len(set(tried)) == 20
    assert book.exhausted


def test_ending_a_trial_twice_is_ending_it_once(tmp_path):
    book = searches.ledger(searches.config(max_trials=2), tmp_path)
    trial = book.create_trial("one")
    results.write(Result("0000", {}, {}, results.COMPLETED, (0.5,)), tmp_path / "trials/0000")
    for _ in range(2):
        book.end_trial(trial)
    assert book.oracle.end_order == ["0000"]
    assert (tmp_path / layout.JOURNAL).read_text().count(ENDED) == 1


def test_trial_of_a_dead_worker_moves_to_another(tmp_path):
    book = searches.ledger(searches.config(max_trials=2), tmp_path)
    with folders.lock_worker(tmp_path, "one"), folders.lock_worker(tmp_path, "two"):
        first = book.create_trial("one")
        assert book.create_trial("one").trial_id == first.trial_id  # the same when asked again
        assert book.create_trial("two").trial_id == "0001"
        assert book.create_trial("three").status == TrialStatus.IDLE
    with folders.lock_worker(tmp_path, "two"), folders.lock_worker(tmp_path, "three"):
        given = book.create_trial("three")
        assert given.trial_id == first.trial_id
        assert given.hyperparameters.values == first.hyperparameters.values
        assert book.create_trial("four").status == TrialStatus.IDLE
        again = searches.ledger(
            searches.config(max_trials=2), tmp_path
        )  # the chief was restarted as well
        assert again.running == {"0000": "three", "0001": "two"}


def test_trial_without_a_result_has_failed(tmp_path):
    book = searches.ledger(searches.config(max_trials=2), tmp_path)
    book.end_trial(book.create_trial("one"))
    assert "left no trial.json" in book.results["0000"].reason


def test_journal_of_another_oracle_is_refused(tmp_path):
    line = {"event": "begun", "trial": "0005", "worker": "alone", "values": {}}
    (tmp_path / layout.JOURNAL).write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match="start again with `restart`"):
        searches.ledger(searches.config(), tmp_path)


def test_second_process_on_a_search_is_refused(tmp_path):
    with contextlib.ExitStack() as stack:
        stack.enter_context(folders.lock(tmp_path, searches.config()))
        stack.enter_context(folders.lock_worker(tmp_path, "a"))
        with pytest.raises(UserError, match="in use by another"):
            stack.enter_context(folders.lock(tmp_path, searches.config()))
        with pytest.raises(UserError, match="has a worker of that name"):
            stack.enter_context(folders.lock_worker(tmp_path, "a"))


@examples(25)
@given(st.sets(st.integers(1, 6), max_size=3), st.sets(st.integers(1, 6), max_size=2))
def test_any_kills_and_failures_lose_no_trial(tmp_path_factory, kills, failures):
    home, given = tmp_path_factory.mktemp("search"), searches.config(max_trials=5)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for killed in kills:
            ends = {killed: Killed(), **dict.fromkeys(failures - {killed}, "no")}
            searches.search(given, home, Child(ends), monkeypatch)
        book = searches.search(given, home, Child(), monkeypatch)
    if book.failure is None:
        assert sorted(book.results) == [f"{n:04d}" for n in range(5)]
    assert not book.running
