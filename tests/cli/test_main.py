"""A complete run from the command line, and everything that can be done with it."""

import csv
import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from ftkeras.errors import UserError
from tests import finished
from tests.finished import predictions
from tests.running import QUICK, assert_metrics_agree, call_ftkeras, run_ftkeras, succeed

FIGURES = {
    *("accuracy", "loss", "precision", "recall", "f1", "auc", "examples"),
    *("macro_f1", "mcc", "balanced_accuracy"),
    *("positive_class", "absent_classes", "per_class"),
}


def test_run_writes_its_metrics(finished_run):
    metrics = json.loads((finished_run / "run" / "metrics.json").read_text())
    assert set(metrics["validation"]) == set(metrics["test"]) == FIGURES
    assert metrics["test"]["examples"] == np.sum(metrics["confusion"]) == finished.TEST
    assert metrics["data"]["train"] == finished.TRAIN
    train = metrics["train"]
    assert (train["steps"], train["best_epoch"] in (1, 2, 3, 4)) == (finished.STEPS, True)
    assert train["seconds_to_first_step"] > 0
    assert train["tokens_per_second"] > train["examples_per_second"] > 0
    assert train["peak_memory_bytes"] > 10**8
    assert {"tensorflow", "keras", "python", "ftkeras"} <= set(metrics["versions"])


def test_run_writes_a_row_per_epoch(finished_run):
    rows = list(csv.DictReader((finished_run / "run" / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    best = json.loads((finished_run / "run" / "metrics.json").read_text())
    ranks = [(float(row["val_accuracy"]), -float(row["val_loss"])) for row in rows]
    assert ranks.index(max(ranks)) + 1 == best["train"]["best_epoch"]
    assert max(ranks)[0] == pytest.approx(best["validation"]["accuracy"], abs=1e-6)


def test_run_writes_a_prediction_per_text(finished_run):
    rows = predictions(finished_run / "run")
    assert len({p["id"] for p in rows}) == finished.TEST
    right = np.mean([p["label"] == p["predicted"] for p in rows])
    metrics = json.loads((finished_run / "run" / "metrics.json").read_text())
    assert right == pytest.approx(metrics["test"]["accuracy"])
    assert all(sum(p["probabilities"]) == pytest.approx(1, abs=1e-5) for p in rows)


def test_run_shows_what_it_does(finished_run):
    output = (finished_run / "stdout.txt").read_text()
    assert "examples: 200 train, 100 validation, 60 test" in output
    assert "parameters" in output
    assert f"{finished.STEPS:,} steps in 4 epochs" in output
    progress = (finished_run / "stderr.txt").read_text()
    assert "training takes about" in progress
    assert "epoch 4/4" in progress


def test_standard_error_has_only_progress(finished_run):
    lines = (finished_run / "stderr.txt").read_text().splitlines()
    progress = r"epoch \d/\d|[\d,]+ tokens/s|[\d.]+% of the time"
    assert [line for line in lines if not re.match(progress, line)] == []


def test_run_writes_tensorboard_logs_if_asked(finished_run):
    assert list((finished_run / "run" / "tensorboard").rglob("events.out.*"))


@pytest.mark.matrix
def test_same_flagfile_gives_same_numbers(finished_run, tmp_path):
    flagfile = f"--flagfile={finished_run / 'run' / 'run.cfg'}"
    succeed(flagfile, "--run_dir=again", "--export=none", cwd=tmp_path)
    for name in ("predictions.jsonl", "weights.safetensors"):
        first, second = (path / name for path in (finished_run / "run", tmp_path / "again"))
        assert first.read_bytes() == second.read_bytes()


def test_evaluate_repeats_the_metrics(copy_of_finished_run):
    run = copy_of_finished_run / "run"
    before, predicted = json.loads((run / "metrics.json").read_text()), predictions(run)
    succeed("evaluate", "--run_dir=run", cwd=copy_of_finished_run)
    after = json.loads((run / "metrics.json").read_text())
    assert after["train"] == before["train"]
    for split in ("validation", "test"):
        assert_metrics_agree(after[split], before[split], abs=1e-4)
    for one, other in zip(predictions(run), predicted, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


@pytest.mark.process
def test_export_takes_the_next_version(copy_of_finished_run):
    arguments = ["export", "--run_dir=run", "--export=saved_model"]
    succeed(*arguments, cwd=copy_of_finished_run)
    versions = (copy_of_finished_run / "saved_models" / "quickstart").iterdir()
    assert {path.name for path in versions} == {"1", "2"}


TEXTS = ["Worth every minute.", "A waste of time.", "", "Naïve [SEP] \u2603 電影"]


def _predicted(folder, texts) -> list[dict]:
    arguments = ["predict", "--model=saved_models/quickstart", "--json"]
    output = succeed(*arguments, *(f"--text={text}" for text in texts), cwd=folder)
    return [json.loads(line) for line in output.splitlines()]


def test_predict_answers_each_text_in_order(finished_run):
    answers = _predicted(finished_run, TEXTS)
    assert [answer["text"] for answer in answers] == TEXTS
    assert [answer["label"] for answer in answers[:2]] == ["positive", "negative"]
    assert {answer["label"] for answer in answers} <= {"negative", "positive"}
    assert all(answer["score"] == max(answer["probabilities"]) for answer in answers)


@pytest.mark.matrix
def test_predict_reads_a_file_as_standard_input(finished_run, tmp_path):
    reviews = tmp_path / "reviews.txt"
    reviews.write_bytes("\n".join([*TEXTS, "\xff"]).encode() + b"\n\xff\n")
    arguments = ["predict", f"--model={finished_run / 'saved_models' / 'quickstart'}"]
    of_file = succeed(*arguments, f"--input={reviews}", cwd=tmp_path)
    with reviews.open() as file:
        of_input = run_ftkeras(*arguments, cwd=tmp_path, stdin=file)
    assert of_input.returncode == 0, of_input.stderr
    assert of_file == of_input.stdout
    assert len(of_file.splitlines()) == len(TEXTS) + 2


SERVE = """
import json, sys
import numpy as np
import tensorflow as tf
import tensorflow_text
model = tf.saved_model.load(sys.argv[1])
outputs = model.signatures["serving_default"](text=tf.constant(json.loads(sys.argv[2])))
ids = model.signatures["token_ids"](token_ids=tf.constant([[2, 30, 3], [2, 3, 0]]))
assert not [name for name in sys.modules if name.split(".")[0] == "ftkeras"]
print(json.dumps({
    "label": [label.decode() for label in outputs["label"].numpy()],
    "score": outputs["score"].numpy().tolist(),
    "probabilities": outputs["probabilities"].numpy().tolist(),
    "ids": {name: value.shape.as_list() for name, value in ids.items()},
}))
"""


def _serve(model, texts) -> dict:
    command = [sys.executable, "-c", SERVE, str(model), json.dumps(texts)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.process
def test_export_serves_without_ftkeras_what_was_evaluated_and_predict_says(finished_run):
    run, model = finished_run / "run", finished_run / "saved_models" / "quickstart" / "1"
    served = _serve(model, [*finished.texts(run), *TEXTS])
    answers = [*predictions(run), *_predicted(finished_run, TEXTS)]
    labels = [answer.get("predicted", answer["label"]) for answer in answers]
    assert served["label"] == labels
    np.testing.assert_allclose(
        served["probabilities"], [answer["probabilities"] for answer in answers], atol=1e-5
    )
    assert served["ids"] == {"logits": [2, 2], "probabilities": [2, 2]}


@pytest.mark.process
def test_saved_model_cli_runs_the_export(finished_run):
    # The tool loads no op library of its own accord; README says so, and how.
    code = (
        "import tensorflow_text; from tensorflow.python.tools.saved_model_cli import main; main()"
    )
    arguments = [
        "run",
        "--dir=saved_models/quickstart/1",
        "--tag_set=serve",
        "--signature_def=serving_default",
        "--input_exprs=text=['Worth every minute.']",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=finished_run,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Result for output key probabilities" in done.stdout


@pytest.mark.process
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_says_how_to_resume(tmp_path, asked):
    process = subprocess.Popen(
        [sys.executable, "-m", "ftkeras.main", *QUICK, "--run_dir=run", "--epochs=500"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    for line in process.stderr:
        if "epoch 1/500 ·" in line:
            break
    process.send_signal(asked)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 128 + asked
    assert "Traceback" not in output
    assert "repeat the command with --run_dir=run" in output
    measured = call_ftkeras("evaluate", "--run_dir=run", cwd=tmp_path)
    if asked == signal.SIGINT:  # who stops it by hand may want to look at it
        assert "evaluate --run_dir=run" in output
        assert measured.returncode == 0
    else:
        assert measured.returncode == 2
        assert "kept no weights" in measured.stderr


@pytest.mark.process
def test_closed_output_ends_the_process_quietly(finished_run, tmp_path):
    (tmp_path / "many.txt").write_text("Worth every minute.\n" * 20_000)
    command = [sys.executable, "-m", "ftkeras.main", "predict", "--model=saved_models/quickstart"]
    process = subprocess.Popen(
        [*command, f"--input={tmp_path / 'many.txt'}"],
        cwd=finished_run,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(timeout=60) == 141


@pytest.mark.parametrize("flag", ["--debug", "--debug=true"])
def test_debug_raises_the_error(tmp_path, flag):
    with pytest.raises(UserError, match="imbd"):
        call_ftkeras("--task=imbd", flag, cwd=tmp_path)


@pytest.mark.real_data
def test_imdb_runs_end_to_end_on_a_pretrained_encoder(shared_data, tmp_path):
    output = succeed(
        "--task=imdb",
        f"--data_dir={shared_data / 'tfds'}",
        f"--encoder={shared_data / 'models' / 'all-MiniLM-L6-v2'}",
        *("--train_examples=64", "--validation_examples=32", "--test_examples=32"),
        *("--max_length=32", "--epochs=1", "--run_dir=run"),
        cwd=tmp_path,
    )
    assert "64 train, 32 validation, 32 test" in output
    predicted = succeed("predict", "--model=saved_models/imdb", "--text=Fine.", cwd=tmp_path)
    assert predicted.split("\t")[0] in ("negative", "positive")
