"""Questions with options in the user's own file, through every verb."""

import csv
import json
import shutil

import pytest

from ftkeras.prediction import _python_session
from tests import choices, finished
from tests.running import call_ftkeras, succeed

SHORT = [
    "--data=train.csv",
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=5e-3", "--batch_size=16", "--max_length=32", "--epochs=2"),
    "--export_dir=saved",
]
QUESTION = "i loved the story"
pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a trained and exported run, and what it showed."""
    folder = tmp_path_factory.mktemp("choices")
    choices.write_csv(folder / "train.csv", 300)
    choices.write_csv(folder / "test.csv", 40, seed=1)
    flags = ["--run_dir=run", "--export=saved_model", "--export=huggingface"]
    return folder, succeed("train", *SHORT, *flags, "--test_data=test.csv", cwd=folder)


def _predict(folder, *flags: str) -> list[dict]:
    shown = succeed("predict", "--model=saved/train", "--json", *flags, cwd=folder)
    return [json.loads(line) for line in shown.splitlines()]


def test_run_learns_and_its_export_answers_questions_in_strings(trained):
    folder, shown = trained
    assert "task    multiple_choice, as 'choice0', 'choice1', 'choice2', 'choice3' of" in shown
    assert "each answer is the number from 0 of an option" in shown
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9
    assert metrics["test"]["guessing"] < 0.5
    lines = (folder / "run/predictions.jsonl").read_text().splitlines()
    expected = choices.questions(40, seed=1)
    for line, (_, options, answer) in zip(lines, expected, strict=True):
        row = json.loads(line)
        assert row["answer"] == answer
        assert len(row["probabilities"]) == len(options)
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
    (answer,) = _predict(folder, f"--text={QUESTION}", "--pair=it was bad !\nit was Superb !")
    assert (answer["label"], answer["answer"]) == ("it was Superb !", 1)
    assert answer["options"] == ["it was bad !", "it was Superb !"]
    assert answer["score"] == max(answer["probabilities"]) > 0.9


def test_questions_in_lines_and_tables_have_the_same_answers(trained):
    folder, _ = trained
    rows = choices.questions(5, seed=2)
    choices.write_csv(folder / "new.csv", 5, seed=2)
    lines = ("\t".join([question, *options]) for question, options, _ in rows)
    (folder / "new.txt").write_text("\n".join(lines) + "\n")
    records = (json.dumps({"question": q, "choices": options}) for q, options, _ in rows)
    (folder / "new.jsonl").write_text("\n".join(records) + "\n")
    found = _predict(folder, "--input=new.txt")
    assert [answer["options"] for answer in found] == [options for _, options, _ in rows]
    assert _predict(folder, "--input=new.csv") == found
    named = ["--text_column=question", "--pair_column=choices"]
    assert _predict(folder, "--input=new.jsonl", *named) == found


def test_question_with_more_options_than_in_training_is_refused(trained):
    folder, _ = trained
    flags = ["predict", "--model=saved/train", f"--text={QUESTION}", "--pair=a\nb\nc\nd\ne"]
    done = call_ftkeras(*flags, cwd=folder)
    assert done.returncode == 2
    refusal = "a question has more options than 4, the most that the model was trained on"
    assert refusal in done.stderr
    in_python = _python_session.Session(folder / "saved" / "train" / "1", "serving_default")
    with pytest.raises(ValueError, match=refusal):
        in_python.run({"text": [b"Which?"], "pair": [b"a\nb\nc\nd\ne"]})


def test_resumed_run_ends_with_the_same_bits(trained):
    folder, _ = trained
    short = [*SHORT, "--test_data=test.csv", "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", *short, "--last_epoch=1", cwd=folder)
    succeed("train", *short, cwd=folder)
    names = ("weights.safetensors", "predictions.jsonl")
    whole, halves = ([(folder / run / n).read_bytes() for n in names] for run in ("run", "halves"))
    assert whole == halves


def test_compare_tests_the_accuracy(trained):
    folder, _ = trained
    short = [*SHORT, "--test_data=test.csv", "--export=none", "--run_dir=other", "--seed=2"]
    succeed("train", *short, "--regularizer=r_drop", cwd=folder)
    shown = succeed("compare", "run", "other", "--output=out", "--resamples=200", cwd=folder)
    assert "accuracy" in shown
    result = json.loads((folder / "out" / "compare.json").read_text())
    assert "log_loss" in json.dumps(result)


def test_run_is_evaluated_on_other_files(trained):
    folder, _ = trained
    rows = choices.questions(30, seed=3)
    records = [{"question": q, "choices": o, "answer": "ABCD"[a]} for q, o, a in rows]
    (folder / "other.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    named = ["--pair_column=choices", "--label_column=answer"]
    shown = succeed("evaluate", "--run_dir=run", "--data=other.jsonl", *named, cwd=folder)
    assert "each answer is the letter of an option" in shown
    metrics = json.loads((folder / "run/metrics-other.json").read_text())
    assert metrics["test"]["accuracy"] > 0.9


def test_huggingface_folder_holds_a_multiple_choice_model(trained):
    folder, _ = trained
    config = json.loads((folder / "run/huggingface/config.json").read_text())
    assert config["architectures"] == ["BertForMultipleChoice"]
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    from transformers import AutoModelForMultipleChoice, AutoTokenizer

    model = AutoModelForMultipleChoice.from_pretrained(folder / "run/huggingface").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "run/huggingface")
    for line in (folder / "run/samples.jsonl").read_text().splitlines():
        sample = json.loads(line)
        options = sample["pair"].split("\n")
        rows = tokenizer(
            [sample["text"]] * len(options), options, padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            found = model(**{name: value[None] for name, value in rows.items()}).logits[0]
        expected = sample["probabilities"]
        assert found.softmax(-1).tolist() == pytest.approx(expected, abs=1e-5)


def test_training_goes_on_from_the_classifier_of_a_huggingface_folder(trained):
    folder, _ = trained
    flags = [flag for flag in SHORT if not flag.startswith(("--encoder", "--epochs"))]
    more = ["--encoder=run/huggingface", "--head=checkpoint", "--epochs=1", "--run_dir=more"]
    shown = succeed("train", *flags, *more, "--export=none", cwd=folder)
    assert "head     the checkpoint's classifier" in shown
    (epoch,) = csv.DictReader((folder / "more/history.csv").open())
    assert float(epoch["accuracy"]) > 0.95


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("--batching=packed", "all options of a question are in one batch, each in a row"),
        ("--batch_tokens=512", "each example has several rows; use --batch_size"),
        ("--export=onnx", "its graph would take the rows of options"),
        ("--loss=cross_entropy(label_smoothing=0.1)", "options that a question lacks would get"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(trained, flag, reason):
    folder, _ = trained
    shutil.rmtree(folder / "refused", ignore_errors=True)
    done = call_ftkeras("train", *SHORT, "--run_dir=refused", flag, cwd=folder)
    assert done.returncode == 2
    assert reason in done.stderr


def test_answer_that_is_no_option_is_named_with_its_line(trained):
    folder, _ = trained
    text = (folder / "train.csv").read_text().splitlines()
    text[3] = text[3][:-1] + "9"
    (folder / "bad.csv").write_text("\n".join(text) + "\n")
    done = call_ftkeras("train", *SHORT, "--test_data=bad.csv", "--run_dir=bad", cwd=folder)
    assert done.returncode == 2
    assert "line 4 of 'bad.csv' has the answer '9', which is not the number from 0" in done.stderr
