"""Train the folds of a cross-validation, each in a child process and a folder of its own."""

import concurrent.futures
import pathlib
import queue
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED

from ftkeras.config.run import Config
from ftkeras.processes import child_run, supervisor
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import folder as run_folder
from ftkeras.runs import metrics
from ftkeras.runs.crossvalidation import fold_folder


def check_resumable(fold_configs: Sequence[Config], home: pathlib.Path) -> None:
    """Raise UserError unless each fold's folder is new or holds a run that can be resumed.

    Args:
        fold_configs: from `runs.crossvalidation.fold_configs`.
        home: the cross-validation's folder.
    """
    for config in fold_configs:
        run_folder.check_resumable(config, fold_folder(home, config))


def train_folds(
    fold_configs: Sequence[Config],
    home: pathlib.Path,
    *,
    parallel: int = 1,
    keep_weights: bool = False,
) -> Generator[tuple[Config, Outcome], None, None]:
    """Train each fold that is not finished, and yield each fold's outcome when its run ends.

    If the caller stops iterating or is interrupted, the running folds stop with a checkpoint, from
    which they resume the next time.

    Args:
        fold_configs: from `runs.crossvalidation.fold_configs`, or some of them.
        home: the cross-validation's folder.
        parallel: the number of runs at a time; positive.
        keep_weights: whether to keep the weights of a fold once it is evaluated.

    Yields:
        A fold's configuration and its outcome, which may be a failure.
    """
    halt, slots = threading.Event(), queue.SimpleQueue()
    for environment in supervisor.resource_shares(parallel):
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
            run_folder.delete_weights(run_dir)
        return outcome

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        waiting, running = list(fold_configs), {}
        try:
            while waiting or running:
                # Submit no more than can run: the caller may stop after this outcome.
                while waiting and len(running) < parallel:
                    config = waiting.pop(0)
                    running[pool.submit(train, config)] = config
                for done in concurrent.futures.wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(done), done.result()
        finally:
            halt.set()
