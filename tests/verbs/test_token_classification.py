"""Entities in the user's own file, through every verb."""

import json
import pathlib

import pytest

from tests import finished, tagged
from tests.running import call_ftkeras, succeed

SHORT = [
    "--data=reviews.conll",
    f"--encoder={finished.ENCODER}",
    *("--learning_rate=5e-3", "--batch_size=8", "--max_length=32", "--epochs=6"),
    *("--batching=packed", "--export_dir=saved"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a folder with a trained and exported run, and what it showed."""
    folder = tmp_path_factory.mktemp("entities")
    tagged.write_conll(folder / "reviews.conll", 400)
    shown = succeed("train", *SHORT, "--run_dir=run", cwd=folder)
    return folder, shown


def _rows(path: pathlib.Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.process
def test_run_learns_and_its_export_finds_entities_in_raw_text(trained):
    folder, shown = trained
    assert "task    token_classification, as 'reviews.conll' holds tagged texts, CoNLL" in shown
    columns = "words from column 0, tags from the last column"
    assert f"data    CoNLL, {columns}, 1 line -DOCSTART- skipped" in shown
    metrics = json.loads((folder / "run/metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.85
    assert {row["type"] for row in metrics["test"]["per_type"]} == {"THING", "NOT"}
    rows = _rows(folder / "run/predictions.jsonl")
    assert all(row.keys() == {"id", "entities", "predicted", "tags"} for row in rows)
    texts = ["Ünfair: the  story,did not work.", ""]
    flags = [f"--text={text}" for text in texts]
    answers = succeed("predict", "--model=saved/reviews", "--json", *flags, cwd=folder).splitlines()
    first, second = (json.loads(line)["entities"] for line in answers)
    assert [(e["type"], e["text"], e["start"], e["end"]) for e in first] == [
        ("THING", "story", 13, 18),
        ("NOT", "not", 23, 26),
    ]
    assert second == []


def test_exports_and_heads_that_do_not_fit_are_refused_by_name(tmp_path):
    tagged.write_conll(tmp_path / "reviews.conll", 20)
    for flag, reason in (
        ("--export=onnx", "its entities are found by operations that ONNX lacks"),
        ("--export=litert", "its entities are found by operations that LiteRT lacks"),
        ("--loss=mean_squared_error", "use cross_entropy, focal"),
        ("--head=classification", "use token_classification"),
    ):
        done = call_ftkeras("train", *SHORT, flag, "--run_dir=run", cwd=tmp_path)
        assert done.returncode == 2
        assert "entity recognizer" in done.stderr
        assert reason in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


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
        assert again.pop("per_type") == before["per_type"]
        assert again == pytest.approx({name: before[name] for name in again}, rel=1e-4)
        assert [row["tags"] for row in _rows(folder / "run/predictions.jsonl")] == [
            row["tags"] for row in predictions
        ]
    short = [*SHORT, "--export=none", "--run_dir=halves", "--keep_state"]
    succeed("train", *short, "--last_epoch=2", cwd=folder)
    succeed("train", *short, cwd=folder)
    whole, halves = (
        (folder / run / "weights.safetensors").read_bytes() for run in ("run", "halves")
    )
    assert whole == halves


@pytest.mark.process
def test_hugging_face_export_finds_the_same_tags(trained):
    torch = pytest.importorskip("torch", reason="transformers runs models in PyTorch only")
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    folder, _ = trained
    succeed("export", "--run_dir=run", "--export=huggingface", cwd=folder)
    model = AutoModelForTokenClassification.from_pretrained(folder / "run/huggingface").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "run/huggingface")
    for sample in _rows(folder / "run/samples.jsonl"):
        inputs = tokenizer(sample["text"].split(), is_split_into_words=True, return_tensors="pt")
        words = inputs.word_ids()
        first = [at for at, word in enumerate(words) if word not in (None, words[at - 1])]
        with torch.no_grad():
            best = model(**inputs).logits[0].argmax(-1).tolist()
        assert [model.config.id2label[best[at]] for at in first] == sample["tags"]


@pytest.mark.process
def test_compare_tests_the_share_of_texts_that_are_right(trained):
    folder, _ = trained
    short = [*SHORT, "--export=none", "--run_dir=r_drop", "--regularizer=r_drop"]
    succeed("train", *short, cwd=folder)
    shown = succeed("compare", "run", "r_drop", "--output=out", "--resamples=200", cwd=folder)
    assert "exact_match" in shown
    result = json.loads((folder / "out" / "compare.json").read_text())
    assert "exact_matches" in result["ways"][0]


CRF = ["--head=crf(dropout=0.0)", "--export_dir=crf_saved", "--run_dir=crf"]


@pytest.fixture(scope="module")
def chain(trained):
    """Return the folder with a run whose tags are a chain, trained in packed rows."""
    folder, _ = trained
    succeed("train", *SHORT, *CRF, cwd=folder)
    return folder


@pytest.mark.process
def test_chain_of_tags_learns_and_is_served(chain):
    metrics = json.loads((chain / "crf/metrics.json").read_text())
    assert metrics["test"]["f1"] > 0.85
    command = ("predict", "--model=crf_saved/reviews", "--json", "--text=the story did not work.")
    (line,) = succeed(*command, cwd=chain).splitlines()
    entities = json.loads(line)["entities"]
    assert [(e["type"], e["start"]) for e in entities] == [("THING", 4), ("NOT", 14)]
    assert all(0.5 < e["score"] <= 1 for e in entities)


@pytest.mark.process
def test_chains_do_not_depend_on_the_batching_and_resume_with_the_same_bits(chain):
    before = json.loads((chain / "crf/metrics.json").read_text())["test"]
    settings = (chain / "crf/run.cfg").read_text()
    for batching in ("padded", "bucketed"):
        (chain / "crf/run.cfg").write_text(settings.replace("packed", batching))
        succeed("evaluate", "--run_dir=crf", cwd=chain)
        (chain / "crf/run.cfg").write_text(settings)
        again = json.loads((chain / "crf/metrics.json").read_text())["test"]
        assert again.pop("per_type") == before["per_type"]
        assert again == pytest.approx({name: before[name] for name in again}, rel=1e-4)
    halves = [*SHORT, CRF[0], "--export=none", "--run_dir=crf_halves", "--keep_state"]
    succeed("train", *halves, "--last_epoch=2", cwd=chain)
    succeed("train", *halves, cwd=chain)
    whole, resumed = (
        (chain / r / "weights.safetensors").read_bytes() for r in ("crf", "crf_halves")
    )
    assert whole == resumed


@pytest.mark.process
@pytest.mark.parametrize(
    "flags",
    [
        ("--batching=padded", "--accumulate=2", "--policy=lora"),
        ("--batching=bucketed", "--strategy=mirrored(logical_devices=2)"),
        ("--batching=packed", "--jit_compile=true"),
        ("--truncation=windows(overlap=4)", "--max_length=16"),
        ("--precision=mixed_bfloat16", "--regularizer=fgm", "--average=ema"),
    ],
)
def test_chains_train_with_other_parts(chain, tmp_path, flags):
    short = [flag for flag in SHORT if flag.partition("=")[0] not in ("--epochs", "--batching")]
    command = (*short, CRF[0], "--epochs=1", "--export=none", f"--run_dir={tmp_path}/run")
    succeed("train", *command, *flags, cwd=chain)


@pytest.mark.process
def test_transformers_has_no_chain(chain):
    done = call_ftkeras("export", "--run_dir=crf", "--export=huggingface", cwd=chain)
    assert done.returncode == 2
    assert "transformers has no class with a conditional random field" in done.stderr
    succeed("export", "--run_dir=crf", "--export=huggingface(head=False)", cwd=chain)
