"""The tokens at which answers start and end, and the loss of a split."""

import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from ftkeras.problems._contexts import ContextOutputs, Window
from ftkeras.support import answers
from ftkeras.support.absent import ABSENT_LOGIT

# The first token of a row, which stands for no answer.
NULL = (0, 0)
# Characters that tokenizers may drop: combining marks, and invisible ones for layout and control.
_DROPPED = ("Mn", "Cf", "Cc")
# Windows whose loss is computed at once.
WINDOWS = 32


def window_targets(targets: Any, outputs: ContextOutputs) -> np.ndarray:
    """Return the first and the last token of the first true answer in each window.

    A token belongs to an answer if it overlaps it. A window that does not hold the whole answer has
    the target `NULL`.

    Args:
        targets: what `ftkeras.support.answers.encode` wrote of each example.
        outputs: where the tokens of all windows are.

    Returns:
        int64 [windows, 2].
    """
    places = np.zeros((len(outputs.lengths), 2), np.int64)
    number = 0
    for stored, windows in zip(targets, outputs, strict=True):
        known = answers.decode(stored).answers
        for window in windows:
            if known:
                start, text = known[0]
                places[number] = _place(window, start, start + len(_held(text)))
            number += 1
    return places


def _held(text: str) -> str:
    """Return an answer without the characters at its end that no token may hold."""
    while len(text) > 1 and (text[-1].isspace() or unicodedata.category(text[-1]) in _DROPPED):
        text = text[:-1]
    return text


def _place(window: Window, start: int, end: int) -> tuple[int, int]:
    tokens = np.flatnonzero(window.ends >= 0)
    first = int(np.searchsorted(window.ends[tokens], start, side="right"))
    last = int(np.searchsorted(window.ends[tokens], end, side="left"))
    if not first <= last < len(tokens):
        return NULL
    # An earlier token may hold the start of the answer.
    if window.first_piece and window.starts[tokens[0]] > start:
        return NULL
    return int(tokens[first]), int(tokens[last])


def mean_loss(loss: Callable[..., Any], targets: np.ndarray, outputs: ContextOutputs) -> float:
    """Return the mean loss of all examples, of which the windows share the weight.

    Args:
        loss: targets, logits [windows, length, 2] and weights -> mean loss.
        targets: the first and the last token of the answer in each window, [windows, 2].
        outputs: the logits.
    """
    import keras

    windows = [window for each in outputs for window in each]
    weights = np.repeat(1 / outputs.counts, outputs.counts).astype(np.float32)
    total = 0.0
    for first in range(0, len(windows), WINDOWS):
        chunk = windows[first : first + WINDOWS]
        logits = np.full(
            (len(chunk), max(len(w.logits) for w in chunk), 2), ABSENT_LOGIT, np.float32
        )
        for row, window in zip(logits, chunk, strict=True):
            row[: len(window.logits)] = window.logits
        part = slice(first, first + len(chunk))
        mean = loss(targets[part], logits, weights[part])
        total += float(keras.ops.convert_to_numpy(mean)) * len(chunk)
    return total / len(outputs)
