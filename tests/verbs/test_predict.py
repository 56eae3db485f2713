"""Prediction of large inputs: streamed, in order, and resumed after a kill."""

import itertools
import json
import os
import pathlib
import subprocess
import sys

import pytest

from ftkeras.config.predict import PredictConfig
from ftkeras.errors import UserError
from ftkeras.prediction import answers, writing
from ftkeras.prediction.inputs import Item
from tests.running import call_ftkeras, succeed

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Echo:
    """A predictor whose answer to a text is the text."""

    def predict(self, texts, pairs, *, batch_size, on_batch):
        return [{"text": text} for text in texts]


def test_items_are_read_only_as_they_are_answered(monkeypatch):
    monkeypatch.setattr(answers, "CHUNK", 8)
    read = []

    def endless():
        for number in itertools.count():
            read.append(number)
            yield Item(str(number), None, (number,))

    answered = writing.answer(PredictConfig(), Echo(), endless())
    for number in range(1, 5):
        items, found = next(answered)
        assert [item.text for item in items] == [answer["text"] for answer in found]
        assert len(read) == 8 * number


def test_empty_texts_are_counted(caplog):
    items = [Item(text, None, (text,)) for text in ("a", "", " ")]
    assert len(list(writing.answer(PredictConfig(), Echo(), iter(items)))) == 1
    assert "2 texts are empty, and answered like any other" in caplog.text


def test_resume_needs_an_output():
    with pytest.raises(UserError, match="`resume` needs `output`"):
        PredictConfig(resume=True)


def test_progress_and_answers_of_a_file(finished_run, tmp_path):
    (tmp_path / "x.txt").write_text("Fine.\nA waste of time and of money.\nDull.\n")
    model = f"--model={finished_run / 'saved_models' / 'quickstart'}"
    shown = succeed("predict", model, "--input=x.txt", "--output=out/a.jsonl", cwd=tmp_path)
    assert shown == "wrote 3 answers to out/a.jsonl\n"
    rows = [json.loads(line) for line in (tmp_path / "out/a.jsonl").read_text().splitlines()]
    assert [row["text"] for row in rows] == (tmp_path / "x.txt").read_text().splitlines()
    done = call_ftkeras("predict", model, "--input=x.txt", "--resume", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--resume needs --output" in done.stderr


@pytest.mark.process
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_after_a_kill_every_text_is_answered_once_and_in_order(finished_run, tmp_path, suffix):
    words = ("Fine", "dull", "slow", "worth every minute", "a waste of time")
    texts = [f"{n}: " + " ".join(words[: n % len(words)]) for n in range(2 * answers.CHUNK + 500)]
    (tmp_path / "x.txt").write_text("".join(f"{text}\n" for text in texts))
    model = f"--model={finished_run / 'saved_models' / 'quickstart'}"
    predict_ = ("predict", model, "--input=x.txt")
    succeed(*predict_, f"--output=whole.{suffix}", cwd=tmp_path)
    # The second chunk is written, but not yet recorded as complete.
    kill = ("-m", "tests.dying", "ftkeras.support.files:write_json", "2")
    resumed = (*predict_, f"--output=a.{suffix}", "--resume")
    killed = subprocess.run(
        [sys.executable, *kill, *resumed],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr
    assert not (tmp_path / f"a.{suffix}").exists()
    shown = succeed(*resumed, cwd=tmp_path)
    assert f"{answers.CHUNK:,} answers are in a.{suffix}.partial; continuing" in shown
    assert shown.endswith(f"wrote {len(texts):,} answers to a.{suffix}\n")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
    assert not (tmp_path / f"a.{suffix}.partial").exists()
    if suffix == "jsonl":
        lines = (tmp_path / "a.jsonl").read_text().splitlines()
        assert [json.loads(line)["text"] for line in lines] == texts
