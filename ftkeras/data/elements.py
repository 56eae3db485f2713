"""The elements of a feed: the arrays of some parts of a batch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ftkeras.data.batching import Batching
from ftkeras.data.examples import Examples
from ftkeras.data.masker import Masker
from ftkeras.data.token_numbers import token_numbers

# Targets, which may be `Ragged`, and positions -> the tensors of a batch; see `Problem.collate`.
Collate = Callable[[Any, np.ndarray], dict[str, np.ndarray]]


def element(
    examples: Examples,
    batching: Batching,
    parts: Sequence[np.ndarray],
    collate: Collate,
    by_text: bool,
    weights: np.ndarray | None,
) -> tuple:
    """Return (inputs, answers[, weights]) of these parts, stacked if there are several."""
    positions = _stack(parts)
    leading = positions.shape[:1] if len(parts) > 1 else ()
    flat = positions.reshape(-1, *positions.shape[2:])
    rows = inputs(examples, batching, flat)
    read = {name: array.reshape(*leading, -1, *array.shape[1:]) for name, array in rows.items()}
    positions = positions.reshape(*leading, -1)
    if examples.token_targets is None:
        stored = np.where(positions >= 0, examples.rows[positions], -1)
        # Read only this batch's values: the split may have millions.
        own = np.where(stored >= 0, np.arange(stored.size).reshape(stored.shape), -1)
        answers = collate(examples.stored_targets[stored.reshape(-1)], own)
    else:
        width = read["token_ids"].shape[-1]
        rows_of_tokens = flat.reshape(-1) if by_text else flat
        numbers = token_numbers(examples.firsts, examples.lengths, rows_of_tokens, width)
        each = (width,) if by_text else ()
        stored = numbers.reshape(*leading, -1, *each)
        answers = collate(examples.token_targets, stored)
    if (teacher := examples.teacher) is not None:
        places = _places(examples, positions, read["token_ids"]) if teacher.of_places else None
        answers = teacher.add_to(answers, stored, places)
    if weights is None:
        return read, answers
    return read, answers, np.where(positions >= 0, weights[positions], np.float32(0))


def masked_element(
    examples: Examples,
    batching: Batching,
    parts: Sequence[np.ndarray],
    masker: Masker,
    epoch: int | None = None,
) -> tuple:
    """Return (inputs, answers) of these parts, whose answers are masked tokens."""
    stacked = _stack(parts)
    read = inputs(examples, batching, stacked.reshape(-1, *stacked.shape[2:]))
    return masker.element(examples, stacked, read, epoch)


def inputs(examples: Examples, batching: Batching, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Return the batching's arrays or, if the examples have vectors, one vector per place."""
    if examples.several is not None:
        stored = np.where(positions >= 0, examples.rows[positions], -1)
        return batching.collate(examples.separate_rows, examples.several.numbers(stored))
    if examples.vectors is None:
        return batching.collate(examples, positions)
    flat = positions.reshape(-1)
    return {"vector": examples.vectors.at(examples.rows[flat], flat >= 0)}


def _places(examples: Examples, positions: np.ndarray, token_ids: np.ndarray) -> np.ndarray:
    """Return which token of its text is at each place, [positions, width]; below 0 for padding."""
    width, firsts = token_ids.shape[-1], np.zeros_like(examples.lengths)
    places = token_numbers(firsts, examples.lengths, positions.reshape(-1), width)
    return places.reshape(*positions.shape, width)


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Stack parts as [parts, rows, …], padded with -1 to the longest, which is at least 1."""
    rows = max(1, *map(len, parts))
    return np.stack(
        [
            np.pad(p, [(0, rows - len(p)), *[(0, 0)] * (p.ndim - 1)], constant_values=-1)
            for p in parts
        ]
    )
