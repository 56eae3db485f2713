"""Mask tokens of batches, which the model has to predict."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.errors import UserError
from ftkeras.maskings import MASKED, RANDOM, Masking
from ftkeras.text.pieces import Pieces

# Part of the seed of a text's masks: this for evaluation, 1 + n for epoch n.
EVALUATION = 0


class MaskedRows(NamedTuple):
    """The rows of a part of a batch, and the tokens to predict.

    There are as many slots as could be needed, so their number depends on the shape of the rows
    alone.

    Attributes:
        token_ids: the rows after masking, int32 [rows, length].
        places: the place of each slot's token, counted through all rows, int32 [slots]; 0 if the
            slot is not used.
        targets: the token that was there, int32 [slots].
        positions: the example of each slot, integer [slots]; below 0 if the slot is not used.
    """

    token_ids: np.ndarray
    places: np.ndarray
    targets: np.ndarray
    positions: np.ndarray


class Masker:
    """Choose tokens to predict by (seed, epoch, text), and replace them.

    So the masks of a text do not depend on the batch that it is in, on the devices, or on whether
    the run was interrupted. Special tokens are never chosen, and never replace others.

    Args:
        masking: chooses among the tokens of a text.
        pieces: what the tokens of the vocabulary are.
        seed: at least 0.
    """

    def __init__(self, masking: Masking, pieces: Pieces, *, seed: int):
        self.masking, self.pieces, self.seed = masking, pieces, seed

    def __call__(
        self,
        examples: Examples,
        positions: np.ndarray,
        token_ids: np.ndarray,
        *,
        epoch: int | None = None,
    ) -> MaskedRows:
        """Mask a part of a batch.

        Args:
            examples: the view that the positions refer to, one row each.
            positions: integer [rows] or [rows, texts per row]; below 0 for an empty place.
            token_ids: of these rows, int32 [rows, length].
            epoch: from 0; None for the masks of evaluation, which are always the same.
        """
        texts = positions.reshape(len(positions), -1)
        rows, width = token_ids.shape
        slots = rows * self._most_slots(texts.shape[1], width)
        places, targets, owners = (np.zeros(slots, np.int32) for _ in range(3))
        owners[:] = -1
        flat, end = token_ids.reshape(-1).copy(), 0
        for row, column in zip(*np.nonzero(texts >= 0), strict=True):
            before = texts[row, :column]
            first = row * width + int(examples.lengths[before[before >= 0]].sum())
            ids, chosen = self._mask(examples, int(texts[row, column]), epoch)
            used = slice(end, end + len(chosen))
            places[used] = first + chosen
            targets[used] = flat[places[used]]
            flat[places[used]], owners[used] = ids, texts[row, column]
            end = used.stop
        return MaskedRows(flat.reshape(rows, width), places, targets, owners)

    def check(self, examples: Examples) -> None:
        """Raise UserError if evaluation masks no token of a split, so that its loss would be 0."""
        rows = examples.by_row()
        if not any(len(self._mask(rows, n, None)[1]) for n in range(len(rows))):
            raise UserError(
                f"`masking`: no token of {examples.name} is masked, so nothing can be evaluated; "
                "give it a higher rate, or longer texts."
            )

    def element(
        self,
        examples: Examples,
        parts: np.ndarray,
        inputs: Mapping[str, np.ndarray],
        epoch: int | None,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return (inputs, answers) of the parts of a batch, stacked if there are several.

        Args:
            examples: the view that the positions refer to.
            parts: the positions of each part, integer [parts, rows] or [parts, rows, texts].
            inputs: before masking, of all parts one after the other, [parts * rows, …].
            epoch: as of `__call__`.
        """
        split = {n: array.reshape(len(parts), -1, *array.shape[1:]) for n, array in inputs.items()}
        pairs = zip(parts, split["token_ids"], strict=True)
        masked = [self(examples, part, token_ids, epoch=epoch) for part, token_ids in pairs]
        token_ids, places, targets, positions = map(np.stack, zip(*masked, strict=True))
        joined = {**split, "token_ids": token_ids, "places": places}
        answers = {"targets": targets, "example_mask": positions >= 0}
        if len(parts) > 1:
            return joined, answers
        return {n: a[0] for n, a in joined.items()}, {n: a[0] for n, a in answers.items()}

    def _most_slots(self, texts: int, width: int) -> int:
        """Return the most tokens that are chosen of a row with at most this number of texts."""
        if texts == 1:
            return self.masking.most(width)
        return min(width, math.ceil(self.masking.rate * width) + texts)

    def _mask(
        self, examples: Examples, position: int, epoch: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the new ids of a text's chosen tokens, and their places in the text."""
        stored, ids = examples.rows[position], examples.ids(position)
        part = EVALUATION if epoch is None else epoch + 1
        rng = np.random.default_rng((self.seed, part, int(stored)))
        ordinary = np.flatnonzero(~self.pieces.is_special[ids])
        if not len(ordinary):
            return ids[:0], ordinary
        starts = self.pieces.starts(ids)[ordinary]
        starts[0] = True
        chosen = self.masking(starts, rng)
        places = ordinary[chosen.places]
        new = ids[places].copy()
        new[chosen.becomes == MASKED] = self.pieces.mask_id
        is_random = chosen.becomes == RANDOM
        new[is_random] = rng.choice(self.pieces.ordinary, is_random.sum())
        return new, places
