"""Pretrain on texts without labels, then fine-tune the result, on the command line."""

import json
import pathlib

import pytest

import ftkeras.corpora
from tests import finished
from tests.running import call_ftkeras, succeed

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = ("--max_length=24", "--batch_size=16", "--epochs=1", "--learning_rate=2e-3", "--seed=3")
TEXTS = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with texts, a labelled table, a run of `pretrain`, and what it showed."""
    folder = tmp_path_factory.mktemp("pretrain")
    lines = (REVIEWS / "train.tsv").read_text(encoding="utf-8").splitlines()
    texts = [line.split("\t")[0] for line in lines[1 : TEXTS + 1]]
    (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
    # The first two texts are in train too, one of them with another case and another blank.
    copies = [texts[0], f" {texts[1].upper()}"]
    (folder / "kept.txt").write_text("\n".join(copies), encoding="utf-8")
    (folder / "labelled.tsv").write_text("\n".join(lines[:161]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def pretrained(folder):
    """Return the folder of a finished pretraining."""
    files = ("--data=texts.txt", "--test_data=kept.txt", f"--encoder={finished.ENCODER}")
    output = succeed("pretrain", *files, *SHORT, "--run_dir=pre", cwd=folder)
    assert "leakage 1 of 240 texts are in test and 1 nearly so; they are not trained on" in output
    return folder / "pre"


def test_pretraining_reports_the_loss_and_leaves_out_texts_of_test(pretrained):
    metrics = json.loads((pretrained / "metrics.json").read_text())
    assert metrics["data"]["train"] + metrics["data"]["validation"] == TEXTS - 2
    assert {"loss", "accuracy", "perplexity"} <= metrics["validation"].keys()
    assert "test" not in metrics


def test_the_result_is_an_encoder_for_train(pretrained, folder):
    arguments = ("--data=labelled.tsv", f"--encoder={pretrained}", *SHORT, "--export=none")
    output = succeed("train", *arguments, "--run_dir=fine", cwd=folder)
    assert "randomly initialized" not in output
    assert json.loads((folder / "fine" / "metrics.json").read_text())["test"]["examples"] > 0


def test_an_output_embedding_of_its_own_is_not_taken_for_the_token_embedding(pretrained, folder):
    export = pretrained / "huggingface"
    config = json.loads((export / "config.json").read_text())
    assert config["architectures"] == ["BertForMaskedLM"]
    again = ("pretrain", "--data=texts.txt", *SHORT, "--export=none", f"--encoder={export}")
    assert "the checkpoint's own" in succeed(*again, "--run_dir=tied", cwd=folder)
    (export / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    output = succeed(*again, "--run_dir=untied", cwd=folder)
    assert "head     new, because" in output
    assert "tie_word_embeddings is false" in output
    refused = call_ftkeras(*again, "--head=checkpoint", "--run_dir=refused", cwd=folder)
    assert refused.returncode == 2
    assert "tie_word_embeddings is false" in refused.stderr
