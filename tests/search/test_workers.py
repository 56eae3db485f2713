"""Workers that ask a chief over gRPC, all in this process."""

import contextlib
import socket
import threading
import time

import pytest

from ftkeras.errors import UserError
from ftkeras.processes.supervisor import free_ports
from ftkeras.runs import layout
from ftkeras.search import folder as folders
from ftkeras.search import results, workers
from ftkeras.search.results import COMPLETED, FAILED, Result
from tests.search import searches


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(workers, "IDLE_SECONDS", 0.05)
    for name, value in zip(
        workers.VARIABLES, ("chief", "127.0.0.1", free_ports(1)[0]), strict=True
    ):
        monkeypatch.setenv(name, str(value))


class Runner:
    """Replaces training by a short wait; dies in the given trial."""

    def __init__(self, home, *, dies_in: str | None = None):
        self.home, self.dies_in, self.ran = home, dies_in, []

    def run(self, trial, values):
        self.ran.append(trial)
        if trial == self.dies_in:
            raise searches.Killed
        time.sleep(0.1)
        status = FAILED if trial == "0002" else COMPLETED
        scores = () if status == FAILED else (values["learning_rate"],)
        result = Result(
            trial, dict(values), {}, status, scores, reason="no" if not scores else None
        )
        results.write(result, self.home / layout.TRIALS / trial)
        return result


def _work(home, name, runner):
    with contextlib.suppress(searches.Killed), folders.lock_worker(home, name):
        workers.work(workers.Chief(), runner.run, name)


def _start_thread(target, *arguments):
    thread = threading.Thread(target=target, args=arguments, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("dies_in", [None, "0000", "0001"])
def test_two_workers_share_a_search_and_abandoned_trials(tmp_path, dies_in, capfd):
    book = searches.ledger(searches.config(max_trials=5), tmp_path)
    chief = _start_thread(workers.serve, book)
    crew = {
        name: Runner(tmp_path, dies_in=dies_in if name == "one" else None)
        for name in ("one", "two")
    }
    threads = [_start_thread(_work, tmp_path, name, runner) for name, runner in crew.items()]
    for thread in (*threads, chief):
        thread.join(30)
        assert not thread.is_alive()
    assert sorted(book.results) == [f"{n:04d}" for n in range(5)]
    assert book.results["0002"].reason == "no"
    assert book.oracle.trials["0002"].status == "FAILED"
    if dies_in in crew["one"].ran:
        assert dies_in in crew["two"].ran
    else:
        assert crew["one"].ran
        assert crew["two"].ran
    assert capfd.readouterr().out == ""  # KerasTuner prints conditions when it sends them


def test_worker_continues_with_a_restarted_chief(tmp_path):
    given = searches.config(max_trials=2)
    first = searches.ledger(given, tmp_path)
    trial = first.create_trial("one")
    again = searches.ledger(given, tmp_path)
    chief, runner = _start_thread(workers.serve, again), Runner(tmp_path)
    _work(tmp_path, "one", runner)
    chief.join(30)
    assert runner.ran == [trial.trial_id, "0001"]
    assert sorted(again.results) == ["0000", "0001"]


def test_unavailable_chief_is_reported(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE_SECONDS", 0.2)
    with pytest.raises(UserError, match=r"the chief at 127\.0\.0\.1:\d+ does not answer"):
        workers.Chief().create_trial("one")


def test_address_in_use_is_reported(tmp_path):
    book = searches.ledger(searches.config(max_trials=1), tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(workers.VARIABLES[2], str(taken.getsockname()[1]))
            with pytest.raises(UserError, match="can't listen on 127"):
                workers.serve(book)


def test_incomplete_variables_are_rejected(monkeypatch):
    assert workers.name() == "chief"
    monkeypatch.delenv(workers.VARIABLES[2])
    with pytest.raises(UserError, match="KERASTUNER_TUNER_ID is set, so KERASTUNER_ORACLE_PORT"):
        workers.name()
    for name in workers.VARIABLES[:2]:
        monkeypatch.delenv(name)
    assert workers.name() == workers.ALONE
