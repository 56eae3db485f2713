import dataclasses
import pathlib
import shlex

import pytest

from ftkeras.cli import flags
from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.errors import UserError

SETTINGS = {
    "encoder": "bert(layers=2, vocabulary='a b.txt')",
    "train_examples": 10,
    "export": ("huggingface", "saved_model"),
    "deterministic": False,
    "warmup": "7",
    "learning_rate": 1e-7,
    "regularizer": ("r_drop(weight=0.5)", "l2"),
    "data_dir": "a=b # c",
}


def _written(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("kind", [Config, CrossvalidateConfig, TuneConfig])
def test_what_is_rendered_is_read_back_the_same(kind, tmp_path):
    config = kind(**SETTINGS)
    path = _written(tmp_path / "run.cfg", flagfile.render(config))
    assert flagfile.read(path, kind) == config


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1d", "\x85", "\u2028"])
def test_value_with_a_separator_of_lines_is_read_back_the_same(separator, tmp_path):
    config = Config(data_dir=f"a{separator}--epochs=3")
    path = _written(tmp_path / "run.cfg", flagfile.render(config))
    assert flagfile.read(path, Config) == config


@pytest.mark.parametrize("text", ["a\rb", "a\nb", "a ", "a\u2028"])
def test_value_that_a_line_cannot_record_is_refused(text):
    with pytest.raises(UserError, match="`data_dir` must not (contain a line break|end with a sp)"):
        Config(data_dir=text)
    with pytest.raises(UserError, match="`policy` must not"):
        Config(policy=("lora", text))


def test_where_a_run_goes_is_not_recorded():
    assert "run_dir" not in flagfile.render(Config(run_dir="runs/here"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# a recipe\n\n// another comment\n  --epochs=5  \n",
        "\ufeff--epochs=5\n--seed=2\n",
        "\ufeff# a recipe\n--epochs=5\n",
        "\ufeff\n--epochs=5\n",
        "--remat\n--notest\n--nodeterministic\n",
        "--remat=True\n--test=0\n--deterministic=f\n",
        "--epochs=2\n--epochs=4\n--policy=lora\n--policy=bitfit\n",
        "-epochs=2\n--task=classification(text='a=b')\n--run_dir=\n--learning_rate=1",
    ],
)
def test_a_flagfile_is_read_as_the_command_line_reads_it(text, tmp_path):
    path = _written(tmp_path / "run.cfg", text.replace("--run_dir=\n", ""))
    assert flagfile.read(path, Config) == flags.parse([f"--flagfile={path}"]).config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--epoch=3", "no known argument. Received: '--epoch=3'"),
        ("epochs=3", "no known argument. Received: 'epochs=3'"),
        ("--epochs", "no known argument. Received: '--epochs'"),
        ("--noepochs", "no known argument. Received: '--noepochs'"),
        ("--notest=true", "no known argument"),
        ("--epochs=three", "`epochs` must be of type int. Received: 'three'"),
        ("--remat=perhaps", "`remat` must be of type bool"),
        ("--learning_rate=", "`learning_rate` must be of type float"),
        ("--epochs=0", "`epochs` must be at least 1"),
    ],
)
def test_wrong_flagfile_is_refused_in_one_line(text, message, tmp_path):
    path = _written(tmp_path / "run.cfg", text)
    with pytest.raises(UserError, match=message) as caught:
        flagfile.read(path, Config)
    assert "\n" not in str(caught.value)


def test_unreadable_flagfile_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"run.cfg can't be read: No such file"):
        flagfile.read(tmp_path / "run.cfg", Config)
    (tmp_path / "run.cfg").write_bytes(b"--task=\xff")
    with pytest.raises(UserError, match=r"run.cfg can't be read: .*utf-8"):
        flagfile.read(tmp_path / "run.cfg", Config)


def test_differences_are_those_that_decide_a_run():
    before = Config(learning_rate=1e-5, epochs=2)
    after = dataclasses.replace(before, learning_rate=2e-5, epochs=3)
    assert flagfile.differences(after, before) == ["`learning_rate`=2e-05 (there 1e-05)"]
    assert len(flagfile.differences(after, before, also=("epochs",))) == 2


def test_spellings_of_a_path_are_the_same(tmp_path, monkeypatch):
    """As of the encoder that `pretrain_epochs` writes into the run's own folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("run/pretrained", "other"):
        pathlib.Path(name).mkdir(parents=True)
    before = Config(task="quickstart", encoder="run/pretrained")
    after = Config(task="quickstart", encoder=str(tmp_path / "run" / "pretrained"))
    assert not flagfile.differences(after, before)
    assert flagfile.differences(Config(task="quickstart", encoder="other"), before)


def test_numbers_that_are_auto_are_written_and_read(tmp_path):
    text = flagfile.render(Config())
    assert "--learning_rate=auto\n" in text
    path = _written(tmp_path / "run.cfg", text)
    assert flagfile.read(path, Config) == Config()
    for flag in ("--epochs=auto", "--learning_rate=auto"):
        assert flags.parse([flag]).config == Config()
    with pytest.raises(UserError, match="--learning_rate must be a number or auto. Received"):
        flags.parse(["--learning_rate=automatic"])


@pytest.mark.parametrize(
    "given",
    [
        {"batch_tokens": 4000, "batch_size": 16},
        {"few_shot": "contrastive", "policy": ("full",)},
        {"task": "token_classification(train='x.conll')", "objective": "accuracy"},
        {"name": "my --name", "seed": 3},
    ],
)
def test_shortest_command_gives_the_configuration(given):
    config = Config(**{"task": "quickstart", **given})
    words = shlex.split(" ".join(flagfile.shortest_words("train", config)))
    assert words[:2] == ["ftkeras", "train"]
    assert flags.parse(words[2:]).config == config
    assert len(words) < 8
