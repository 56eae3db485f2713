import dataclasses
import pathlib
import re

import pytest

from ftkeras import catalog
from ftkeras.config.plot import PlotConfig
from ftkeras.config.run import Config
from ftkeras.data.feed import TrainingFeed
from ftkeras.data.splits import open_splits
from ftkeras.errors import UserError
from ftkeras.experiment import build, checks, feeds, optimization, run_length
from ftkeras.main import main
from ftkeras.verbs import plot
from tests.matrix import matrix
from tests.running import call_ftkeras

ENCODER = "bert(layers=1, hidden=8, heads=1, positions=64, vocabulary='reviews')"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _table(output: str) -> dict[int, float]:
    """Return the learning rates of the printed table, by the number of updates."""
    rows = re.findall(r"^ *([\d,]+) +[\d.]+% +(\d\S+)", output, re.MULTILINE)
    return {int(step.replace(",", "")): float(rate) for step, rate in rows}


def _is_png(path: pathlib.Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG\r\n") and path.stat().st_size > 10_000


def test_plot_shows_the_learning_rates(capsys):
    flags = ["--steps=1000", "--learning_rate=0.5", "--warmup=100", "--schedule=linear(end=0.05)"]
    assert main(["plot", *flags]) == 0
    output = capsys.readouterr().out
    rates = _table(output)
    assert rates[0] == 0
    assert rates[50] == pytest.approx(0.25, rel=1e-4)
    assert rates[100] == pytest.approx(0.5, rel=1e-4)
    assert rates[600] == pytest.approx(0.5 - 0.45 * 500 / 900, rel=1e-4)
    assert rates[1000] == pytest.approx(0.05, rel=1e-4)
    assert re.search(r"^ *100 .*end of the warm-up$", output, re.MULTILINE)
    assert _is_png(pathlib.Path("schedule.png"))


@pytest.mark.parametrize("name", matrix(catalog.names("schedule"), default=["cosine", "one_cycle"]))
def test_every_schedule_can_be_plotted(name, capsys):
    assert main(["plot", f"--schedule={name}", "--steps=30", "--output=a/rate.png"]) == 0
    assert _is_png(pathlib.Path("a", "rate.png"))
    output = capsys.readouterr().out
    assert ("validation decides" in output) == (name == "reduce_on_plateau")


def test_plot_goes_into_the_run_folder():
    assert main(["plot", "--steps=5", "--run_dir=run"]) == 0
    assert [path.name for path in pathlib.Path("run").iterdir()] == ["schedule.png"]


def _steps_planned(config: Config) -> int:
    examples = run_length.count_training_examples(config)
    return run_length.count_updates(config, examples) * config.planned_epochs


def _steps_trained(config: Config) -> int:
    """Return the number of updates that `train` makes."""
    experiment = build.experiment(config)
    batching = feeds.batching(config, pad_id=experiment.model.pad_id)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        return len(TrainingFeed(splits.train, batching, seed=0)) * config.epochs


@pytest.mark.parametrize("test", [", test='own.csv'", ""], ids=["test data", "one file"])
@pytest.mark.parametrize("limit", matrix([None, 30], default=[30]))
def test_steps_are_those_of_the_run(elsewhere, limit, test):
    rows = [f"text {i},{'a' if i % 3 else 'b'}" for i in range(107)]
    pathlib.Path("own.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    config = Config(
        task=f"classification(train='own.csv'{test})",
        encoder=ENCODER,
        max_length=16,
        batch_size=4,
        epochs=3,
        validation_share=0.15,
        train_examples=limit,
    )
    assert _steps_planned(config) == _steps_trained(config)


def test_steps_of_a_limited_run_need_no_data():
    config = Config(task="imdb", data_dir="nowhere", train_examples=100, batch_size=16, epochs=2)
    assert _steps_planned(config) == 14


@pytest.mark.matrix
def test_fold_that_is_held_out_makes_no_steps():
    limited = Config(task="imdb", train_examples=100, batch_size=16, epochs=2, folds=5, fold=0)
    assert _steps_planned(limited) == 10
    whole = Config(task="quickstart", batch_size=1, epochs=1)
    pooled = _steps_planned(whole) + 500  # the task's own validation
    assert _steps_planned(dataclasses.replace(whole, folds=5)) == pooled - pooled // 5


def test_token_batches_need_a_number_of_steps():
    with pytest.raises(UserError, match="^batch_tokens=640: .*`steps`"):
        _steps_planned(Config(task="imdb", train_examples=100, batch_tokens=640))


def test_schedule_with_a_rise_has_no_default_warmup():
    for name in ("one_cycle", "slanted_triangular"):
        assert optimization.resolve_warmup(Config(schedule=name), total_steps=100) == 0
        assert optimization.resolve_warmup(Config(schedule=name, warmup="0"), total_steps=100) == 0
    assert optimization.resolve_warmup(Config(schedule="cosine"), total_steps=100) == 10


@pytest.mark.parametrize("name", ["one_cycle", "slanted_triangular"])
def test_schedule_with_a_rise_takes_no_warmup(name):
    with pytest.raises(UserError, match=rf"^schedule={name} .*`warmup`.*warmup=0\..*warmup=0.1"):
        checks.check(Config(schedule=name, warmup="0.1"))


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--steps=0"], ["--steps", "0"]),
        (["--steps=10", "--warmup=10"], ["--warmup=10", "10 updates"]),
        (["--steps=10", "--schedule=cosine(cycles=50)"], ["--schedule=cosine", "`cycles`", "50"]),
        (["--steps=10", "--learning_rate=-1"], ["--learning_rate", "-1"]),
        (["--steps=10", "--schedule=cosine(end=1)"], ["--schedule=cosine", "`end`"]),
        (["--steps=10", "--schedule=step(boundaries=(5, 3))"], ["`boundaries`", "rise"]),
        (["--steps=10", "--output=."], ["--output=."]),
        (["--steps=10", "--output=/dev/null/a.png"], ["--output", "/dev/null"]),
        (["--steps=10", "--run_dir=/dev/null/a"], ["--run_dir", "/dev/null"]),
    ],
)
def test_wrong_flag_gives_one_line(flags, named, capsys):
    assert main(["plot", *flags]) == 2
    output = capsys.readouterr().err
    assert output.startswith("ftkeras: ")
    assert output.count("\n") == 1
    assert all(name in output for name in named), output
    assert not list(pathlib.Path().iterdir())


def test_missing_matplotlib_is_reported(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert main(["plot", "--steps=10"]) == 2
    assert "ftkeras[plot]" in capsys.readouterr().err


def test_plot_takes_the_flags_of_train(elsewhere):
    run = ["--task=quickstart", "--train_examples=64", "--batch_size=8", "--epochs=2", "--warmup=2"]
    done = call_ftkeras("plot", *run, cwd=elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    assert "16 steps" in done.stdout
    assert max(_table(done.stdout)) == 16


def test_plot_of_a_short_run_samples_every_update():
    config = PlotConfig(steps=7, warmup="0", schedule="constant", learning_rate=1e-3)
    plot.run(config)
    assert _is_png(pathlib.Path("schedule.png"))
