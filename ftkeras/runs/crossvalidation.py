"""A cross-validation's runs: their configurations, their folders, and the summary over folds."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from ftkeras.config.run import Config
from ftkeras.problems import Measure
from ftkeras.runs import layout
from ftkeras.runs.metrics import scalars
from ftkeras.statistics.significance import corrected_t
from ftkeras.support import files

INTERVAL = (
    "Student's t over folds, its variance corrected for the training data that folds share "
    "(Nadeau and Bengio, 2003); of bounded metrics on the logit scale, of those with "
    "one bound on the log scale"
)


def fold_configs(config: Config, *, repeats: int = 1) -> list[Config]:
    """Return the configuration of each fold's run, repeat by repeat.

    The runs do not read test, export nothing, and keep no training state once they are finished.
    """
    common = {field.name: getattr(config, field.name) for field in dataclasses.fields(Config)}
    common |= {"run_dir": None, "restart": False, "test": False, "export": ("none",)}
    common["keep_state"] = False
    return [
        Config(**{**common, "fold": fold, "fold_repeat": repeat})
        for repeat in range(repeats)
        for fold in range(config.folds or 0)
    ]


def fold_folder(home: pathlib.Path, config: Config) -> pathlib.Path:
    """Return the folder of a fold's run.

    Args:
        home: the cross-validation's folder.
        config: the fold's, from `fold_configs`.
    """
    return fold_path(home, config.fold_repeat, config.fold)


def fold_path(home: pathlib.Path, repeat: int, fold: int | None) -> pathlib.Path:
    """Return the folder of a fold's run by the numbers of repeat and fold, from 0."""
    return home / f"repeat-{repeat}" / f"fold-{fold}"


def summary(folds: Sequence[Config], metrics: Sequence[dict], measures: Sequence[Measure]) -> dict:
    """Return the cross-validation's result: a row for each fold, and mean, sd and interval.

    Args:
        folds: the configurations of the folds' runs.
        metrics: what each run measured, in the same order.
        measures: the problem's.
    """
    rows = [
        {
            "repeat": fold.fold_repeat,
            "fold": fold.fold,
            **scalars(measured["validation"]),
            "best_epoch": measured["train"]["best_epoch"],
            "seconds": measured["train"]["seconds"],
        }
        for fold, measured in zip(folds, metrics, strict=True)
    ]
    sizes = [measured["data"] for measured in metrics]
    test_share = sum(size["validation"] / size["train"] for size in sizes) / len(sizes)
    figures = {
        measure.name: _over_folds([row.get(measure.name) for row in rows], test_share, measure)
        for measure in measures
    }
    interval = {"confidence": 0.95, "degrees_of_freedom": len(rows) - 1, "test_share": test_share}
    return {"figures": figures, "interval": {"method": INTERVAL, **interval}, "folds": rows}


def out_of_fold_predictions(folds: Sequence[Config], home: pathlib.Path) -> str:
    """Return a prediction per line, of each example once per repeat, in the order of the data.

    Args:
        folds: the configurations of the folds' runs, all finished.
        home: the cross-validation's folder.
    """
    lines = []
    for fold in folds:
        path = fold_folder(home, fold) / layout.PREDICTIONS["validation"]
        about = {"repeat": fold.fold_repeat, "fold": fold.fold}
        lines += [about | line for line in files.read_json_lines(path)]
    lines.sort(key=lambda line: (line["repeat"], int(line["id"].rpartition("-")[2])))
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _over_folds(
    values: list[float | None], test_share: float, measure: Measure
) -> dict[str, Any] | None:
    """Return mean, sd and interval of a metric; None if a fold lacks it, as the AUC may be."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    estimate = corrected_t(known, test_share=test_share, limits=measure.limits)
    return {"mean": estimate.mean, "sd": estimate.sd, "low": estimate.low, "high": estimate.high}
