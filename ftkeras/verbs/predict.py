"""Classify texts with an exported model."""

import itertools
import logging
import sys
from collections.abc import Iterable, Iterator

from ftkeras.config.verbs import PredictConfig
from ftkeras.errors import UserError
from ftkeras.reports import predictions
from ftkeras.serving.model_folder import find_model
from ftkeras.serving.predictor import Predictor

log = logging.getLogger(__name__)

# Texts that are sorted by length together: enough to fill batches with texts of similar length,
# few enough to answer while the input is still being read.
CHUNK = 4096


def run(config: PredictConfig) -> int:
    """Log a line for each text, in the order of the input; return the number of texts.

    Raises:
        UserError: if the model or the input is wrong.
    """
    folder, texts = find_model(config.model, "predict"), _texts(config)
    predictor, count = Predictor(folder), 0
    line = predictions.json_line if config.json else predictions.line
    while chunk := list(itertools.islice(texts, CHUNK)):
        found = predictor.predict(chunk, batch_size=config.batch_size)
        log.info("%s", "\n".join(map(line, chunk, found)))
        count += len(chunk)
    return count


def _texts(config: PredictConfig) -> Iterator[str]:
    if config.text and config.input:
        raise UserError("predict takes `text` or `input`, not both.")
    if config.text:
        return iter(config.text)
    if config.input is None:
        if sys.stdin.isatty():
            log.warning("reading texts from the terminal, one per line; Ctrl-D ends")
        return _lines(sys.stdin.buffer)
    try:
        return _lines(open(config.input, "rb"))
    except OSError as error:
        raise UserError(f"input={config.input} can't be read: {error.strerror}.") from None


def _lines(file: Iterable[bytes]) -> Iterator[str]:
    for line in file:
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")
