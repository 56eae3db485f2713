"""Answer texts in chunks, and write the answers to a file."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ftkeras.config.predict import PredictConfig
from ftkeras.prediction import answers
from ftkeras.prediction.inputs import Inputs, Item, files_read
from ftkeras.prediction.predictor import Predictor
from ftkeras.prediction.progress import show_progress
from ftkeras.runs import exported
from ftkeras.support import plurals, signals

log = logging.getLogger(__name__)

Answered = Iterable[tuple[list[Item], list[dict[str, Any]]]]
# The settings that answers depend on; a smaller batch may help a resumed prediction.
SETTINGS = ("text_column", "pair_column", "header", "delimiter", "encoding", "threshold")


def write(output: str, config: PredictConfig, predictor: Predictor, given: Inputs) -> int:
    """Write a file of answers; return how many it holds.

    Raises:
        UserError: if the input is wrong, or the output can't be written.
        Stopped: SIGTERM was received.
    """
    problem, columns = predictor.problem, predictor.problem.answer_columns()
    answers.check_output(output, given, files_read(config.input), columns)
    if given.notes:
        log.info("%s", f"input   {config.input}: {', '.join(given.notes)}")
    settings = {name: getattr(config, name) for name in SETTINGS}
    settings["model"] = exported.fingerprint(predictor.folder)
    stopped = signals.stoppable(f"output={output} is not complete; `resume` continues it.")
    opened = answers.open_answers(output, given, columns, settings=settings, resume=config.resume)
    with stopped, opened as draft:
        total = None if given.count is None else given.count()
        draft.skip_answered(given.items)
        with show_progress(total, draft.count) as progress:
            for items, predicted in answer(config, predictor, given.items, progress.update):
                cells = map(problem.answer_cells, predicted)
                draft.write(items, [(*i.row, *c) for i, c in zip(items, cells, strict=True)])
    log.info("%s", f"wrote {draft.count:,} answer{'' if draft.count == 1 else 's'} to {output}")
    return draft.count


def answer(
    config: PredictConfig,
    predictor: Predictor,
    items: Iterator[Item],
    on_batch: Callable[[int], None] | None = None,
) -> Answered:
    """Yield the items in chunks with their answers; texts of a chunk are sorted by their length.

    One line at the end says how many texts were empty.
    """
    empty = 0
    while chunk := list(itertools.islice(items, answers.CHUNK)):
        texts = [item.text for item in chunk]
        pairs = [item.pair for item in chunk if item.pair is not None]
        predicted = predictor.predict(
            texts, pairs or None, batch_size=config.batch_size, on_batch=on_batch
        )
        empty += sum(not text.strip() for text in texts)
        yield chunk, predicted
    if empty:
        texts = plurals.counted(empty, "text is", "texts are")
        log.warning(f"note: {texts} empty, and answered like any other")
