"""Choose the texts to label next: those from whose labels a model would learn most."""

import logging
import math
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.config.predict import PredictConfig
from ftkeras.config.selection import SelectConfig
from ftkeras.data.tables.texts import encode
from ftkeras.errors import UserError
from ftkeras.experiment import answering
from ftkeras.experiment.definition import Experiment
from ftkeras.prediction import answers
from ftkeras.prediction.inputs import Inputs, Item, files_read, named, open_inputs
from ftkeras.problems import Problem
from ftkeras.runs import inputs as recorded_inputs
from ftkeras.runs import layout
from ftkeras.runs import problem as recorded
from ftkeras.selection import scores
from ftkeras.selection.table import Table, decision
from ftkeras.support import plurals

log = logging.getLogger(__name__)

COLUMNS = {"rank": int, "entropy": float, "margin": float, "reason": str}
# The columns of the data that name them, and how they are delimited.
_SETTINGS = ("text_column", "pair_column", "header", "delimiter", "encoding")


def choose(config: SelectConfig) -> Table:
    """Return texts in the order in which they should be labelled.

    Args:
        config: with `data`.

    Raises:
        UserError: if the run or the texts can't be read, or its answers have no probabilities.
    """
    run_dir = pathlib.Path(str(config.run_dir))
    if not (run_dir / layout.WEIGHTS).is_file():
        raise UserError(f"run_dir={run_dir} is not the folder of a finished run.")
    problem = recorded.of_run(run_dir)
    if problem.distributions(np.zeros((1, len(problem.names)))) is None:
        raise UserError(
            f"run_dir={run_dir}: a {problem.kind} has no probabilities of a text's answers, which "
            "select needs."
        )
    inputs = _open(config, run_dir, problem)
    if config.output is not None:
        answers.check_output(config.output, inputs, files_read(config.data), COLUMNS)
    items = _distinct(config, inputs)
    experiment = answering.open_run(run_dir)
    distributions, vectors = _ask(experiment, items, with_vectors=config.by == "diverse")
    order = _ORDERS[config.by](distributions, vectors, config)
    chosen = [items[position] for position in order]
    log.info(f"{len(chosen):,} of {len(items):,} texts, by {config.by}")
    return Table(inputs, chosen, COLUMNS, _rows(config, problem, distributions[order]))


def _open(config: SelectConfig, run_dir: pathlib.Path, problem: Problem) -> Inputs:
    columns = recorded_inputs.read(run_dir)
    given = {name: getattr(config, name) for name in _SETTINGS}
    pairs = bool(columns.get("pairs", False))
    with named("data", str(config.data)):
        opened = open_inputs(
            PredictConfig(input=config.data, **given),
            columns,
            takes_pairs=pairs,
            takes_options=problem.reads == "options",
        )
    if opened.notes:
        log.info("%s", f"data    {config.data}: {', '.join(opened.notes)}")
    return opened


def _distinct(config: SelectConfig, inputs: Inputs) -> list[Item]:
    """Return the texts that are not empty, each once."""
    with named("data", str(config.data)):
        items = list(inputs.items)
    filled = [item for item in items if item.text.strip()]
    first: dict[tuple[str, str | None], Item] = {}
    for item in filled:
        first.setdefault((item.text, item.pair), item)
    once = list(first.values())
    for count, what in ((len(items) - len(filled), "empty"), (len(filled) - len(once), "repeated")):
        if count:
            texts = plurals.counted(count, f"{what} text", f"{what} texts")
            log.info(f"note: {texts} of {config.data} left out")
    if not once:
        raise UserError(f"data={config.data} has no text.")
    return once


def _ask(
    experiment: Experiment, items: list[Item], *, with_vectors: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the probabilities of each text's answers, and its vector if that is wanted."""
    columns: Any = {"text": [encode(item.text) for item in items]}
    if experiment.pairs:
        columns["pair"] = [encode(item.pair or "") for item in items]
    examples = answering.read_texts(experiment, tf.data.Dataset.from_tensor_slices(columns))
    outputs = answering.outputs(experiment, examples, title="answering")
    if not np.isfinite(outputs).all():
        raise UserError("the answers of the run's model are not finite: its training diverged.")
    activated = answering.activated(experiment.problem, outputs)
    distributions = experiment.problem.distributions(activated)
    assert distributions is not None
    vectors = answering.vectors(experiment, examples) if with_vectors else None
    if with_vectors and vectors is None:
        raise UserError(
            f"by=diverse can't be used with a {experiment.problem.kind}, whose head reads more "
            "than one vector of each text; use entropy or margin."
        )
    return distributions, vectors


def _rows(config: SelectConfig, problem: Problem, chosen: np.ndarray) -> list[Mapping[str, Any]]:
    """Return a row about each chosen text."""
    entropies, margins = scores.entropy(chosen), scores.margin(chosen)
    most = math.log(chosen.shape[-1])
    reasons = {
        "entropy": lambda n: f"entropy {entropies[n]:.3f} of at most {most:.3f}",
        "margin": lambda n: f"margin {margins[n]:.3f}",
        "diverse": lambda n: f"{'far from those before' if n else 'the longest gradient'}",
    }
    return [
        {
            "rank": n + 1,
            "entropy": float(entropies[n]),
            "margin": float(margins[n]),
            "reason": f"{reasons[config.by](n)}: {decision(problem.names, chosen[n].tolist())}",
        }
        for n in range(len(chosen))
    ]


_Order = Callable[[np.ndarray, Any, SelectConfig], np.ndarray]
_ORDERS: dict[str, _Order] = {
    "entropy": lambda p, _, c: np.argsort(-scores.entropy(p), kind="stable")[: c.count],
    "margin": lambda p, _, c: np.argsort(scores.margin(p), kind="stable")[: c.count],
    "diverse": lambda p, v, c: scores.diverse(p, v, c.count, seed=c.seed),
}
