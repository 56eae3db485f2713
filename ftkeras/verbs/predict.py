"""Answer texts with an exported model."""

import functools
import logging
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ftkeras.config import own_data
from ftkeras.config.predict import PredictConfig
from ftkeras.prediction import inputs, writing
from ftkeras.prediction.inputs import Item
from ftkeras.prediction.predictor import Predictor
from ftkeras.problems import Problem
from ftkeras.reports import predictions
from ftkeras.runs import inputs as recorded_inputs
from ftkeras.runs import layout
from ftkeras.serving.model_folder import find_model

log = logging.getLogger(__name__)


def run(config: PredictConfig) -> int:
    """Log a line for each text, or write a file, in the order of the input.

    Returns:
        The number of texts.

    Raises:
        UserError: if the model or the input is wrong, or the output can't be written.
        Stopped: SIGTERM was received.
    """
    model = find_model(config.model, "predict")
    predictor = Predictor(model)
    if config.threshold is not None:
        predictor.problem.override_threshold(config.threshold)
    if not config.text and config.input is None and sys.stdin.isatty():
        log.warning("reading texts from the terminal, one per line; Ctrl-D ends")
    reads = predictor.problem.reads
    kinds = {"takes_options": reads == "options", "takes_contexts": reads == "contexts"}
    given = inputs.open_inputs(config, _columns(model), takes_pairs=predictor.takes_pairs, **kinds)
    if config.output is not None:
        return writing.write(config.output, config, predictor, given)
    show = _json_line if config.json else functools.partial(_line, predictor.problem)
    return sum(_show(show, *chunk) for chunk in writing.answer(config, predictor, given.items))


def _columns(model: pathlib.Path) -> dict:
    """Return the columns that the model's run read; exports of earlier versions lack the file."""
    return recorded_inputs.read(model) or own_data.columns(model / layout.SETTINGS)


def _show(
    line: Callable[[Item, dict[str, Any]], str], items: Sequence[Item], answers: Sequence[dict]
) -> int:
    log.info("%s", "\n".join(map(line, items, answers)))
    return len(items)


def _line(problem: Problem, item: Item, answer: dict[str, Any]) -> str:
    return predictions.line(problem, item.shown, answer)


def _json_line(item: Item, answer: dict[str, Any]) -> str:
    return predictions.json_line(item.texts, answer)
