"""The runs of a cross-validation: one a fold, each in a process and a folder of its own."""

import concurrent.futures
import dataclasses
import pathlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED

from ftkeras.config.run import Config
from ftkeras.experiment import build
from ftkeras.processes import child_run, supervisor
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import folder as run_folder
from ftkeras.runs import metrics


def configs(config: Config, *, repeats: int = 1) -> list[Config]:
    """The configuration of each fold's run, repeat by repeat.

    Test is not read, nothing is exported, and no checkpoint stays of a run that is finished.
    """
    common = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    common |= {"run_dir": None, "restart": False, "test": False, "export": ("none",), "keep": 0}
    return [
        Config(**{**common, "fold": fold, "fold_repeat": repeat})
        for repeat in range(repeats)
        for fold in range(config.folds)
    ]


def folder(home: pathlib.Path, config: Config) -> pathlib.Path:
    """Where a fold's run goes."""
    return home / f"repeat-{config.fold_repeat}" / f"fold-{config.fold}"


def must_fit(fold_configs: Sequence[Config], home: pathlib.Path) -> None:
    """Refuses to go on with folds of other settings, naming what differs."""
    for config in fold_configs:
        run_folder.must_fit(config, folder(home, config))


def trained(
    fold_configs: Sequence[Config],
    home: pathlib.Path,
    *,
    parallel: int = 1,
    keep_weights: bool = False,
) -> Iterator[tuple[Config, Outcome]]:
    """Trains each fold that is not finished; yields each as it is done, failed ones too.

    Where whoever asks stops asking, or is interrupted, the runs are stopped with a checkpoint, and
    go on from there the next time.

    Args:
        fold_configs: what `configs` gives, or some of it.
        home: the folder of all folds.
        parallel: runs at once; positive.
        keep_weights: whether each fold's weights stay, when its predictions are there.
    """
    halt, slots = threading.Event(), queue.SimpleQueue()
    for environment in supervisor.shares(parallel):
        slots.put(environment)

    def train(config: Config) -> Outcome:
        run_dir = folder(home, config)
        if run_folder.is_finished(config, run_dir):
            outcome = Outcome(metrics.read_metrics(run_dir), None, 0.0)
        else:
            environment = slots.get()
            try:
                outcome = child_run.train(config, run_dir, environment=environment, halt=halt)
            finally:
                slots.put(environment)
        if outcome.metrics is not None and not keep_weights:
            (run_dir / build.WEIGHTS_FILE).unlink(missing_ok=True)
        return outcome

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        waiting, running = list(fold_configs), {}
        try:
            while waiting or running:
                # No more than run at once: whoever asks may have seen enough by now.
                while waiting and len(running) < parallel:
                    config = waiting.pop(0)
                    running[pool.submit(train, config)] = config
                for done in concurrent.futures.wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        finally:
            halt.set()
