"""The runs of a cross-validation: one a fold, each in a process and a folder of its own."""

import concurrent.futures
import pathlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED

from ftkeras.config.run import Config
from ftkeras.processes import child_run, supervisor
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import folder as run_folder
from ftkeras.runs import layout, metrics
from ftkeras.runs.crossvalidation import fold_folder


def check_resumable(fold_configs: Sequence[Config], home: pathlib.Path) -> None:
    """Refuses to go on with folds of other settings, naming what differs."""
    for config in fold_configs:
        run_folder.check_resumable(config, fold_folder(home, config))


def train_folds(
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
        fold_configs: what `fold_configs` gives, or some of it.
        home: the folder of all folds.
        parallel: runs at once; positive.
        keep_weights: whether each fold's weights stay, when its predictions are there.
    """
    halt, slots = threading.Event(), queue.SimpleQueue()
    for environment in supervisor.shares(parallel):
        slots.put(environment)

    def train(config: Config) -> Outcome:
        run_dir = fold_folder(home, config)
        if run_folder.is_finished(config, run_dir):
            outcome = Outcome(metrics.read_metrics(run_dir), None, 0.0)
        else:
            environment = slots.get()
            try:
                outcome = child_run.train(config, run_dir, environment=environment, halt=halt)
            finally:
                slots.put(environment)
        if outcome.metrics is not None and not keep_weights:
            (run_dir / layout.WEIGHTS).unlink(missing_ok=True)
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
