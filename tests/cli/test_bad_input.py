"""Mistakes of the user: one line that names the flag, exit code 2, and no partial output."""

import json
import os
import pathlib

import pytest

from ftkeras.errors import UserError
from ftkeras.main import main
from ftkeras.support import files
from tests.running import QUICK

FIXTURES = pathlib.Path(__file__).parents[1] / "encoders" / "fixtures"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in an empty folder, without the Hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def _refused(capsys, *arguments: str) -> str:
    before = sorted(pathlib.Path().rglob("*"))
    assert main(list(arguments)) == 2
    output = capsys.readouterr().err
    assert output.startswith("ftkeras: ")
    assert output.count("\n") == 1
    assert "Traceback" not in output
    assert sorted(pathlib.Path().rglob("*")) == before, "something was left half-written"
    return output


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("--task=imbd", ["--task", "imbd", "imdb"]),
        ("--task=quickstart(x=1)", ["--task", "'x'"]),
        ("--schedule=linaer", ["--schedule", "linaer", "linear"]),
        ("--schedule=linear(ned=1)", ["--schedule", "'ned'", "end"]),
        ("--optimizer=adamw(decay=-1)", ["--optimizer", "decay", "-1"]),
        ("--loss=cross_entropy(label_smoothing=2)", ["--loss", "label_smoothing", "2"]),
        ("--head=classification(pooling='max')", ["--head", "pooling", "max", "mean"]),
        ("--truncation=middle", ["--truncation", "middle", "head_tail"]),
        ("--truncation=head_tail(head=-2)", ["--truncation", "head", "-2"]),
        ("--batching=paded", ["--batching", "padded"]),
        ("--export=onxn", ["--export", "onxn", "saved_model"]),
        ("--learning_rate=-1", ["--learning_rate", "-1"]),
        ("--max_length=65", ["--max_length=65", "64"]),
        ("--warmup=100000", ["--warmup=100000", "updates"]),
        ("--encoder=no/such-encoder", ["--encoder", "no/such-encoder"]),
        ("--encoder=bert(layers=2)", ["--encoder", "vocabulary"]),
        ("--encoder=bert(vocabulary='no.txt')", ["--encoder", "no.txt"]),
        ("--encoder=bert(vocabulary='reviews', hidden=30, heads=4)", ["--encoder", "heads"]),
        ("--encoder=gpt(vocabulary='reviews')", ["--encoder", "gpt", "bert"]),
        ("--encoder=bert(vocabulary=3)", ["--encoder", "3"]),
        ("--encoder=bert(checkpoint=3)", ["--encoder", "3"]),
        ("--encoder=mybert", ["--encoder", "mybert", "folder", "Hub"]),
        ("--optimizer=adamw(no_decay='(')", ["--optimizer", "no_decay"]),
        ("--policy=freez", ["--policy", "freez", "full"]),
        ("--regularizer=l2(where='nothing')", ["--regularizer", "where", "nothing"]),
        ("--regularizer=l2(strength=-1)", ["--regularizer", "strength", "-1"]),
        ("--average=mean", ["--average", "mean", "ema"]),
        ("--class_weights={'great': 2}", ["--class_weights", "great", "positive"]),
        ("--learning_rate=inf", ["--learning_rate", "inf"]),
        ("--clip_norm=nan", ["--clip_norm", "nan"]),
        ("--run_dir=", ["--run_dir"]),
        ("--run_dir=\udcff", ["--run_dir", "UTF-8"]),
        ("--class_weights=", ["--class_weights"]),
        ("--flagfile=", ["--flagfile"]),
        ("--loss=cross_entropy(\n)", ["--loss", "line break"]),
        ("--run_dir=/dev/null/run", ["--run_dir=/dev/null/run"]),
        ("--export_dir=/dev/null/x", ["--export_dir=/dev/null/x"]),
        ("--data_dir=nowhere", ["nowhere"]),
        ("--flagfile=nowhere.cfg", ["--flagfile", "nowhere.cfg"]),
        ("--epochz=3", ["--epochz", "--epochs"]),
    ],
)
def test_wrong_flag_gives_one_line(capsys, flag, named):
    output = _refused(capsys, *QUICK, flag)
    for name in named:
        assert name in output


def _own_data(train: str, test: str = "text,label\ngood,pos\nbad,neg\n") -> str:
    pathlib.Path("train.csv").write_text(train)
    pathlib.Path("test.csv").write_text(test)
    return "--task=classification(train='train.csv', test='test.csv')"


MANY = "text,label\n" + "good,pos\nbad,neg\n" * 20


@pytest.mark.parametrize(
    ("train", "test", "named"),
    [
        ("text,label\n" + "good,pos\n" * 20, MANY, ["--data", "'pos'"]),
        (MANY, "text,label\n" + "good,pos\n" * 20, ["--data", "test split", "'pos'"]),
        ("text,label\n", MANY, ["--data", "train.csv", "--header"]),
        (MANY, "", ["--data", "test.csv"]),
        (MANY, "text,label\ngood,pos\nbad,awful\n", ["--data", "test.csv", "line 3", "awful"]),
        ("review,label\ngood,pos\nbad,neg\n", MANY, ["--text_column", "'text'", "review"]),
        ("text,label\ngood,pos\nbad,neg\n", MANY, ["--validation_share"]),
    ],
)
def test_unusable_data_gives_one_line(capsys, train, test, named):
    output = _refused(capsys, *QUICK, _own_data(train, test))
    for name in named:
        assert name in output


def _checkpoint(**changes) -> pathlib.Path:
    """Copy a fixture's BERT checkpoint and change its config.json."""
    source = FIXTURES / "gelu"
    folder = pathlib.Path("checkpoint")
    folder.mkdir()
    config = json.loads((source / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary += [f"w{i}" for i in range(config["vocab_size"] - 5)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return folder


def test_vocabulary_that_does_not_fit_the_weights_is_refused(capsys):
    folder = _checkpoint()
    with (folder / "vocab.txt").open("a") as file:
        file.write("one\ntoo\nmany\n")
    assert "vocabulary" in _refused(capsys, *QUICK, "--encoder=checkpoint", "--max_length=32")


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"\x08"), ["model.safetensors"]),
        (lambda f: (f / "config.json").write_text("{"), ["config.json"]),
        (lambda f: (f / "vocab.txt").unlink(), ["vocab"]),
        (
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            ["pytorch_model.bin", "torch.save"],
        ),
    ],
)
def test_broken_checkpoint_gives_one_line(capsys, broken, named):
    broken(_checkpoint())
    output = _refused(capsys, *QUICK, "--encoder=checkpoint", "--max_length=32")
    for name in ("--encoder", *named):
        assert name in output


@pytest.mark.parametrize(
    "changes",
    [
        {"model_type": "xlnet"},
        {"position_embedding_type": "relative_key"},
        {"hidden_act": "mish"},
    ],
)
def test_unsupported_model_is_refused(capsys, changes):
    _checkpoint(**changes)
    output = _refused(capsys, *QUICK, "--encoder=checkpoint", "--max_length=32")
    assert next(iter(changes.values())) in output


@pytest.mark.parametrize(
    "changes",
    [{"hidden_size": "abc"}, {"num_attention_heads": 7}, {"hidden_dropout_prob": None}],
)
def test_broken_config_gives_one_line(capsys, changes):
    _checkpoint(**changes)
    output = _refused(capsys, *QUICK, "--encoder=checkpoint", "--max_length=32")
    assert "--encoder: checkpoint" in output


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("bert(checkpoint='checkpoint', layers=1)", "layers"),
        ("bert(checkpoint='checkpoint', droput=0.3)", "droput"),
        ("bert(checkpoint='checkpoint', dropout=2)", "dropout"),
        ("robert(checkpoint='checkpoint')", "robert"),
    ],
)
def test_key_that_the_checkpoint_fixes_is_refused(capsys, spec, named):
    _checkpoint()
    output = _refused(capsys, *QUICK, f"--encoder={spec}", "--max_length=32")
    assert named in output


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root may")
@pytest.mark.parametrize("argument", ["run_dir", "export_dir"])
def test_folder_of_another_user_is_refused(capsys, tmp_path, argument):
    (tmp_path / "theirs").mkdir(mode=0o700)
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if not os.stat(parent).st_mode & 0o001:
            pytest.skip(f"{parent} is closed to other users")
    os.seteuid(65534)
    try:
        files.require_writable(tmp_path / "mine", argument)
        with pytest.raises(UserError, match=f"{argument}=.*theirs.*not a writable folder"):
            files.require_writable(tmp_path / "theirs" / "run", argument)
    finally:
        os.seteuid(0)


def test_impossible_export_is_refused_before_training(capsys):
    output = _refused(
        capsys, *QUICK, "--head=classification(pooling='mean')", "--export=huggingface"
    )
    assert "--export=huggingface" in output
    assert "head=False" in output


def test_folder_of_another_run_is_refused(capsys):
    pathlib.Path("run").mkdir()
    pathlib.Path("run", "weights.safetensors").touch()
    assert "--run_dir=run" in _refused(capsys, *QUICK, "--run_dir=run")


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "--model=nowhere", "--text=a"],
        ["predict", "--model=.", "--text=a"],
        ["evaluate", "--run_dir=nowhere"],
        ["export"],
        ["serf"],
    ],
)
def test_wrong_verb_gives_one_line(capsys, arguments):
    _refused(capsys, *arguments)
