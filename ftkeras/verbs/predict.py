"""Answer texts with an exported model."""

import functools
import itertools
import logging
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ftkeras.config import own_data
from ftkeras.config.verbs import PredictConfig
from ftkeras.prediction import answers, inputs
from ftkeras.prediction.inputs import Inputs, Item
from ftkeras.prediction.predictor import Predictor
from ftkeras.prediction.progress import show_progress
from ftkeras.problems import Problem
from ftkeras.reports import predictions
from ftkeras.runs import exported, layout
from ftkeras.runs import inputs as recorded_inputs
from ftkeras.serving.model_folder import find_model
from ftkeras.support import signals

log = logging.getLogger(__name__)

Answered = Iterable[tuple[list[Item], list[dict[str, Any]]]]
# The settings that answers depend on; a smaller batch may help a resumed prediction.
SETTINGS = ("text_column", "pair_column", "header", "delimiter", "encoding", "threshold")


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
    found = inputs.open_inputs(config, _columns(model), takes_pairs=predictor.takes_pairs, **kinds)
    if config.output is not None:
        return _write(config.output, config, predictor, found)
    show = _json_line if config.json else functools.partial(_line, predictor.problem)
    return sum(_show(show, *chunk) for chunk in _answer(config, predictor, found.items))


def _write(output: str, config: PredictConfig, predictor: Predictor, found: Inputs) -> int:
    """Write a file of answers; return how many it holds."""
    problem, columns = predictor.problem, predictor.problem.answer_columns()
    answers.check_output(output, found, config.input, columns)
    if found.notes:
        log.info("%s", f"input   {config.input}: {', '.join(found.notes)}")
    settings = {name: getattr(config, name) for name in SETTINGS}
    settings["model"] = exported.fingerprint(predictor.folder)
    stopped = signals.stoppable(f"output={output} is not complete; `resume` continues it.")
    opened = answers.open_answers(output, found, columns, settings=settings, resume=config.resume)
    with stopped, opened as draft:
        total = None if found.count is None else found.count()
        draft.skip_answered(found.items)
        with show_progress(total, draft.count) as progress:
            for items, predicted in _answer(config, predictor, found.items, progress.update):
                cells = map(problem.answer_cells, predicted)
                draft.write(items, [(*i.row, *c) for i, c in zip(items, cells, strict=True)])
    log.info("%s", f"wrote {draft.count:,} answer{'' if draft.count == 1 else 's'} to {output}")
    return draft.count


def _columns(model: pathlib.Path) -> dict:
    """Return the columns that the model's run read; exports of earlier versions lack the file."""
    return recorded_inputs.read(model) or own_data.columns(model / layout.SETTINGS)


def _answer(
    config: PredictConfig,
    predictor: Predictor,
    items: Iterator[Item],
    on_batch: Callable[[int], None] | None = None,
) -> Answered:
    """Yield the items in chunks with their answers; texts of a chunk are sorted by their length."""
    while chunk := list(itertools.islice(items, answers.CHUNK)):
        texts = [item.text for item in chunk]
        pairs = [item.pair for item in chunk if item.pair is not None]
        found = predictor.predict(
            texts, pairs or None, batch_size=config.batch_size, on_batch=on_batch
        )
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
