"""Cross-validates: each fold is held out once, and a run on the others is measured on it."""

import contextlib
import json
import logging
import math
import pathlib
from collections.abc import Sequence

from ftkeras.config import flagfile
from ftkeras.config.measuring import CrossvalidateConfig
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.processes import child_run, fold_runs
from ftkeras.runs import crossvalidation, folder, layout
from ftkeras.runs import metrics as report
from ftkeras.support import files, times

log = logging.getLogger(__name__)


def run(config: CrossvalidateConfig) -> None:
    """`crossvalidate`: a run a fold, those that are finished already not again; then the table."""
    home = folder.of(config)
    folds = crossvalidation.fold_configs(config, repeats=config.repeats)
    checks.check(folds[0])
    if config.restart:
        _clear(home)
    fold_runs.must_fit(folds, home)
    files.write_text(home / layout.CROSSVALIDATION_SETTINGS, flagfile.render(config))
    with child_run.stoppable(
        f"The same command with --run_dir={home} goes on; finished folds are not run again."
    ):
        metrics = _metrics(config, folds, home)
    result = crossvalidation.summary(folds, metrics)
    files.write_text(home / layout.OUT_OF_FOLD_PREDICTIONS, _out_of_fold(folds, home))
    files.write_json(home / layout.CROSSVALIDATION_RESULT, result)
    show(result)
    log.info(f"\nfolds        {home}\npredictions  {home / layout.OUT_OF_FOLD_PREDICTIONS}")


def show(result: dict) -> None:
    """Prints a row a fold, then mean, sd and interval of every figure."""
    print(f"\n{'repeat':>6}{'fold':>6}" + "".join(f"{n:>11}" for n in report.FIGURES), end="")
    log.info(f"{'examples':>11}{'epoch':>8}{'seconds':>10}")
    for row in result["folds"]:
        shown = "".join(_figure(row[name]) for name in report.FIGURES)
        print(f"{row['repeat']:>6}{row['fold']:>6}{shown}", end="")
        log.info(f"{row['examples']:>11,}{row['best_epoch']:>8}{row['seconds']:>10,.0f}")
    named = (("mean", "mean"), ("sd", "sd"), ("95 % from", "low"), ("95 % to", "high"))
    for title, key in named:
        values = [found and found[key] for found in result["figures"].values()]
        log.info(f"{title:12}" + "".join(map(_figure, values)))
    about = result["interval"]
    log.info(
        f"\n95 % intervals: {about['method']}, {about['degrees_of_freedom']} degrees of freedom."
    )
    if any(row["best_epoch"] != result["folds"][0]["best_epoch"] for row in result["folds"]):
        log.info("Each fold picked its own best epoch, which flatters its figures a little.")


def _metrics(config: CrossvalidateConfig, folds: list[Config], home: pathlib.Path) -> list[dict]:
    """Each fold's metrics.json, in the order of the folds; the first that fails ends it."""
    done, seconds = {}, []
    log.info(f"{len(folds)} runs, {config.parallel} at a time, each with a {layout.LOG}, in {home}")
    training = fold_runs.trained(
        folds, home, parallel=config.parallel, keep_weights=config.keep_weights
    )
    with contextlib.closing(training):
        for fold, outcome in training:
            run_dir = crossvalidation.fold_folder(home, fold)
            if outcome.reason is not None:
                raise UserError(
                    f"{run_dir} failed: {outcome.reason} ({run_dir / layout.LOG} has all)"
                )
            done[fold] = outcome.metrics
            seconds += [outcome.seconds] if outcome.seconds else []
            rounds = math.ceil((len(folds) - len(done)) / config.parallel)
            _tell(run_dir.relative_to(home), outcome, rounds * sum(seconds) / max(1, len(seconds)))
    return [done[fold] for fold in folds]


def _tell(name: pathlib.Path, outcome: fold_runs.Outcome, seconds_left: float) -> None:
    measured = outcome.metrics["validation"]
    when = f"in {times.duration(outcome.seconds)}" if outcome.seconds else "finished before"
    left = f"; about {times.duration(seconds_left)} left" if seconds_left else ""
    accuracy, loss = measured["accuracy"], measured["loss"]
    log.info(f"  {name}: accuracy {accuracy:.4f}, loss {loss:.4f}, {when}{left}")


def _out_of_fold(folds: Sequence[Config], home: pathlib.Path) -> str:
    """A prediction a line, of each example once a repeat, in the order of the data."""
    lines = []
    for fold in folds:
        path = crossvalidation.fold_folder(home, fold) / layout.PREDICTIONS["validation"]
        about = {"repeat": fold.fold_repeat, "fold": fold.fold}
        for line in path.read_text(encoding="utf-8").splitlines():
            lines.append(about | json.loads(line))
    lines.sort(key=lambda line: (line["repeat"], int(line["id"].rpartition("-")[2])))
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _clear(home: pathlib.Path) -> None:
    ours = (home / name for name in layout.OF_CROSSVALIDATION)
    for path in (*home.glob(layout.REPEATS), *ours):
        files.remove(path)


def _figure(value: float | None) -> str:
    return f"{'-':>11}" if value is None else f"{value:>11.4f}"
