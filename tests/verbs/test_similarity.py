"""Sentence embeddings from the user's own pairs of texts, through every verb."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import ftkeras
from ftkeras.prediction.predictor import Predictor
from tests import finished, text_pairs
from tests.running import call_ftkeras, succeed

SCORED = "--task=similarity(train='scored.csv', test='scored_test.csv')"
POSITIVE = "--task=similarity(train='positive.csv', test='positive_test.csv')"
SHORT = [
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=5e-3", "--batch_size=16", "--max_length=32", "--epochs=3"),
]
TEXTS = ["the film was superb !", "i call this dull plot so"]
pytestmark = pytest.mark.process


def _write(folder: pathlib.Path) -> None:
    for name, count, seed in (("", 300, 0), ("_test", 60, 1)):
        rows = text_pairs.scored(count, seed=seed)
        text_pairs.write_csv(folder / f"scored{name}.csv", rows, "sentence1", "sentence2", "score")
        rows = text_pairs.positive(count, seed=seed)
        text_pairs.write_csv(folder / f"positive{name}.csv", rows, "anchor", "positive")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a run on scores, a run on positive pairs, and their exports."""
    folder = tmp_path_factory.mktemp("pairs")
    _write(folder)
    shown = {}
    for name, task in (("scored", SCORED), ("positive", POSITIVE)):
        flags = [f"--run_dir={name}", f"--export_dir=saved/{name}", "--export=saved_model"]
        shown[name] = succeed("train", task, *SHORT, *flags, "--export=huggingface", cwd=folder)
    (folder / "shown.json").write_text(json.dumps(shown))
    return folder


def _metrics(folder, run) -> dict:
    return json.loads((folder / run / "metrics.json").read_text())


def _lines(folder, run) -> list[dict]:
    lines = (folder / run / "predictions.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _model(folder, name) -> pathlib.Path:
    return next((folder / "saved" / name).glob("*/*/saved_model.pb")).parent


def test_run_learns_scores(folder):
    shown = json.loads((folder / "shown.json").read_text())["scored"]
    assert "texts from 'sentence1' and 'sentence2', score from 'score'" in shown
    found = _metrics(folder, "scored")["test"]
    assert found["pearson"] > 0.95
    assert found["spearman"] > 0.6
    for line, (*_, score) in zip(
        _lines(folder, "scored"), text_pairs.scored(60, seed=1), strict=True
    ):
        assert line["score"] == score
        assert abs(line["cosine"] - line["target"]) < 0.4


def test_run_learns_positive_pairs(folder):
    shown = json.loads((folder / "shown.json").read_text())["positive"]
    assert "task    positive_pairs, as 'positive.csv' has no column of scores" in shown
    found = _metrics(folder, "positive")["test"]
    assert found["mrr"] > 0.7
    assert found["recall_at_10"] > found["recall_at_1"] > 0.5
    ranks = np.array([line["rank"] for line in _lines(folder, "positive")])
    assert (1 / ranks).mean() == pytest.approx(found["mrr"])


@pytest.mark.parametrize("name", ["scored", "positive"])
def test_export_embeds_texts_whose_product_is_the_cosine_of_the_pair(folder, name):
    model = ftkeras.load(_model(folder, name))
    (answer,) = model.answers(TEXTS[:1], TEXTS[1:])
    vectors = model.embed([*TEXTS, "the film"])
    assert vectors.shape == (3, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert answer["cosine"] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    sample = json.loads((folder / name / "samples.jsonl").read_text().splitlines()[0])
    first, second = model.embed([sample["text"], sample["pair"]])
    assert sample["cosine"] == pytest.approx(float(first @ second), abs=1e-5)


def test_predict_reads_pairs_of_lines_and_tables(folder):
    rows = text_pairs.scored(5, seed=2)
    (folder / "new.txt").write_text("".join(f"{a}\t{b}\n" for a, b, _ in rows))
    text_pairs.write_csv(folder / "new.csv", [row[:2] for row in rows], "sentence1", "sentence2")
    model = f"--model={_model(folder, 'scored')}"
    shown = succeed("predict", model, "--json", "--input=new.txt", cwd=folder).splitlines()
    found = [json.loads(line)["cosine"] for line in shown]
    succeed("predict", model, "--input=new.csv", "--output=out.jsonl", cwd=folder)
    written = (folder / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["cosine"] for line in written] == pytest.approx(found, abs=1e-6)
    (line,) = succeed(
        "predict", model, f"--text={rows[0][0]}", f"--pair={rows[0][1]}", cwd=folder
    ).splitlines()
    assert f"{found[0]:.4f}" in line


def test_resumed_run_ends_with_the_same_bits(folder):
    short = [*SHORT, "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", POSITIVE, *short, "--last_epoch=1", cwd=folder)
    succeed("train", POSITIVE, *short, cwd=folder)
    names = ("weights.safetensors", "predictions.jsonl")
    whole, halves = (
        [(folder / run / n).read_bytes() for n in names] for run in ("positive", "halves")
    )
    assert whole == halves


@pytest.mark.parametrize(
    ("task", "name", "tested"),
    [(SCORED, "scored", "mean absolute error"), (POSITIVE, "positive", "ranks the right answers")],
)
def test_compare_evaluate_and_crossvalidate(folder, task, name, tested):
    short = [*SHORT, "--export=none", f"--run_dir={name}-other", "--seed=2"]
    succeed("train", task, *short, "--regularizer=fgm", "--batching=padded", cwd=folder)
    runs = [name, f"{name}-other"]
    succeed("compare", *runs, f"--output=out-{name}", "--resamples=200", cwd=folder)
    result = (folder / f"out-{name}" / "compare.json").read_text()
    assert ("recall_at_10" if name == "positive" else "spearman") in result
    columns = ("anchor", "positive") if name == "positive" else ("sentence1", "sentence2", "score")
    rows = text_pairs.positive(30, seed=3) if name == "positive" else text_pairs.scored(30, seed=3)
    text_pairs.write_csv(folder / f"other-{name}.csv", rows, *columns)
    shown = succeed("evaluate", f"--run_dir={name}", f"--data=other-{name}.csv", cwd=folder)
    assert ("mrr" if name == "positive" else "spearman") in shown
    shown = succeed("crossvalidate", task, *SHORT, "--folds=2", f"--run_dir=cv-{name}", cwd=folder)
    assert ("mrr" if name == "positive" else "spearman") in shown


@pytest.mark.parametrize("name", ["scored", "positive"])
def test_transformers_computes_the_same_vectors(folder, name):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    from transformers import AutoModel, AutoTokenizer

    home = folder / name / "huggingface"
    model, tokenizer = AutoModel.from_pretrained(home).eval(), AutoTokenizer.from_pretrained(home)
    inputs = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    means = (states * mask).sum(1) / mask.sum(1)
    found = torch.nn.functional.normalize(means, dim=-1).numpy()
    expected = ftkeras.load(_model(folder, name)).embed(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_huggingface_folder_is_one_of_sentence_transformers(folder):
    home = folder / "scored" / "huggingface"
    assert json.loads((home / "config.json").read_text())["architectures"] == ["BertModel"]
    modules = json.loads((home / "modules.json").read_text())
    assert [module["path"] for module in modules] == ["", "1_Pooling", "2_Normalize"]
    pooling = json.loads((home / "1_Pooling" / "config.json").read_text())
    assert pooling["pooling_mode_mean_tokens"] is True
    assert pooling["word_embedding_dimension"] == 32
    assert "pipeline_tag: sentence-similarity" in (home / "README.md").read_text()
    transformers = pytest.importorskip("sentence_transformers")
    found = transformers.SentenceTransformer(str(home), device="cpu").encode(TEXTS)
    expected = ftkeras.load(_model(folder, "scored")).embed(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("flag", "reason"),
    [
        ("--batching=packed", "each text of a pair is a row of its own"),
        ("--batch_tokens=512", "each example has several rows; use --batch_size"),
        ("--export=onnx", "its graph would take two rows for a pair"),
        ("--regularizer=r_drop", "it compares probabilities, and vectors have none"),
        ("--policy=head_only", "the head has no weights"),
        ("--loss=in_batch_negatives", "use cosine_regression"),
        ("--truncation=windows", "--truncation=windows can't be used with"),
        ("--class_weights=balanced", "--class_weights"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(folder, flag, reason):
    shutil.rmtree(folder / "refused", ignore_errors=True)
    done = call_ftkeras("train", SCORED, *SHORT, "--run_dir=refused", flag, cwd=folder)
    assert done.returncode == 2
    assert reason in done.stderr


def test_score_that_is_no_number_is_named_with_its_line(folder):
    rows = text_pairs.scored(40)
    rows[2] = (*rows[2][:2], "nan")
    text_pairs.write_csv(folder / "bad.csv", rows, "sentence1", "sentence2", "score")
    task = "--task=similarity(train='bad.csv', label='score')"
    done = call_ftkeras("train", task, *SHORT, "--run_dir=bad", cwd=folder)
    assert done.returncode == 2
    assert "line 4 of 'bad.csv': the answer must be a finite number" in done.stderr


def test_export_has_a_signature_for_texts_and_none_for_rows(folder):
    found = Predictor(_model(folder, "scored")).signatures
    assert {"serving_default", "pair", "embed"} <= set(found)
    assert "token_ids" not in found
