"""Pretrain on texts without labels, then fine-tune the result, on the command line."""

import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

import ftkeras.corpora
from ftkeras.checkpoints import tensor_file
from ftkeras.config import flagfile
from ftkeras.config.pretrain import PretrainConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import Stopped, UserError
from ftkeras.search import setup
from ftkeras.verbs import train
from ftkeras.workflows import pretraining, searching
from ftkeras.workflows.training import TrainedRun
from tests import finished
from tests.running import call_ftkeras, succeed
from tests.training import test_state as state

REVIEWS = pathlib.Path(ftkeras.corpora.__file__).parent / "reviews"
SHORT = ("--max_length=24", "--batch_size=16", "--epochs=1", "--learning_rate=2e-3", "--seed=3")
FILES = ("--data=texts.txt", "--test_data=kept.txt", f"--encoder={finished.ENCODER}")
ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    output = succeed("pretrain", *FILES, *SHORT, "--run_dir=pre", cwd=folder)
    assert "leakage 1 of 240 texts are in test and 1 nearly so; they are not trained on" in output
    return folder / "pre"


def test_pretraining_reports_the_loss_and_leaves_out_texts_of_test(pretrained):
    metrics = json.loads((pretrained / "metrics.json").read_text())
    assert metrics["data"]["train"] + metrics["data"]["validation"] == TEXTS - 2
    assert {"loss", "accuracy", "perplexity"} <= metrics["validation"].keys()
    assert "test" not in metrics


@pytest.mark.matrix
def test_validation_that_masks_nothing_is_refused_before_training(folder):
    (folder / "short.txt").write_text("superbnessdull\ndullsuperbly\n", encoding="utf-8")
    files = ("--data=texts.txt", "--validation_data=short.txt", f"--encoder={finished.ENCODER}")
    done = call_ftkeras("pretrain", *files, *SHORT, "--masking=words(rate=0.15)", cwd=folder)
    assert done.returncode == 2
    assert "--masking: no token of validation is masked" in done.stderr


def test_the_result_is_an_encoder_for_train(pretrained, folder):
    arguments = ("--data=labelled.tsv", f"--encoder={pretrained}", *SHORT, "--export=none")
    output = succeed("train", *arguments, "--run_dir=fine", cwd=folder)
    assert "randomly initialized" not in output
    assert json.loads((folder / "fine" / "metrics.json").read_text())["test"]["examples"] > 0


@pytest.mark.process
def test_killed_pretraining_ends_as_one_that_was_not(pretrained, folder):
    run = ("pretrain", *FILES, *SHORT, "--checkpoint_every=5", "--run_dir=killed")
    call = ("ftkeras.training.progress:Progress.on_train_batch_end", "8")
    died = subprocess.run(
        [sys.executable, "-m", "tests.dying", *call, *run],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    succeed(*run, cwd=folder)
    for name in ("weights.safetensors", "huggingface/model.safetensors"):
        assert (folder / "killed" / name).read_bytes() == (pretrained / name).read_bytes()


@pytest.mark.process
def test_two_replicas_pretrain_as_one(pretrained, folder):
    two = ("--strategy=mirrored(logical_devices=2)", "--export=none", "--run_dir=two")
    succeed("pretrain", *FILES, *SHORT, *two, cwd=folder)
    weights, expected = (
        tensor_file.read(path / "weights.safetensors")[0] for path in (folder / "two", pretrained)
    )
    for name, value in expected.items():
        np.testing.assert_allclose(weights[name], value, atol=2e-4, err_msg=name)


@pytest.mark.process
def test_a_vocabulary_is_not_trained_on_texts_of_test(folder):
    texts = (folder / "texts.txt").read_text(encoding="utf-8")
    (folder / "signs.txt").write_text(f"{texts}\nonly in test: \u2603\nin train: \u2602\n")
    (folder / "sign.txt").write_text("only in test: \u2603\n")
    new = ("--encoder=bert(layers=1, hidden=16, heads=2)", "--vocabulary_size=400")
    data = ("--data=signs.txt", "--test_data=sign.txt")
    succeed("pretrain", *data, *new, *SHORT, "--export=none", "--run_dir=signs", cwd=folder)
    found = (folder / "signs" / "vocabulary" / "vocab.txt").read_text(encoding="utf-8")
    assert "\u2602" in found
    assert "\u2603" not in found
    other = ("--encoder=bert(layers=1, hidden=16, heads=2)", "--vocabulary_size=300")
    done = call_ftkeras("pretrain", *data, *other, *SHORT, "--run_dir=signs", cwd=folder)
    assert done.returncode == 2
    assert "--vocabulary_size=300: --run_dir=signs has a vocabulary of 400 tokens" in done.stderr
    again = (*other, *SHORT, "--export=none", "--run_dir=signs", "--restart")
    done = call_ftkeras("pretrain", *data, *again, "--warmup=500", cwd=folder)
    assert "--warmup=500" in done.stderr
    assert "nothing was trained" in done.stdout
    succeed("pretrain", *data, *new, *SHORT, "--export=none", "--run_dir=signs", cwd=folder)
    assert (folder / "signs" / "vocabulary" / "vocab.txt").read_text(encoding="utf-8") == found
    succeed("pretrain", *data, *again, cwd=folder)
    assert len((folder / "signs" / "vocabulary" / "vocab.txt").read_text().splitlines()) <= 300
    assert not (folder / "signs" / ".replaced").exists()


@pytest.mark.process
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


def _held_out(pretrained: pathlib.Path) -> list[str]:
    """Return the texts that a run holds out for test, as its pretraining was told."""
    lines = (pretrained / "data" / "held_out.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def _pretrained_on(pretrained: pathlib.Path) -> int:
    """Return how many texts a pretraining has trained and validated on."""
    counts = json.loads((pretrained / "metrics.json").read_text())["data"]
    return counts["train"] + counts["validation"]


@pytest.mark.process
def test_both_phases_in_one_command_leave_out_the_texts_that_are_held_out_for_test(folder):
    own = ("--data=labelled.tsv", f"--encoder={finished.ENCODER}", *SHORT, "--export=none")
    command = ("train", *own, "--pretrain_epochs=1", "--run_dir=both")
    output = succeed(*command, cwd=folder)
    held_out = _held_out(folder / "both" / "pretrained")
    assert f"leakage {len(held_out)} of 160 texts are in test and 0 nearly so" in output
    assert _pretrained_on(folder / "both" / "pretrained") == 160 - len(held_out)
    texts = [line.split("\t")[0] for line in (folder / "labelled.tsv").read_text().splitlines()[1:]]
    rows = (folder / "both" / "predictions.jsonl").read_text().splitlines()
    tested = [texts[int(json.loads(row)["id"].rpartition("-")[2])] for row in rows]
    assert sorted(held_out) == sorted(tested)
    assert "is finished" in succeed(*command, cwd=folder)


@pytest.fixture
def finish(monkeypatch):
    """Have `pretraining.first` write what marks a pretraining as finished, without training it."""

    def write(before):
        home = pathlib.Path(before.run_dir)
        (home / "run.cfg").write_text(flagfile.render(before.run_config()))
        (home / "exports.json").write_text("[]")
        return TrainedRun(home, {})

    monkeypatch.setattr(pretraining, "run", write)


@pytest.mark.parametrize(
    ("settings", "grown", "reason"),
    [
        ({"test_share": 0.4}, "", "the texts held out for test have changed since the phase"),
        ({}, "late and lovely\tpositive\n", "the data have changed since the phase"),
        ({"pretrain_epochs": 2}, "", "is pretrained for another number of epochs already"),
    ],
)
def test_a_finished_pretraining_is_not_used_if_the_run_holds_out_other_texts(
    settings, grown, reason, folder, tmp_path, finish
):
    data = tmp_path / "own.tsv"
    data.write_text((folder / "labelled.tsv").read_text(encoding="utf-8") + "\n", "utf-8")
    own = {"data": (str(data),), "encoder": str(finished.ENCODER), "cache_dir": "none"}
    own |= {"pretrain_epochs": 1, "run_dir": str(tmp_path / "run"), "max_length": 24}
    for _ in range(2):
        assert pretraining.first(Config(**own)).encoder == str(tmp_path / "run" / "pretrained")
    with data.open("a", encoding="utf-8") as file:
        file.write(grown)
    with pytest.raises(UserError, match=f"pretrain_epochs.*{reason}"):
        pretraining.first(Config(**{**own, **settings}))


@pytest.mark.parametrize("encoder", ["other/pretrained", "run/pretrained"])
def test_a_run_that_was_not_pretrained_first_is_refused(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("other/pretrained", "run"):
        pathlib.Path(name).mkdir(parents=True)
    own = {"task": "quickstart", "run_dir": "run"}
    settings = flagfile.render(Config(**own, encoder=encoder, epochs=1))
    pathlib.Path("run", "run.cfg").write_text(settings)
    with pytest.raises(UserError, match=rf"not pretrained first \(its encoder is {encoder}\)"):
        pretraining.first(Config(**own, pretrain_epochs=1))
    assert not pathlib.Path("run", "pretrained").exists()


def test_a_vocabulary_is_not_overwritten_while_a_run_uses_it(folder, tmp_path, monkeypatch):
    own = {"data": (str(folder / "texts.txt"),), "encoder": "bert(layers=1, hidden=16, heads=2)"}
    own |= {"run_dir": str(tmp_path / "run"), "cache_dir": "none"}

    def run_elsewhere(*_):
        monkeypatch.delattr(pretraining.training, "run")
        other = PretrainConfig(**own, vocabulary_size=300)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(pretraining.run, other).result()

    monkeypatch.setattr(pretraining.training, "run", run_elsewhere)
    with pytest.raises(UserError, match="is in use by another process"):
        pretraining.run(PretrainConfig(**own, vocabulary_size=400))
    assert json.loads((tmp_path / "run" / "vocabulary.json").read_text()) == {"size": 400}


@pytest.mark.matrix
@pytest.mark.parametrize("new_vocabulary", [True, False])
def test_a_pretraining_that_was_moved_ends_as_one_that_was_not(
    new_vocabulary, folder, tmp_path, monkeypatch
):
    own = {"data": (str(folder / "labelled.tsv"),), "max_length": 24, "epochs": 1}
    own |= {"learning_rate": 2e-3, "cache_dir": "none", "report": False}
    if new_vocabulary:
        encoder = "bert(layers=1, hidden=16, heads=2, positions=32)"
        own |= {"encoder": encoder, "vocabulary_size": 400}
        run, kind, parts = pretraining.run, PretrainConfig, ("",)
    else:
        own |= {"encoder": str(finished.ENCODER), "pretrain_epochs": 1, "export": ()}
        run, kind, parts = train.run, Config, ("pretrained", "")
    run(kind(**own, run_dir=str(tmp_path / "unbroken")))
    state._stop_after(2, monkeypatch)
    with pytest.raises(Stopped):
        run(kind(**own, run_dir=str(tmp_path / "run")))
    (tmp_path / "run").rename(tmp_path / "moved")
    run(kind(**own, run_dir=str(tmp_path / "moved")))
    for part in parts:
        files = (tmp_path / of / part / "weights.safetensors" for of in ("moved", "unbroken"))
        found, expected = (file.read_bytes() for file in files)
        assert found == expected
        assert f"{tmp_path / 'run'}/" not in (tmp_path / "moved" / part / "run.cfg").read_text()


@pytest.mark.process
def test_tags_of_tagged_texts_are_not_pretrained_on(folder):
    (folder / "names.conll").write_text("Anna B-PER\nsaw O\nParis B-LOC\n\n" * 20)
    files = ("--data=names.conll", f"--encoder={finished.ENCODER}")
    output = succeed("pretrain", *files, *SHORT, "--export=none", "--run_dir=names", cwd=folder)
    assert "only their texts are read" in output
    assert _pretrained_on(folder / "names") == 20


def _pretrains_once(verb: str, folder: pathlib.Path, *arguments: str) -> pathlib.Path:
    """Run a verb that trains several times, and again; return the folder of its pretraining."""
    own = ("--data=labelled.tsv", f"--encoder={finished.ENCODER}", *SHORT, "--pretrain_epochs=1")
    first = succeed(verb, *own, *arguments, cwd=folder)
    assert "pretraining the encoder once for all runs, in" in first
    again = succeed(verb, *own, *arguments, cwd=folder)
    assert "once for all runs" not in again
    (found,) = folder.glob(f"{verb}/**/pretrained")
    assert _pretrained_on(found) == 160 - len(_held_out(found))
    for settings in folder.glob(f"{verb}/**/run.cfg"):
        if settings.parent != found:
            assert f"--encoder={found.relative_to(folder)}\n" in settings.read_text()
    return found


@pytest.mark.process
def test_folds_share_a_pretraining(folder):
    found = _pretrains_once("crossvalidate", folder, "--folds=2", "--run_dir=crossvalidate")
    assert found.parent.name == "crossvalidate"
    assert len(list(found.parent.glob("repeat-0/fold-*"))) == 2


@pytest.mark.process
def test_trials_share_a_pretraining(folder):
    space = ("--search=head.dropout=choice(0.0, 0.3)", "--oracle=grid", "--search_dir=tune")
    assert _pretrains_once("tune", folder, *space).parent.name == "tune"
    assert len(list((folder / "tune" / "trials").iterdir())) == 2


def test_a_search_varies_no_encoder_that_is_pretrained():
    own = {"task": "quickstart", "pretrain_epochs": 1, "encoder": str(finished.ENCODER)}
    search = (f"encoder=choice('{finished.ENCODER}', 'bert-base-uncased')",)
    _, space = setup.plan(TuneConfig(**own, search=search))
    with pytest.raises(UserError, match="`search` can't vary `encoder` together with `pretrain_e"):
        setup.require_one_encoder(space)
    with pytest.raises(UserError, match="with several workers, such as worker-1, use pretrain"):
        searching.require_pretrained(TuneConfig(**own), "worker-1")
