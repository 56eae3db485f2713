"""Searches that train nothing: the score of a run is a function of its configuration."""

import contextlib
import functools
import math
import pathlib
import time

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.config.tune import TuneConfig
from ftkeras.processes import child_run
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import folder, layout
from ftkeras.runs import metrics as report
from ftkeras.search import folder as folders
from ftkeras.search import setup, trials, workers
from ftkeras.search.ledger import Ledger
from ftkeras.support import files
from tests.running import call_ftkeras

LINES = (
    "learning_rate=log(1e-5, 1e-3)",
    "policy=choice(full, layerwise(decay=uniform(0.5, 0.9)), freeze(layers=choice(1, 2)))",
)
STEPS = ("learning_rate=choice(1e-5, 1e-4)", LINES[1].replace("0.9)", "0.9, step=0.2)"))


class Killed(BaseException):
    """Stands for SIGKILL: nothing runs after it."""


def accuracy(config: Config) -> float:
    """Return a score that depends on learning rate, policy, seed, fold and epochs."""
    score = 0.9 - 0.05 * abs(math.log10(config.learning_rate) + 4)
    score -= 0.02 * config.policy[0].startswith("layerwise")
    score += 0.01 * config.seed + 0.003 * (config.fold or 0)
    return score + 0.02 * config.trained_epochs


def finish(config: Config, run_dir: pathlib.Path, score: float) -> dict:
    """Write the files of a finished run and return its metrics."""
    metrics = {
        "validation": {"accuracy": score, "loss": 1 - score},
        "train": {"seconds": 10.0, "best_epoch": config.trained_epochs},
    }
    files.write_text(run_dir / layout.SETTINGS, flagfile.render(config))
    (run_dir / "weights.safetensors").write_text(run_dir.name)
    report.write_metrics(run_dir, metrics)
    folder.record_exports(run_dir, [])
    return metrics


class Child:
    """Replaces `child_run.train`: records each run, and ends as the test wants.

    Args:
        ends: by the number of the run, from 1: what it raises, or the reason why it fails.
    """

    def __init__(self, ends: dict | None = None):
        self.ends, self.runs = ends or {}, []

    def train(self, config: Config, run_dir: pathlib.Path) -> Outcome:
        self.runs.append((f"{run_dir.parent.name}/{run_dir.name}", config))
        end = self.ends.get(len(self.runs))
        if isinstance(end, str):
            return Outcome(None, end, 1.0)
        if end is not None:
            raise end
        return Outcome(finish(config, run_dir, accuracy(config)), None, 1.0)


def train_here(config: Config, run_dir: pathlib.Path) -> Outcome:
    """Replace `child_run.train`: train in this process, which has TensorFlow loaded already."""
    run_dir.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    arguments = [*flagfile.arguments(config), f"--run_dir={run_dir.absolute()}"]
    done = call_ftkeras("train", *arguments, cwd=pathlib.Path.cwd())
    seconds = time.monotonic() - start
    (run_dir / layout.LOG).write_text(done.stdout + done.stderr)
    if done.returncode:
        return Outcome(None, done.stderr.strip().removeprefix("ftkeras: "), seconds)
    return Outcome(report.read_metrics(run_dir), None, seconds)


space_of = functools.cache(setup.build_space)


def config(**given) -> TuneConfig:
    """Return a search's configuration with all defaults, but with numbers instead of auto."""
    run = {"task": "quickstart", "cache_dir": "none", "epochs": 3, "learning_rate": 3e-5}
    given = {"search": LINES, **run, **given}
    return setup.with_defaults(TuneConfig(**given))


def ledger(given: TuneConfig, home: pathlib.Path, **limits) -> Ledger:
    """Return the ledger of a search in this folder, new or resumed."""
    home.mkdir(exist_ok=True)
    space = space_of(given)
    limits = {"max_trials": given.max_trials, "settings": space.size, **limits}
    return Ledger(setup.build_oracle(given, space), home, **limits)


def search(given: TuneConfig, home: pathlib.Path, child: Child, monkeypatch) -> Ledger | None:
    """Run a session of a search; return its ledger, or None if it was killed."""
    monkeypatch.setattr(child_run, "train", child.train)
    book = ledger(given, home)
    run = trials.Trials(given, space_of(given), home / layout.TRIALS).run
    with contextlib.suppress(Killed), folders.lock_worker(home, workers.ALONE):
        workers.work(book, run, workers.ALONE)
        return book
    return None
