"""Read texts without labels, which only a teacher answers."""

import functools
import logging
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from ftkeras.config.predict import PredictConfig
from ftkeras.config.run import Config
from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.texts import encode
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.experiment.answering import blank
from ftkeras.prediction.inputs import Inputs, Item, named, open_inputs

log = logging.getLogger(__name__)


def open_unlabelled(config: Config, task: Task) -> tf.data.Dataset | None:
    """Return the run's unlabelled texts as examples of its task; None if it has none.

    Files are read as `predict` reads them, with the columns of the task's own files. Texts that are
    empty are left out.

    Args:
        config: the run's.
        task: the run's.

    Raises:
        UserError: if a file can't be read, or has no text.
    """
    if not config.unlabelled:
        return None
    count = 0
    for name in config.unlabelled:
        opened = _open(name, config, task)
        are_empty = [not item.text.strip() for item in _items(name, opened)]
        count += (own := are_empty.count(False))
        left_out = [f"{empty:,} empty ones left out"] if (empty := sum(are_empty)) else []
        notes = ", ".join([*left_out, *opened.notes])
        log.info("%s", f"unlabelled {name}: {own:,} texts{notes and f': {notes}'}")
    if not count:
        raise UserError(f"unlabelled={', '.join(config.unlabelled)} has no text.")
    rows = functools.partial(_examples, config, task, blank(task.target_spec))
    return stream(rows, pairs=task.pairs, target=task.target_spec)


def _examples(config: Config, task: Task, answer: Any) -> Iterator[Example]:
    for name in config.unlabelled:
        for item in _items(name, _open(name, config, task)):
            second = {} if item.pair is None else {"pair": encode(item.pair)}
            if item.text.strip():
                yield {"text": encode(item.text), **second, "label": answer}


def _items(name: str, opened: Inputs) -> Iterator[Item]:
    with named("unlabelled", name):
        yield from opened.items


def _open(name: str, config: Config, task: Task) -> Inputs:
    takes_options = task.problem_class.reads == "options"
    kind = {"takes_pairs": task.pairs, "takes_options": takes_options}
    with named("unlabelled", name):
        return open_inputs(PredictConfig(input=name), task.columns, **kind)
