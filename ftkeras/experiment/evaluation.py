"""Evaluate a model on validation and test: metrics, and a prediction for each text."""

import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.data.splits import Splits
from ftkeras.data.summary import count_token
from ftkeras.errors import UserError
from ftkeras.experiment import feeds
from ftkeras.experiment.definition import Experiment
from ftkeras.runs import layout, monitoring, samples
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import files
from ftkeras.training.validation import predict_in_order


@dataclass(frozen=True)
class _Evaluated:
    """A split's metrics, details such as a confusion matrix, and its predictions.

    `calibration` is what calibrating changes, if the run is calibrated.
    """

    metrics: dict
    details: dict
    predictions: list[dict]
    calibration: dict | None


def evaluate(experiment: Experiment, splits: Splits, run_dir: pathlib.Path) -> dict:
    """Evaluate validation and test, and write their predictions into the run's folder.

    If the problem needs it, it is tuned on validation first, and recorded. If the configuration
    asks for it, it is calibrated there as well. Also writes sample texts of the last split (test,
    if it is evaluated) with their predictions, by which exports are verified.

    Args:
        experiment: with the weights to evaluate, compiled with its loss.
        splits: of the run; test is read only if the configuration asks for it.
        run_dir: the run's folder, in which the files are written by the chief worker.

    Returns:
        The metrics of each split, the problem's details of the last one, and what calibrating
        changes in each split, "calibration", if the run is calibrated.

    Raises:
        UserError: the model's logits are not finite.
    """
    parts = {} if splits.validation is None else {"validation": splits.validation}
    if experiment.config.test:
        parts["test"] = splits.test
    paths = {name: run_dir / layout.PREDICTIONS[name] for name in parts}
    tunes, calibrates = experiment.problem.needs_tuning, experiment.config.calibrate
    evaluated = _evaluate(experiment, parts, paths, tunes=tunes, calibrates=calibrates)
    if (tunes or calibrates) and experiment.devices.is_chief:
        recorded_problem.write(run_dir, experiment.problem)
    last = list(parts)[-1]
    if experiment.devices.is_chief:
        unknown_id = experiment.text_layer.tokenizer.unknown_id
        counts = {
            name: {"tokens": part.lengths, "unknown": count_token(part, unknown_id)}
            for name, part in parts.items()
        }
        monitoring.write_token_counts(run_dir, counts)
        positions = samples.positions(len(parts[last]))
        texts = splits.raw_texts(parts[last], positions)
        samples.write(run_dir, [evaluated[last].predictions[at] for at in positions], texts)
    return _record(evaluated)


def evaluate_on_other_data(
    experiment: Experiment, parts: Mapping[str, Examples], run_dir: pathlib.Path, *, name: str
) -> dict:
    """Evaluate on other examples than the run's own, whose files stay as they are.

    Args:
        experiment: with the weights to evaluate, compiled with its loss.
        parts: the examples of "test", and maybe of "validation".
        run_dir: the run's folder, in which the chief worker writes predictions.
        name: what the files of predictions are called after.

    Returns:
        As `evaluate`.

    Raises:
        UserError: the model's logits are not finite.
    """
    files_of = {n: run_dir / layout.of_evaluation(name, layout.PREDICTIONS[n]) for n in parts}
    evaluated = _evaluate(experiment, parts, files_of)
    return _record(evaluated)


def _record(by_split: Mapping[str, _Evaluated]) -> dict:
    """Return the entries of metrics.json about the splits."""
    measured = {split: evaluated.metrics for split, evaluated in by_split.items()}
    changes = {n: e.calibration for n, e in by_split.items() if e.calibration is not None}
    calibration = {"calibration": changes} if changes else {}
    return {**measured, **list(by_split.values())[-1].details, **calibration}


def predict_logits(experiment: Experiment, examples: Examples) -> Any:
    """Return the logits of every example in the split's own order; see `predict_in_order`."""
    feed = feeds.ordered_feed(experiment, examples)
    title = f"evaluating {examples.name}" if experiment.devices.is_chief else None
    return predict_in_order(experiment.model, feed, title=title)


def _evaluate(
    experiment: Experiment,
    parts: Mapping[str, Examples],
    paths: Mapping[str, pathlib.Path],
    *,
    tunes: bool = False,
    calibrates: bool = False,
) -> dict[str, _Evaluated]:
    """Evaluate each split, validation first; tune and calibrate the problem on it if asked to."""
    by_split = {}
    for name, part in parts.items():
        logits = predict_logits(experiment, part)
        _must_be_finite(experiment.problem.are_finite(logits), name)
        if tunes and name == "validation":
            experiment.problem.tune(part.targets, logits)
        if calibrates and name == "validation":
            experiment.problem.calibrate(part.targets, logits)
        by_split[name] = _evaluate_split(experiment, part, logits, paths[name])
    return by_split


def _evaluate_split(
    experiment: Experiment, examples: Examples, logits: Any, path: pathlib.Path
) -> _Evaluated:
    """Evaluate one split and write its predictions."""
    problem, targets = experiment.problem, examples.targets
    rows = _predictions(examples, problem.decode(targets, logits))
    if experiment.devices.is_chief:
        _write_predictions(path, rows)
    measured = problem.metrics(targets, logits, experiment.model.loss)
    measured["examples"] = len(examples)
    changes = None if problem.temperature is None else problem.calibration(targets, logits)
    return _Evaluated(measured, problem.details(targets, logits), rows, changes)


def _predictions(examples: Examples, decoded: list[dict]) -> list[dict]:
    """Return the lines of predictions.jsonl."""
    rows = zip(examples.rows, decoded, strict=True)
    return [{"id": f"{examples.name}-{row}", **prediction} for row, prediction in rows]


def _must_be_finite(are_finite: np.ndarray, split: str) -> None:
    if wrong := (~are_finite).sum():
        raise UserError(
            f"the model's logits are not finite for {wrong:,} of {len(are_finite):,} {split} "
            "examples, so it can't be evaluated: its training diverged; a lower `learning_rate` "
            "may help."
        )


def _write_predictions(path: pathlib.Path, rows: list[dict]) -> None:
    """Write one JSON object per line."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    files.write_text(path, "\n".join(lines) + "\n")
