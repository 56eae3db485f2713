"""A private run of each problem, from its data to the model card."""

import json

import pytest

from tests import finished, questions, tagged, text_pairs
from tests.running import call_ftkeras, succeed

pytestmark = pytest.mark.matrix
SHORT = [
    f"--encoder={finished.ENCODER}",
    *("--train_examples=48", "--validation_examples=16", "--test_examples=16"),
    *("--learning_rate=2e-3", "--batch_size=16", "--max_length=32", "--epochs=1", "--noreport"),
]
SPEC = "dp_sgd(noise=0.8, delta=1e-3, public_validation={})"
# The flags of each run, and whether the validation split has to be public.
RUNS = {
    "classification": (["--task=quickstart", "--export=saved_model"], False),
    "windows": (["--task=quickstart", "--truncation=windows(overlap=8)"], False),
    "token_classification": (["--data=reviews.conll"], False),
    "chain": (["--data=reviews.conll", "--head=crf"], False),
    "question_answering": (["--data=reviews.json"], True),
    "masked_lm": (["--task=masked_lm(train='reviews.txt', test='others.txt')"], False),
    "regression": (["--task=regression(train='scores.csv', scale='none')"], False),
    "similarity": (["--task=similarity(train='scored.csv', low=0, high=5)"], False),
    "head_only": (["--task=quickstart", "--policy=head_only"], False),
    "bfloat16": (["--task=quickstart", "--precision=mixed_bfloat16"], False),
    "recomputed": (["--task=quickstart", "--remat"], False),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with words, questions, texts, numbers and pairs."""
    folder = tmp_path_factory.mktemp("private")
    tagged.write_conll(folder / "reviews.conll", 200)
    questions.write_squad(folder / "reviews.json", 200)
    columns = ("sentence1", "sentence2", "score")
    text_pairs.write_csv(folder / "scored.csv", text_pairs.scored(200), *columns)
    texts = [" ".join(words) for words, _ in tagged.sentences(300)]
    for file, part in (("reviews.txt", texts[:200]), ("others.txt", texts[200:])):
        (folder / file).write_text("\n".join(part) + "\n")
    rows = [f'"{text}",{n % 7}' for n, text in enumerate(texts) if '"' not in text]
    (folder / "scores.csv").write_text("\n".join(["text,score", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_problem_is_trained_privately(folder, name):
    flags, public = RUNS[name]
    given = [*SHORT, *([] if "--export=saved_model" in flags else ["--export=none"]), *flags]
    private = f"--private={SPEC.format(public)}"
    shown = succeed("train", *given, private, f"--run_dir={name}", cwd=folder)
    assert "private  noise 0.8, clip 1" in shown
    assert "differentially private with respect to each training example" in shown
    metrics = json.loads((folder / name / "metrics.json").read_text())
    assert metrics["privacy"]["examples"] == metrics["data"]["train"]
    assert metrics["privacy"]["steps"] == metrics["train"]["steps"] == 3
    assert 0 < metrics["privacy"]["epsilon"] < 20
    assert metrics["test"]["loss"] < 30


def test_model_card_states_the_guarantee(folder):
    flags, public = RUNS["classification"]
    given = [*SHORT, *flags, f"--private={SPEC.format(public)}", "--export_dir=cards"]
    succeed("train", *given, "--run_dir=carded", cwd=folder)
    (export,) = folder.glob("cards/quickstart/*/")
    (card,) = (path.read_text() for path in export.rglob("*.md"))
    assert "## Privacy" in card
    assert "Accountant: pld, dp-accounting" in card
    assert "The epoch was selected on validation" not in card


def test_thresholds_need_a_public_validation_split(folder):
    private = f"--private={SPEC.format(False)}"
    done = call_ftkeras("train", *SHORT, "--data=reviews.json", private, cwd=folder)
    assert done.returncode == 2
    assert "thresholds are chosen on the validation split" in done.stderr
