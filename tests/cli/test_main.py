"""The command line as a process: a whole run, and all that is done with it after."""

import csv
import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from tests.running import QUICK, run_ftkeras

FIGURES = {"accuracy", "loss", "precision", "recall", "f1", "auc", "examples"}


def _predictions(run) -> list[dict]:
    return [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]


def test_run_leaves_its_figures(finished_run):
    metrics = json.loads((finished_run / "run" / "metrics.json").read_text())
    assert set(metrics["validation"]) == set(metrics["test"]) == FIGURES
    assert metrics["test"]["examples"] == np.sum(metrics["confusion"]) == 60
    assert metrics["data"]["train"] == 600
    train = metrics["train"]
    assert (train["steps"], train["best_epoch"] in (1, 2)) == (2 * 19, True)
    assert train["seconds_to_first_step"] > 0
    assert train["tokens_per_second"] > train["examples_per_second"] > 0
    assert train["peak_memory_bytes"] > 10**8
    assert {"tensorflow", "keras", "python", "ftkeras"} <= set(metrics["versions"])


def test_run_leaves_a_row_an_epoch(finished_run):
    rows = list(csv.DictReader((finished_run / "run" / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    best = json.loads((finished_run / "run" / "metrics.json").read_text())
    accuracies = [float(row["val_accuracy"]) for row in rows]
    assert accuracies.index(max(accuracies)) + 1 == best["train"]["best_epoch"]
    assert max(accuracies) == pytest.approx(best["validation"]["accuracy"], abs=1e-6)


def test_run_leaves_a_prediction_a_text(finished_run):
    predictions = _predictions(finished_run / "run")
    assert len({p["id"] for p in predictions}) == 60
    right = np.mean([p["label"] == p["predicted"] for p in predictions])
    metrics = json.loads((finished_run / "run" / "metrics.json").read_text())
    assert right == pytest.approx(metrics["test"]["accuracy"])
    assert all(sum(p["probabilities"]) == pytest.approx(1, abs=1e-5) for p in predictions)


def test_run_shows_what_it_does(finished_run):
    said = (finished_run / "stdout.txt").read_text()
    assert "examples: 600 train, 500 validation, 60 test" in said
    assert "parameters" in said
    assert "38 steps in 2 epochs" in said
    progress = (finished_run / "stderr.txt").read_text()
    assert "training takes about" in progress
    assert "epoch 2/2" in progress


def test_standard_error_holds_no_chatter(finished_run):
    lines = (finished_run / "stderr.txt").read_text().splitlines()
    progress = r"epoch \d/\d|[\d,]+ tokens/s|[\d.]+% of the time"
    assert [line for line in lines if not re.match(progress, line)] == []


def test_run_writes_tensorboard_logs_where_asked(finished_run):
    assert list((finished_run / "run" / "tensorboard").rglob("events.out.*"))


def test_same_flagfile_gives_same_numbers(finished_run):
    again = run_ftkeras(
        "--flagfile=run/run.cfg", "--run_dir=again", "--export=none", cwd=finished_run
    )
    assert again.returncode == 0, again.stderr
    for name in ("predictions.jsonl", "weights.safetensors"):
        first, second = (finished_run / run / name for run in ("run", "again"))
        assert first.read_bytes() == second.read_bytes()


def test_evaluate_measures_the_same_again(finished_run):
    run = finished_run / "run"
    before, predicted = json.loads((run / "metrics.json").read_text()), _predictions(run)
    done = run_ftkeras("evaluate", "--run_dir=run", cwd=finished_run)
    assert done.returncode == 0, done.stderr
    after = json.loads((run / "metrics.json").read_text())
    assert after["train"] == before["train"]
    for split in ("validation", "test"):
        assert after[split] == pytest.approx(before[split], abs=1e-4)
    for one, other in zip(_predictions(run), predicted, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_export_takes_the_next_version(finished_run):
    done = run_ftkeras("export", "--run_dir=run", "--export=saved_model", cwd=finished_run)
    assert done.returncode == 0, done.stderr
    versions = {path.name for path in (finished_run / "saved_models" / "quickstart").iterdir()}
    assert {"1", "2"} <= versions
    assert all(name.isdigit() for name in versions)


TEXTS = ["Worth every minute.", "A waste of time.", "", "Naïve [SEP] \u2603 電影"]


def test_predict_answers_each_text_in_order(finished_run):
    arguments = ["predict", "--model=saved_models/quickstart", "--json"]
    done = run_ftkeras(*arguments, *(f"--text={text}" for text in TEXTS), cwd=finished_run)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["text"] for answer in answers] == TEXTS
    assert {answer["label"] for answer in answers} <= {"negative", "positive"}
    assert all(answer["score"] == max(answer["probabilities"]) for answer in answers)


def test_predict_reads_a_file_as_standard_input(finished_run):
    content = "\n".join(TEXTS) + "\n\xff\n"
    (finished_run / "reviews.txt").write_bytes(content.encode("utf-8") + b"\xff\n")
    model = "--model=saved_models/quickstart"
    of_file = run_ftkeras("predict", model, "--input=reviews.txt", cwd=finished_run)
    with (finished_run / "reviews.txt").open() as file:
        of_input = run_ftkeras("predict", model, cwd=finished_run, stdin=file)
    assert of_file.returncode == of_input.returncode == 0
    assert of_file.stdout == of_input.stdout
    assert len(of_file.stdout.splitlines()) == len(TEXTS) + 2


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


def test_export_serves_without_ftkeras_what_predict_says(finished_run):
    arguments = ["predict", "--model=saved_models/quickstart/1", "--json"]
    done = run_ftkeras(*arguments, *(f"--text={text}" for text in TEXTS), cwd=finished_run)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    served = _serve(finished_run / "saved_models" / "quickstart" / "1", TEXTS)
    assert served["label"] == [answer["label"] for answer in answers]
    np.testing.assert_allclose(
        served["probabilities"], [answer["probabilities"] for answer in answers], atol=1e-5
    )
    assert served["ids"] == {"logits": [2, 2], "probabilities": [2, 2]}


def test_export_serves_what_was_evaluated(finished_run):
    from ftkeras.tasks.quickstart import Quickstart

    test = list(Quickstart().splits()["test"].as_numpy_iterator())
    predictions = _predictions(finished_run / "run")
    texts = [test[int(p["id"].removeprefix("test-"))]["text"].decode() for p in predictions]
    served = _serve(finished_run / "saved_models" / "quickstart" / "1", texts)
    np.testing.assert_allclose(
        served["probabilities"], [p["probabilities"] for p in predictions], atol=1e-5
    )


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


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_says_how_to_go_on(tmp_path, asked):
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
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + asked
    assert "Traceback" not in said
    assert "repeat the command with --run_dir=run" in said
    measured = run_ftkeras("evaluate", "--run_dir=run", cwd=tmp_path)
    if asked == signal.SIGINT:  # who stops it by hand may want to look at it
        assert "evaluate --run_dir=run" in said
        assert measured.returncode == 0
    else:
        assert measured.returncode == 2
        assert "kept no weights" in measured.stderr


def test_reader_that_goes_away_ends_the_process_quietly(finished_run):
    (finished_run / "many.txt").write_text("Worth every minute.\n" * 20_000)
    command = [sys.executable, "-m", "ftkeras.main", "predict", "--model=saved_models/quickstart"]
    process = subprocess.Popen(
        [*command, "--input=many.txt"],
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
def test_debug_shows_where_it_went_wrong(tmp_path, flag):
    done = run_ftkeras("--task=imbd", flag, cwd=tmp_path)
    assert done.returncode != 0
    assert "Traceback" in done.stderr


@pytest.mark.shared_data
def test_imdb_runs_end_to_end_on_a_pretrained_encoder(shared_data, tmp_path):
    done = run_ftkeras(
        "--task=imdb",
        f"--data_dir={shared_data / 'tfds'}",
        f"--encoder={shared_data / 'models' / 'all-MiniLM-L6-v2'}",
        *("--train_examples=64", "--validation_examples=32", "--test_examples=32"),
        *("--max_length=32", "--epochs=1", "--run_dir=run"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "64 train, 32 validation, 32 test" in done.stdout
    predicted = run_ftkeras("predict", "--model=saved_models/imdb", "--text=Fine.", cwd=tmp_path)
    assert predicted.stdout.split("\t")[0] in ("negative", "positive")
