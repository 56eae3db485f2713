"""Pairs of texts for few labels: how they are chosen, and runs that train on them."""

import concurrent.futures
import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

from ftkeras.checkpoints import tensor_file
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import Stopped, UserError
from ftkeras.phases.few_shot.contrastive import Contrastive
from ftkeras.verbs import train
from ftkeras.workflows import pairs_first
from ftkeras.workflows.training import TrainedRun
from tests import finished
from tests.matrix import matrix
from tests.running import call_ftkeras
from tests.training import test_state as state

CLASSES = np.array([0, 1, 2, 0, 1, 0, 0, 3])
# As the first version drew them, which shuffled all possible partners of each text.
PAIRED = [3, 5, 7, 1, 4, 4, 3, 5, 1, 0, 0, 5, 2, 7, 1, 1, 5, 2, 3, 6, 7, 4, 0, 5, 2, 4, 5, 6]


@pytest.mark.parametrize("pairs", [1, 3, 7])
def test_each_text_has_as_many_partners_of_its_label_as_of_others(pairs):
    first, second, alike = Contrastive(pairs=pairs, seed=1).choose(CLASSES)
    assert (first != second).all()
    assert (alike == (CLASSES[first] == CLASSES[second])).all()
    for text, own in enumerate(CLASSES):
        for kind in (True, False):
            drawn = second[(first == text) & (alike == kind)]
            possible = ((own == CLASSES) == kind).sum() - kind
            assert len(drawn) == (pairs if possible else 0)
            times = np.unique(drawn, return_counts=True)[1]
            # Nobody is drawn again before all others have been drawn.
            assert len(drawn) == 0 or len(times) == min(pairs, possible)
            assert len(drawn) == 0 or np.ptp(times) <= 1


def test_many_texts_have_different_partners():
    classes = np.arange(20_000) % 3 // 2  # two thirds have one label
    first, second, alike = Contrastive(pairs=5).choose(classes)
    assert (alike == (classes[first] == classes[second])).all()
    assert (first != second).all()
    assert len(np.unique(first * len(classes) + second)) == len(first) == 20_000 * 10
    # Partners are drawn evenly: a text of the larger class is one of about 5 + 5 / 2, others 15.
    times = np.bincount(second)
    means = [times[classes == label].mean() for label in (0, 1)]
    assert means == pytest.approx([5 + 5 / 2, 5 + 5 * 2], abs=0.01)
    assert times.max() < 40


def test_pairs_of_a_run_stay_what_they_were():
    """A resumed run refuses the pairs of others, so those of few texts must never change."""
    pairs = Contrastive(pairs=2, seed=1).choose(CLASSES)
    assert pairs.second.tolist() == PAIRED


def test_pairs_depend_on_the_seed_alone():
    one, same, other = (Contrastive(seed=seed).choose(CLASSES) for seed in (1, 1, 2))
    assert (one.second == same.second).all()
    assert (one.second != other.second).any()


SMALL = {
    "task": "quickstart",
    "encoder": str(finished.ENCODER),
    "train_examples": 16,
    "validation_examples": 8,
    "test_examples": 40,
    "max_length": 32,
    "epochs": 3,
    "few_shot": "contrastive(pairs=2, learning_rate=1e-3)",
    "export": (),
    "report": False,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run on few labels."""
    run_dir = tmp_path_factory.mktemp("few") / "run"
    train.run(Config(**SMALL, run_dir=str(run_dir)))
    return run_dir


@pytest.mark.matrix
def test_a_run_is_an_ordinary_one(run):
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"]["train"] == 16
    assert metrics["test"]["accuracy"] >= 0.8
    settings = (run / "run.cfg").read_text()
    for line in ("few_shot=contrastive(pairs=2, learning_rate=1e-3)", "policy=head_only"):
        assert f"--{line}\n" in settings
    assert f"--encoder={finished.ENCODER}\n" in settings
    before = (run / "predictions.jsonl").read_text()
    done = call_ftkeras("evaluate", f"--run_dir={run}", "--noreport", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    assert (run / "predictions.jsonl").read_text() == before


@pytest.mark.matrix
def test_the_encoder_is_that_of_the_pairs_and_only_the_head_was_trained(run):
    tuned, final = (
        tensor_file.read(folder / "weights.safetensors")[0] for folder in (run / "pairs", run)
    )
    encoder = [name for name in tuned if name in final]
    assert len(encoder) == len(tuned)
    for name in encoder:
        np.testing.assert_array_equal(tuned[name], final[name], err_msg=name)
    assert len(final) == len(tuned) + 2


def test_settings_left_open_are_those_of_a_head_only_if_nothing_else_trains():
    def chosen(**given):
        config = Config(**given)
        return config.policy, config.epochs, config.learning_rate

    assert chosen() == (("full",), "auto", "auto")
    assert chosen(few_shot="contrastive") == (("head_only",), 50, 5e-3)
    assert chosen(few_shot="contrastive", epochs=7) == (("head_only",), 7, 5e-3)
    for policy in ("full", "lora"):
        assert chosen(few_shot="contrastive", policy=(policy,)) == ((policy,), "auto", "auto")


def _texts_of_pairs(folder, split):
    rows = [json.loads(line) for line in (folder / "data" / f"{split}.jsonl").open()]
    assert {row["alike"] for row in rows} == {0, 1}
    return {row[name] for row in rows for name in ("text", "pair")}


@pytest.mark.matrix
def test_pairs_of_a_fold_are_of_its_own_texts(tmp_path):
    for fold in range(2):
        own = {**SMALL, "validation_examples": None, "folds": 2, "fold": fold, "test": False}
        pairs_first.tune(Config(**own, run_dir=str(tmp_path / f"{fold}")))
    held_out = [_texts_of_pairs(tmp_path / f"{fold}" / "pairs", "validation") for fold in range(2)]
    assert not held_out[0] & held_out[1]
    for fold in range(2):
        assert _texts_of_pairs(tmp_path / f"{fold}" / "pairs", "train") == held_out[1 - fold]


@pytest.mark.matrix
def test_pairs_are_of_the_texts_that_are_trained_on_alone(run):
    texts = {s: _texts_of_pairs(run / "pairs", s) for s in ("train", "validation")}
    assert (len(texts["train"]), len(texts["validation"])) == (16, 8)
    assert not texts["train"] & texts["validation"]
    metrics = json.loads((run / "pairs" / "metrics.json").read_text())
    assert metrics["data"] == {"train": 64, "validation": 32, "in_train_and_validation": 0}


@pytest.mark.matrix
def test_a_finished_run_is_not_run_again(run, caplog):
    caplog.set_level("INFO")
    train.run(Config(**SMALL, run_dir=str(run)))
    assert len(caplog.records) == 1
    assert "is finished" in caplog.text


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"task": "regression(train='a.csv')"}, "needs one label for each text, which the task re"),
        ({"task": "multi_label(train='a.csv')"}, "needs one label for each text, which the task m"),
        ({"few_shot": "contrastive(pairs=0)"}, "`pairs` must be"),
        ({"truncation": "windows"}, "can't be used with a sentence embedding model"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(settings, reason, tmp_path):
    with pytest.raises(UserError, match=reason):
        train.run(Config(**{**SMALL, **settings}, run_dir=str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_pairs_of_texts_are_refused_before_the_encoder_is_pretrained(tmp_path):
    (tmp_path / "pairs.csv").write_text("text,pair,label\nOne.,Two.,a\nThree.,Four.,b\n")
    task = f"classification(train='{tmp_path / 'pairs.csv'}', pair='pair')"
    own = {"task": task, "pretrain_epochs": 1, "run_dir": str(tmp_path / "run")}
    with pytest.raises(UserError, match=r"few_shot=.* takes single texts, not pairs"):
        train.run(Config(**{**SMALL, **own}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("restart", [True, False])
def test_a_run_is_in_use_while_its_phases_train(restart, tmp_path, monkeypatch):
    config = Config(**SMALL, run_dir=str(tmp_path / "run"))
    other = dataclasses.replace(config, restart=restart)

    def run_elsewhere(_):
        """Train in another thread, for which a lock is that of another process."""
        monkeypatch.delattr(pairs_first, "tune")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(train.run, other).result()

    monkeypatch.setattr(pairs_first, "tune", run_elsewhere)
    with pytest.raises(UserError, match=f"run_dir={tmp_path / 'run'} is in use by another process"):
        train.run(config)


def test_a_phase_that_was_interrupted_names_the_run(tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt("Training is done; evaluate the run of the phase")

    monkeypatch.setattr(pairs_first.training, "run", interrupt)
    resume = f"^To resume, repeat the command with run_dir={tmp_path / 'run'}[.]$"
    with pytest.raises(KeyboardInterrupt, match=resume):
        train.run(Config(**SMALL, run_dir=str(tmp_path / "run")))


def _finished(config, *_):
    """Write what marks a run as finished, without training it."""
    home = pathlib.Path(config.run_dir)
    (home / "run.cfg").write_text(flagfile.render(config))
    (home / "exports.json").write_text("[]")
    return TrainedRun(home, {})


@pytest.mark.parametrize(
    ("settings", "grown", "reason"),
    [
        ({"data_seed": 1}, "", "the pairs of train have changed since the phase"),
        ({}, "Later.,b\n", "the data have changed since the phase"),
    ],
)
def test_finished_pairs_of_other_texts_are_refused(
    settings, grown, reason, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO")
    lines = "".join(f"Text {number}.,{'ab'[number % 2]}\n" for number in range(30))
    (tmp_path / "few.csv").write_text(f"text,label\n{lines}")
    task = f"classification(train='{tmp_path / 'few.csv'}')"
    own = {**SMALL, "task": task, "train_examples": None, "run_dir": str(tmp_path / "run")}
    own |= {"validation_examples": None, "test_examples": None}
    monkeypatch.setattr(pairs_first.training, "run", _finished)
    pairs_first.tune(Config(**own))
    pairs_first.tune(Config(**own))
    assert caplog.text.count("pairs of train,") == 1
    with (tmp_path / "few.csv").open("a") as file:
        file.write(grown)
    with pytest.raises(UserError, match=f"`few_shot`: {reason}"):
        pairs_first.tune(Config(**{**own, **settings}))


@pytest.mark.parametrize("restart", [False, True])
def test_a_run_that_was_refused_for_its_data_trains_once_they_are_mended(
    restart, tmp_path, monkeypatch
):
    data = tmp_path / "few.csv"
    own = {**SMALL, "task": f"classification(train='{data}')", "run_dir": str(tmp_path / "run")}
    own |= dict.fromkeys(("train_examples", "validation_examples", "test_examples"))
    monkeypatch.setattr(pairs_first.training, "run", _finished)
    data.write_text("text,label\nOne.,a\nTwo.,a\nThree.,a\nFour.,a\nFive.,b\n")
    for _ in range(2):
        with pytest.raises(UserError, match="nothing is left for the validation split"):
            train.run(Config(**own))
    assert (tmp_path / "run" / "pairs" / "data").is_dir()
    lines = "".join(f"Text {number}.,{'ab'[number % 2]}\n" for number in range(30))
    data.write_text(f"text,label\n{lines}")
    train.run(Config(**own, restart=restart))


def test_other_verbs_say_that_train_tunes_the_encoder(tmp_path):
    arguments = [f"--{name}={SMALL[name]}" for name in ("task", "encoder", "few_shot")]
    done = call_ftkeras("find_rate", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "the encoder is tuned by pairs only in train; omit it" in done.stderr


def _pairs(folder: pathlib.Path) -> dict:
    names = ("data/train.jsonl", "data/validation.jsonl", "weights.safetensors")
    return {name: (folder / "pairs" / name).read_bytes() for name in names}


def test_one_text_per_label_makes_no_pairs(tmp_path):
    rows = {"train": [("Fine.", "a"), ("Poor.", "b")], "test": [("Good.", "a"), ("Bad.", "b")]}
    for name, texts in rows.items():
        lines = "".join(f"{text},{label}\n" for text, label in texts)
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{lines}")
    train_file, test_file = (str(tmp_path / f"{name}.csv") for name in rows)
    data = f"classification(train='{train_file}', validation='{test_file}', test='{test_file}')"
    counts = dict.fromkeys(("train_examples", "validation_examples", "test_examples"))
    with pytest.raises(UserError, match="needs two labels to train on, and one of them with two"):
        train.run(Config(**{**SMALL, **counts, "task": data}, run_dir=str(tmp_path / "run")))


@pytest.mark.matrix
def test_restart_is_a_new_run_even_if_it_was_stopped(run, tmp_path, monkeypatch):
    other = {**SMALL, "seed": 1}
    train.run(Config(**other, run_dir=str(tmp_path / "new")))
    shutil.copytree(run, tmp_path / "run")
    state._stop_after(2, monkeypatch)
    with pytest.raises(Stopped):
        train.run(Config(**other, run_dir=str(tmp_path / "run"), restart=True))
    train.run(Config(**other, run_dir=str(tmp_path / "run")))
    assert _pairs(tmp_path / "run") == _pairs(tmp_path / "new") != _pairs(run)
    assert state._outcome(tmp_path / "run") == state._outcome(tmp_path / "new")


@pytest.mark.parametrize("steps", matrix({"in_pairs": 2, "in_head": 6}, default=[]))
def test_a_stopped_run_ends_as_one_that_was_not(steps, run, tmp_path, monkeypatch):
    config = Config(**SMALL, run_dir=str(tmp_path / "run"))
    state._stop_after({"in_pairs": 2, "in_head": 6}[steps], monkeypatch)
    with pytest.raises(Stopped, match=f"repeat the command with run_dir={tmp_path / 'run'}[.]"):
        train.run(config)
    train.run(config)
    assert _pairs(tmp_path / "run") == _pairs(run)
    assert state._outcome(tmp_path / "run") == state._outcome(run)


@pytest.mark.matrix
def test_a_stopped_run_that_was_moved_ends_as_one_that_was_not(run, tmp_path, monkeypatch):
    state._stop_after(2, monkeypatch)
    with pytest.raises(Stopped):
        train.run(Config(**SMALL, run_dir=str(tmp_path / "run")))
    (tmp_path / "run").rename(tmp_path / "moved")
    train.run(Config(**SMALL, run_dir=str(tmp_path / "moved")))
    assert _pairs(tmp_path / "moved") == _pairs(run)
    assert state._outcome(tmp_path / "moved") == state._outcome(run)
    assert str(tmp_path / "run") not in (tmp_path / "moved" / "pairs" / "run.cfg").read_text()
