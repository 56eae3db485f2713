"""Read texts without labels, which only a teacher answers."""

import functools
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.config.verbs import PredictConfig
from ftkeras.data.sources.stream import Example, stream
from ftkeras.data.tables.texts import encode
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.prediction.inputs import Inputs, open_inputs

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
        count += (found := sum(1 for _ in _items(name, opened)))
        notes = f": {', '.join(opened.notes)}" if opened.notes else ""
        log.info("%s", f"unlabelled {name}: {found:,} texts{notes}")
    if not count:
        raise UserError(f"unlabelled={', '.join(config.unlabelled)} has no text.")
    rows = functools.partial(_examples, config, task, blank(task.target_spec))
    return stream(rows, pairs=task.pairs, target=task.target_spec)


def blank(target: tf.TensorSpec) -> Any:
    """Return what stands for the answer to a text that has none."""
    if target.dtype == tf.string:
        return b""
    shape: Any = target.shape.as_list()
    return np.zeros(shape, target.dtype.as_numpy_dtype)


def _examples(config: Config, task: Task, answer: Any) -> Iterator[Example]:
    for name in config.unlabelled:
        for text, pair in _items(name, _open(name, config, task)):
            second = {} if pair is None else {"pair": encode(pair)}
            yield {"text": encode(text), **second, "label": answer}


def _items(name: str, opened: Inputs) -> Iterator[tuple[str, str | None]]:
    items = opened.items
    while True:
        try:
            item = next(items, None)
        except UserError as error:
            raise _named(name, error) from error
        if item is None:
            return
        if item.text.strip():
            yield item.text, item.pair


def _open(name: str, config: Config, task: Task) -> Inputs:
    takes_options = task.problem_class.reads == "options"
    kind = {"takes_pairs": task.pairs, "takes_options": takes_options}
    try:
        return open_inputs(PredictConfig(input=name), task.columns, **kind)
    except UserError as error:
        raise _named(name, error) from error


def _named(name: str, error: UserError) -> UserError:
    """Return an error of `predict` with this argument's name."""
    message = str(error).replace("`input`", "`unlabelled`").replace(f"input={name}", "it")
    return UserError(f"unlabelled={name}: {message}")
