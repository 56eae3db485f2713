"""The verb `drift`: what it compares, its exit codes, and what it refuses."""

import json
import resource
from collections import Counter

import numpy as np
import pytest

from ftkeras.config.drift import DriftConfig
from ftkeras.errors import UserError
from ftkeras.runs import layout, monitoring
from ftkeras.serving.statistics import Statistics, Tally
from ftkeras.verbs import drift
from tests.monitored import window, write_run
from tests.running import call_ftkeras


@pytest.fixture
def call(tmp_path):
    write_run(tmp_path / "run")

    def run(lines: str, *flags: str):
        (tmp_path / "answers.jsonl").write_text(lines)
        known = ("--run_dir=run", "--statistics=answers.jsonl")
        return call_ftkeras("drift", *known, *flags, cwd=tmp_path)

    return run


def test_same_texts_show_no_drift(call, tmp_path):
    done = call(window(1, 300) + window(2, 300), "--require", "--output=drift.json")
    assert done.returncode == 0
    assert "600 texts in 2 windows from 2026-01-01 to 2026-01-03, version 1" in done.stdout
    assert "No drift is shown." in done.stdout
    result = json.loads((tmp_path / "drift.json").read_text())
    assert [one["name"] for one in result["tests"]] == [
        *("labels", "confidence", "tokens of a text", "share of unknown tokens"),
    ]
    assert not any(one["drift"] for one in result["tests"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"positive": 0.8}, "labels"),
        ({"length": 60}, "tokens of a text"),
        ({"unknown": 0.2}, "share of unknown tokens"),
    ],
)
def test_drift_is_named_and_blocks(call, tmp_path, change, named):
    done = call(window(1, 300, **change), "--require", "--output=drift.json")
    assert done.returncode == 3
    assert f"Drift of {named}" in done.stderr
    assert "DRIFT" in done.stdout
    found = json.loads((tmp_path / "drift.json").read_text())["tests"]
    assert named in [one["name"] for one in found if one["drift"]]
    assert call(window(1, 300, **change)).returncode == 0


def test_windows_and_versions_are_chosen(call):
    lines = window(1, 300, positive=0.95) + window(2, 300, version=2) + window(3, 200, version=2)
    assert "800 texts in 3 windows" in call(lines).stdout
    assert "500 texts in 2 windows" in call(lines, "--version=2").stdout
    newest = call(lines, "--last=1", "--require")
    assert newest.returncode == 0
    assert "200 texts in 1 window from 2026-01-03" in newest.stdout


def test_nothing_is_concluded_from_a_few_texts(call):
    done = call(window(1, 40, positive=1), "--require")
    assert done.returncode == 0
    assert "Too few texts to conclude anything." in done.stdout


def test_several_labels_are_tested_one_by_one(tmp_path):
    rows = [
        {"predicted": ["a"] if n % 2 else ["a", "b"], "probabilities": [1, 0]} for n in range(200)
    ]
    write_run(tmp_path / "run", counts=False)
    path = tmp_path / "run" / layout.PREDICTIONS["test"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    tally = Tally()
    tally.add({"labels": np.array([[b"a", b""]] * 190 + [[b"a", b"b"]] * 10)}, None)
    line = {"start": "1", "end": "2", "version": 1, "dropped": 7, **tally.line()}
    (tmp_path / "answers.jsonl").write_text(json.dumps(line))
    done = call_ftkeras("drift", "--run_dir=run", "--statistics=answers.jsonl", cwd=tmp_path)
    assert "Drift of label b." in done.stdout
    assert "7 further texts" in done.stdout
    assert "tokens of a text: not logged" in done.stdout


def test_chosen_options_are_compared_by_number_without_their_texts(tmp_path):
    write_run(tmp_path / "run", counts=False)
    rows = [{"predicted": n % 2, "probabilities": [0.4, 0.6]} for n in range(200)]
    path = tmp_path / "run" / layout.PREDICTIONS["test"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts, tally = np.array([[b"my street", b"my pin"]] * 200), Tally()
    answers = {"label": texts[:, 1], "answer": np.ones(200, np.int32), "score": np.full(200, 0.6)}
    tally.add({**answers, "options": texts}, None)
    line = {"start": "1", "end": "2", "version": 1, "dropped": 0, **tally.line()}
    (tmp_path / "answers.jsonl").write_text(json.dumps(line))
    assert "my" not in json.dumps(line)
    done = call_ftkeras("drift", "--run_dir=run", "--statistics=answers.jsonl", cwd=tmp_path)
    assert "Drift of labels." in done.stdout
    assert "0 50.0% -> 0.0%" in done.stdout
    assert "confidence" in done.stdout.split("note:")[0]


def test_answers_without_labels_have_no_confidence_to_compare(call, tmp_path):
    path = tmp_path / "run" / layout.PREDICTIONS["test"]
    path.write_text('{"predicted": null}\n' * 200)
    tally = Tally()
    tally.add({"answer": np.array([b"Anna"] * 200), "score": np.full(200, 0.5)}, None)
    assert tally.line() == {"texts": 200}
    line = {"start": "1", "end": "2", "version": 1, "dropped": 0, **tally.line()}
    done = call(json.dumps(line))
    assert done.returncode == 0
    assert "Nothing could be compared." in done.stdout
    required = call(json.dumps(line), "--require")
    assert required.returncode == 2
    assert "--require: nothing in --statistics=answers.jsonl can be compared" in required.stderr
    logged = json.loads(window(1, 200))
    assert "confidence: the run's answers are no labels" in call(json.dumps(logged)).stdout


@pytest.mark.parametrize("known", [{"a": 300}, {}])
def test_label_that_the_run_never_answers_is_tested(known):
    run = monitoring.Reference(1000, Counter(known), {})
    seen = monitoring.Observed("1", "2", texts=1000, several=True)
    seen.labels = Counter({"a": 300, "spam": 900})
    tests, _ = monitoring.compare(run, seen, least=100)
    assert [test.name for test in tests] == ["label a", "label spam"]
    assert tests[1].largest == "not spam 100.0% -> 10.0%"
    assert tests[1].is_found(alpha=0.01, min_effect=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "drift needs --run_dir"),
        (("--run_dir=none", "--statistics=answers.jsonl"), "--run_dir=none is not the folder of"),
        (
            ("--run_dir=run", "--statistics=answers.jsonl", "--split=validation"),
            "--run_dir=run has no readable predictions_validation.jsonl",
        ),
        (("--run_dir=run", "--statistics=none"), "--statistics=none can't be read"),
        (
            ("--run_dir=run", "--statistics=run/predictions.jsonl"),
            "--statistics=run/predictions.jsonl is not a file written by serve's "
            "--log_statistics: line 1 has no start; name the file that serve wrote, or remove",
        ),
        (("--run_dir=run", "--statistics=answers.jsonl", "--version=4"), "no window of version 4"),
        (("--run_dir=run", "--statistics=answers.jsonl", "--alpha=2"), "--alpha must be between"),
    ],
)
def test_wrong_arguments_are_refused(call, tmp_path, arguments, message):
    call(window(1, 300))
    done = call_ftkeras("drift", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("start,end\n", "line 2 is not JSON"),
        ("\xff\n", "line 2 is not JSON"),
        ("[1]\n", "line 2 is not a JSON object"),
        ({"version": None}, "line 2 has no version"),
        ({"several_labels": None}, "line 2 has no several_labels"),
        ({"confidence": {"edges": []}}, "line 2 has no edges and counts of confidence"),
        ({"tokens": {"edges": [1, 0], "counts": [1]}}, "line 2 has no edges and counts of tokens"),
        ({"tokens": {"edges": [0, 1], "counts": []}}, "line 2 has no edges and counts of tokens"),
        ({"tokens": {"edges": [0, 1], "counts": [-1]}}, "line 2 has no edges and counts of tokens"),
        ({"labels": 3}, "line 2 has no counts of labels"),
        ({"labels": {"pos": None}}, "line 2 has no counts of labels"),
        ({"texts": -5}, "line 2 has no texts"),
        ({"texts": True}, "line 2 has no texts"),
        ("[" * 100_000, "line 2 is not JSON"),
        ({"tokens": {"edges": [0, 1], "counts": [1]}}, "the bins of tokens differ"),
    ],
)
def test_a_line_that_is_no_statistics_is_named(tmp_path, line, reason):
    first = window(1, 300)
    text = line if isinstance(line, str) else json.dumps(json.loads(first) | line)
    path = tmp_path / "answers.jsonl"
    path.write_text(first + text, encoding="latin-1")
    with pytest.raises(UserError, match=reason) as raised:
        monitoring.observed(path, version=None, last=None)
    assert str(raised.value).startswith(f"statistics={path} ")


def test_windows_of_several_models_are_not_added_up(tmp_path):
    lines = [{**json.loads(window(1, 30)), "model": name} for name in ("topics", "reviews")]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match="is of several models: reviews, topics; keep the lines"):
        monitoring.observed(tmp_path / "a.jsonl", version=None, last=None)


def test_the_last_windows_are_counted(tmp_path):
    one = json.loads(window(1, 300))
    lines = (json.dumps({**one, "start": f"{number:03}"}) + "\n" for number in range(300))
    (tmp_path / "answers.jsonl").write_text("".join(lines))
    seen = monitoring.observed(tmp_path / "answers.jsonl", version=None, last=200)
    assert seen.windows == 200


def test_predictions_without_probabilities_are_refused(tmp_path):
    (tmp_path / "predictions.jsonl").write_text('{"predicted": "a"}\n')
    with pytest.raises(UserError, match=r"has no readable predictions\.jsonl"):
        monitoring.reference(tmp_path, "test")


@pytest.mark.parametrize("output", ["", "run", "answers.jsonl/x.json"])
def test_output_that_cannot_be_written_is_refused_before_anything_is_compared(
    tmp_path, monkeypatch, output
):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run")
    (tmp_path / "answers.jsonl").write_text(window(1, 300))
    named = f"output={output} can't be written" if output else "`output` must name a file"
    with pytest.raises(UserError, match=named):
        drift.run(DriftConfig(run_dir="run", statistics="answers.jsonl", output=output))


class Model:
    """A model that answers as an export without `token_counts` does."""

    def __init__(self, version=3):
        self.version, self.signatures = version, {}


def test_server_that_is_too_busy_says_what_it_dropped_of_each_version(tmp_path, monkeypatch):
    monkeypatch.setattr("ftkeras.serving.statistics.MOST_WAITING", 1)
    told = []
    statistics = Statistics(tmp_path / "a.jsonl", "m", seconds=60, report=told.append)
    outputs = {"label": np.array([b"neg", b"pos"]), "score": np.array([0.5, 1.0])}
    inputs = {"text": np.array(["a", "b"])}
    statistics._waiting = 1
    for model in (Model(), Model(2), Model(2)):
        statistics.record(model, inputs, outputs)
    statistics._waiting = 0
    statistics.record(Model(), inputs, outputs)
    statistics.close()
    other, line = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (other["texts"], other["dropped"], other["version"]) == (0, 4, 2)
    assert (line["texts"], line["dropped"], line["version"]) == (2, 2, 3)
    assert line["labels"] == {"neg": 1, "pos": 1}
    assert line["confidence"]["counts"][-1] == 1  # the last bin has its right end
    (said,) = told
    assert said.startswith("statistics: of version 3, not counted: lengths and unknown tokens")


def _statistics(path, told) -> Statistics:
    """Return statistics of two answers by version 3 that are still to be written."""
    statistics = Statistics(path, "m", seconds=60, report=told.append)
    outputs = {"label": np.array([b"neg", b"pos"]), "score": np.array([0.5, 1.0])}
    statistics.record(Model(), {"text": np.array(["a", "b"])}, outputs)
    return statistics


def test_line_that_was_cut_off_does_not_damage_the_next_one(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text(window(1, 300) + window(2, 300)[:100])
    _statistics(path, []).close()
    with pytest.raises(UserError, match="line 2 is not JSON.*remove the line"):
        monitoring.observed(path, version=None, last=None)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    assert monitoring.observed(path, version=None, last=None).texts == 302


def test_counts_are_kept_while_the_disk_is_full(tmp_path):
    path, told = tmp_path / "answers.jsonl", []
    path.symlink_to("/dev/full")
    statistics = _statistics(path, told)
    statistics._executor.submit(statistics._write).result()
    assert told[-1].endswith("No space left on device; counts are kept for the next window")
    path.unlink()
    statistics.close()
    (line,) = map(json.loads, path.read_text().splitlines())
    assert line["labels"] == {"neg": 1, "pos": 1}


def test_part_of_a_line_is_not_left_on_a_full_disk(tmp_path):
    path, told = tmp_path / "answers.jsonl", []
    path.write_bytes(b" " * 2**20 + b"\n")
    size = path.stat().st_size
    statistics = _statistics(path, told)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        statistics._executor.submit(statistics._write).result()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == size
    assert "counts are kept" in told[-1]
    statistics.close()
    assert json.loads(path.read_text().splitlines()[1])["texts"] == 2
