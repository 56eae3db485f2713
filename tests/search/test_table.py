"""The tables of a search, and the live status line."""

import io
import json
import re

import pytest

from ftkeras.cli import flags
from ftkeras.config.run import Config
from ftkeras.reports import search as report
from ftkeras.runs import layout
from ftkeras.search import live, results, table
from ftkeras.search.results import COMPLETED, FAILED, PRUNED, Result
from tests.search import searches

CONFIG = searches.config(search=(*searches.LINES, "regularizer=choice(none, l2(strength=0.1))"))


@pytest.fixture(scope="module")
def ended() -> list[Result]:
    """Return six trials with two scores each, except one that failed; one was pruned."""
    space, rows = searches.space_of(CONFIG), []
    for number, corner in enumerate(list(space.corners())[::3][:6]):
        status = {2: FAILED, 4: PRUNED}.get(number, COMPLETED)
        scores = () if status == FAILED else (0.8 + number / 100, 0.82)
        reason = None if status == COMPLETED else f"because of <{status}>"
        rows.append(
            Result(
                f"{number:04d}",
                *(corner, space.settings(corner), status, scores, reason),
                seconds=61.0,
                best_epochs=(2, 3),
            )
        )
    return rows


def test_table_has_the_best_first_and_failed_ones_last(ended):
    lines = table.text(ended, "accuracy").splitlines()[1:]
    assert [line[:4] for line in lines] == ["0005", "0003", "0001", "0000", "0004", "0002"]
    assert "0.8350 ± 0.0212" in lines[0]
    assert "failed: because of" in lines[-1]
    assert "regularizer=none" in lines[-1] + lines[0]


def test_json_has_everything_about_each_trial(ended):
    found = json.loads(json.dumps(table.as_json(CONFIG, ended, 60.0)))
    assert found["trials"][0]["trial"] == "0005"
    assert found["trials"][0]["scores"] == pytest.approx([0.85, 0.82])
    assert found["search"] == list(CONFIG.search)


def test_recipe_is_a_flagfile_for_train(ended, tmp_path):
    config = Config(task="quickstart", learning_rate=1e-4, policy=("full",))
    (tmp_path / layout.BEST_RECIPE).write_text(table.recipe(config, ended[0], "accuracy"))
    read = flags.parse([f"--flagfile={tmp_path / layout.BEST_RECIPE}"])
    assert (read.verb, read.config) == ("train", config)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_log_has_a_status_line_for_each_trial(tmp_path):
    book, stream = searches.ledger(searches.config(max_trials=2), tmp_path), io.StringIO()
    book.create_trial("one")
    shown = live.Live(book, "accuracy", stream=stream)
    book.on_change = shown.show_changes
    with shown.updating():
        trial = book.create_trial("one")  # started in another session
        result = Result(trial.trial_id, {}, {}, COMPLETED, (0.75,))
        results.write(result, tmp_path / layout.TRIALS / trial.trial_id)
        book.end_trial(trial)
    first, second = stream.getvalue().splitlines()
    assert first == "trial 0000 · accuracy 0.7500"
    assert second.startswith("  trial 1 of 2 · best accuracy 0.7500 (trial 0000) · about ")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"max_trials": 5}, "2 trials, one for each setting of the space, compared"),
        ({"max_trials": 1}, "1 trials, compared"),
        ({"oracle": "grid"}, "2 trials, one for each setting of the space, compared"),
        ({"oracle": "hyperband"}, "until it ends, compared"),
    ],
)
def test_no_more_trials_are_promised_than_the_space_has_settings(given, shown, tmp_path):
    config = searches.config(search=("batch_size=choice(16, 32)",), **given)
    book = searches.ledger(config, tmp_path)
    assert shown in report.plan(config, book)
    total = shown.split(" ")[0]
    wanted = "trial 0" if total == "until" else f"trial 0 of {total}"
    assert live.Live(book, "accuracy", stream=io.StringIO()).status() == wanted


def test_live_line_shows_trial_best_and_time_left(tmp_path, monkeypatch):
    book = searches.ledger(searches.config(max_trials=3), tmp_path)
    stream = Terminal()
    shown = live.Live(book, "accuracy", stream=stream)
    book.on_change = shown.show_changes
    monkeypatch.setattr(live, "SECONDS_BETWEEN_UPDATES", 0.01)
    with shown.updating():
        for _ in range(2):
            trial = book.create_trial("one")
            result = Result(trial.trial_id, {}, {"a": 1}, COMPLETED, (0.75,), seconds=3.0)
            results.write(result, tmp_path / layout.TRIALS / trial.trial_id)
            book.end_trial(trial)
        line = shown.status()
    assert re.fullmatch(
        r"trial 2 of 3 · best accuracy 0.7500 \(trial 0000\) · about 0\.\d s left", line
    )
    assert "trial 0000 · accuracy 0.7500 · 3.0 s · a=1\n" in stream.getvalue()
    assert stream.getvalue().count("trial 0001 · ") == 1
