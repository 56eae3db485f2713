"""Questions in the user's own file, through every verb."""

import json
import pathlib

import pytest

from ftkeras.explanations.explanation import Explanation
from tests import finished, questions
from tests.running import call_ftkeras, succeed

SHORT = [
    "--data=reviews.json",
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=5e-3", "--batch_size=8", "--max_length=20", "--epochs=8"),
    *("--batching=packed", "--truncation=windows(overlap=6)", "--export_dir=saved"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a trained and exported run, and what it showed."""
    folder = tmp_path_factory.mktemp("questions")
    questions.write_squad(folder / "reviews.json", 600)
    return folder, succeed("train", *SHORT, "--run_dir=run", cwd=folder)


def _rows(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.process
def test_run_learns_and_its_export_answers_strings(trained):
    folder, shown = trained
    assert "task    question_answering, as 'reviews.json' holds questions and contexts" in shown
    assert "412 of 557 without an answer" in shown
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.85
    rows = _rows(folder / "run/predictions.jsonl")
    assert all(row["n_best"] for row in rows)
    context = "Ünfair: the  story, but we know it will not work, and so does everyone else here."
    flags = [
        *("--text=the what?", f"--pair={context}", "--text=why not?", f"--pair={context}"),
        *("--text=the what?", "--pair="),
    ]
    answers = succeed("predict", "--model=saved/reviews", "--json", *flags, cwd=folder).splitlines()
    first, second, third = map(json.loads, answers)
    assert [first[name] for name in ("answer", "start", "end")] == ["story", 13, 18]
    assert [second[name] for name in ("answer", "start")] == ["not", context.index("not")]
    assert third["answer"] is None
    written = ["--input=reviews.json", "--output=answers.jsonl"]
    succeed("predict", "--model=saved/reviews", *written, cwd=folder)
    lines = _rows(folder / "answers.jsonl")
    assert list(lines[0])[:4] == ["id", "question", "context", "predicted"]
    found = {line["id"]: line["predicted"] for line in lines}
    for row in rows:
        assert found[row["question"]] == (row["predicted"] and row["predicted"]["text"])
    flags += ["--threshold=-1e9"]
    answers = succeed("predict", "--model=saved/reviews", "--json", *flags, cwd=folder).splitlines()
    assert [json.loads(line)["answer"] for line in answers] == [None, None, None]


def test_exports_losses_and_heads_that_do_not_fit_are_refused_by_name(tmp_path):
    questions.write_squad(tmp_path / "reviews.json", 40)
    for flag, reason in (
        ("--export=onnx", "its answers are found by operations that ONNX lacks"),
        ("--export=litert", "its answers are found by operations that LiteRT lacks"),
        ("--loss=focal", "use span_cross_entropy"),
        ("--head=classification", "use question_answering"),
    ):
        done = call_ftkeras("train", *SHORT, flag, "--run_dir=run", cwd=tmp_path)
        assert done.returncode == 2
        assert "question answerer" in done.stderr
        assert reason in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.process
def test_answers_are_explained_by_the_tokens_that_they_are_found_by(trained):
    folder, _ = trained
    context = "Well, we know it will not work, and so does everyone else here, but why the fuss?"
    asked = ["--text=why not?", f"--pair={context}", "--text=the what?", "--pair=a film"]
    shown = succeed("explain", "--run_dir=run", "--json", "--steps=64", *asked, cwd=folder)
    first, second = (Explanation(json.loads(line)) for line in shown.splitlines())
    assert (first["answer"], first["explained"]) == ("not", "answer")
    tokens = dict(zip(first["tokens"], first["attributions"], strict=True))
    assert max(tokens, key=lambda token: tokens[token]) == "not"
    assert abs(first["gap"]) < 0.1 * sum(map(abs, first["attributions"]))
    start, end = first["part"]
    assert "not work" in context[start:end]
    assert len(context[start:end]) < len(context)  # the window that holds the answer
    assert "".join(piece for piece, _ in first.pieces()) == first.whole_text
    assert dict(first.pieces())["not"] == pytest.approx(1)
    assert second["explained"] == "no answer"
    for flags, reason in (
        (["--method=occlusion"], "are explained by integrated_gradients alone"),
        (["--label=start"], "is explained as a whole"),
    ):
        done = call_ftkeras("explain", "--run_dir=run", *asked, *flags, cwd=folder)
        assert done.returncode == 2
        assert reason in done.stderr
    done = call_ftkeras("explain", "--model=saved/reviews", *asked, cwd=folder)
    assert "can't be explained; use `run_dir`" in done.stderr.replace("--run_dir", "`run_dir`")
    succeed("report", "--run_dir=run", "--explanations=3", cwd=folder)
    assert "the highlighted tokens speak for" in (folder / "run/report.html").read_text()


@pytest.mark.process
def test_batchings_evaluate_to_the_same_and_a_resumed_run_ends_with_the_same_bits(trained):
    folder, _ = trained
    before = json.loads((folder / "run/metrics.json").read_text())["test"]
    predictions = _rows(folder / "run/predictions.jsonl")
    for batching in ("padded", "bucketed"):
        settings = (folder / "run/run.cfg").read_text()
        (folder / "run/run.cfg").write_text(settings.replace("packed", batching))
        succeed("evaluate", "--run_dir=run", cwd=folder)
        (folder / "run/run.cfg").write_text(settings)
        again = json.loads((folder / "run/metrics.json").read_text())["test"]
        assert again["f1"] == before["f1"]
        assert again["loss"] == pytest.approx(before["loss"], rel=1e-4)
        assert [row["predicted"] and row["predicted"]["text"] for row in predictions] == [
            row["predicted"] and row["predicted"]["text"]
            for row in _rows(folder / "run/predictions.jsonl")
        ]
    short = [*SHORT, "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", *short, "--last_epoch=2", cwd=folder)
    succeed("train", *short, cwd=folder)
    whole, halves = (
        (folder / run / "weights.safetensors").read_bytes() for run in ("run", "halves")
    )
    assert whole == halves


@pytest.mark.process
def test_hugging_face_export_scores_tokens_the_same(trained):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    folder, _ = trained
    succeed("export", "--run_dir=run", "--export=huggingface", cwd=folder)
    model = AutoModelForQuestionAnswering.from_pretrained(folder / "run/huggingface").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "run/huggingface")
    checked = 0
    for sample in _rows(folder / "run/samples.jsonl"):
        inputs = tokenizer(sample["text"], sample["pair"], return_tensors="pt")
        if inputs["input_ids"].shape[1] > 20:  # more than one window
            continue
        with torch.no_grad():
            found = model(**inputs)
        start, end = found.start_logits[0], found.end_logits[0]
        owners = inputs.sequence_ids(0)
        spans = [
            (float(start[i] + end[j]), i, j)
            for i in range(len(owners))
            for j in range(i, min(i + 30, len(owners)))
            if owners[i] == owners[j] == 1
        ]
        best, first, last = max(spans)
        characters = inputs.token_to_chars(0, first).start, inputs.token_to_chars(0, last).end
        span = sample["n_best"][0]
        assert characters == (span["start"], span["end"])
        diff = float(start[0] + end[0]) - best
        assert diff == pytest.approx(sample["null_score_diff"], abs=1e-3)
        checked += 1
    assert checked > 10


@pytest.mark.process
def test_compare_tests_the_f1_of_answers(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=r_drop", "--regularizer=r_drop", "--epochs=2"]
    succeed("train", *short, cwd=folder)
    shown = succeed("compare", "run", "r_drop", "--output=out", "--resamples=200", cwd=folder)
    assert "exact_match" in shown
    result = json.loads((folder / "out" / "compare.json").read_text())
    assert "f1_values" in result["ways"][0]


@pytest.mark.matrix
@pytest.mark.parametrize(
    "flags",
    [
        ["--batching=padded", "--accumulate=2"],
        ["--regularizer=smart", "--batching=padded"],
        ["--regularizer=freelb", "--batching=padded"],
        ["--regularizer=confidence_penalty"],
        ["--strategy=mirrored(logical_devices=2)", "--batching=padded"],
        ["--precision=mixed_bfloat16"],
        ["--precision=mixed_float16"],
        ["--policy=lora"],
        ["--policy=head_only"],
        ["--jit_compile=true"],
        ["--folds=2", "--fold=0"],
        ["--truncation=head"],
    ],
    ids=lambda flags: flags[0],
)
def test_run_is_trained_in_every_way(tmp_path, flags):
    questions.write_squad(tmp_path / "reviews.json", 80)
    succeed("train", *SHORT, "--epochs=1", "--export=none", "--run_dir=run", *flags, cwd=tmp_path)
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert 0 <= metrics["test"]["f1"] <= 1
