"""Answer texts with an exported model."""

import functools
import itertools
import logging
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ftkeras.config import own_data
from ftkeras.config.verbs import PredictConfig
from ftkeras.prediction import answers, inputs
from ftkeras.prediction.inputs import Item
from ftkeras.prediction.predictor import Predictor
from ftkeras.problems import Problem
from ftkeras.reports import predictions
from ftkeras.runs import inputs as recorded_inputs
from ftkeras.runs import layout
from ftkeras.serving.model_folder import find_model
from ftkeras.support import signals

log = logging.getLogger(__name__)

# Texts that are sorted by length together: enough to fill batches with texts of similar length,
# few enough to answer while the input is still being read.
CHUNK = 4096


def run(config: PredictConfig) -> int:
    """Log a line for each text, or write a file, in the order of the input.

    Returns:
        The number of texts.

    Raises:
        UserError: if the model or the input is wrong, or the output can't be written.
        Stopped: SIGTERM was received; a file that was not complete is deleted.
    """
    model = find_model(config.model, "predict")
    predictor = Predictor(model)
    if config.threshold is not None:
        predictor.problem.override_threshold(config.threshold)
    if not config.text and config.input is None and sys.stdin.isatty():
        log.warning("reading texts from the terminal, one per line; Ctrl-D ends")
    takes_options = predictor.problem.reads == "options"
    kinds = {"takes_pairs": predictor.takes_pairs, "takes_options": takes_options}
    found = inputs.open_inputs(config, _columns(model), **kinds)
    answered = _answer(config, predictor, found.items)
    if config.output is None:
        show = _json_line if config.json else functools.partial(_line, predictor.problem)
        return sum(_show(show, *chunk) for chunk in answered)
    columns, count = predictor.problem.answer_columns(), 0
    answers.check_output(config.output, found, config.input, columns)
    if found.notes:
        log.info("%s", f"input   {config.input}: {', '.join(found.notes)}")
    unwritten = signals.stoppable(f"{config.output} was not written.")
    with unwritten, answers.open_answers(config.output, found, columns) as write:
        for items, predicted in answered:
            rows = zip(items, predicted, strict=True)
            write([(*item.row, *predictor.problem.answer_cells(answer)) for item, answer in rows])
            count += len(items)
    log.info("%s", f"wrote {count:,} answer{'' if count == 1 else 's'} to {config.output}")
    return count


def _columns(model: pathlib.Path) -> dict:
    """Return the columns that the model's run read; exports of earlier versions lack the file."""
    return recorded_inputs.read(model) or own_data.columns(model / layout.SETTINGS)


def _answer(
    config: PredictConfig, predictor: Predictor, items: Iterator[Item]
) -> Iterator[tuple[list[Item], list[dict[str, Any]]]]:
    """Yield the items in chunks, each with its answer."""
    while chunk := list(itertools.islice(items, CHUNK)):
        texts = [item.text for item in chunk]
        pairs = [item.pair for item in chunk if item.pair is not None]
        found = predictor.predict(texts, pairs or None, batch_size=config.batch_size)
        yield chunk, found


def _show(
    line: Callable[[Item, dict[str, Any]], str], items: Sequence[Item], found: Sequence[dict]
) -> int:
    log.info("%s", "\n".join(map(line, items, found)))
    return len(items)


def _line(problem: Problem, item: Item, answer: dict[str, Any]) -> str:
    return predictions.line(problem, item.shown, answer)


def _json_line(item: Item, answer: dict[str, Any]) -> str:
    return predictions.json_line(item.texts, answer)
