from collections.abc import Sequence

import numpy as np

from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.support import accelerator


class Auto:
    """What measured best for the device: `packed` on a GPU or TPU, `bucketed` on a CPU.

    An accelerator wants batches of one shape, for each new one is compiled anew; a CPU takes any
    shape, and attention over short rows is cheaper (benchmarks/NOTES.md). Where a part takes each
    row for one text, it is `bucketed` on all, with fewer sizes on an accelerator.

    Args:
        batch_size, batch_tokens, pad_id, max_length, parts, row_parts: as in `Packed`.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    def __init__(
        self,
        *,
        batch_size: int | None,
        pad_id: int,
        max_length: int,
        batch_tokens: int | None = None,
        parts: int = 1,
        row_parts: Sequence[str] = (),
    ):
        sizes = {"batch_size": batch_size, "batch_tokens": batch_tokens, "parts": parts}
        sizes |= {"pad_id": pad_id, "max_length": max_length}
        if accelerator.is_there() and not row_parts:
            self.chosen, self.picked = Packed(**sizes), "packed, batches of one shape"
        elif accelerator.is_there():
            self.chosen = Bucketed(**sizes, multiple=128)
            self.picked = (
                f"bucketed in few sizes, for {', '.join(row_parts)} takes a row for a text"
            )
        else:
            self.chosen, self.picked = Bucketed(**sizes), "bucketed, fastest on a CPU"

    @property
    def parts(self) -> int:
        return self.chosen.parts

    @property
    def fixed_shape(self) -> bool:
        return self.chosen.fixed_shape

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """The chosen batching's."""
        return self.chosen.plan(lengths, order)

    def collate(self, examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """The chosen batching's."""
        return self.chosen.collate(examples, positions)
