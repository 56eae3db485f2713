"""The batching that suits the device."""

from collections.abc import Sequence

import numpy as np

from ftkeras.data.batching import Batching
from ftkeras.data.batching.bucketed import Bucketed
from ftkeras.data.batching.packed import Packed
from ftkeras.data.examples import Examples
from ftkeras.support import accelerator


class Auto:
    """Use the batching that was measured to be fastest: `packed` on a GPU or TPU, else `bucketed`.

    An accelerator needs batches of one shape, because it compiles each new shape. A CPU takes any
    shape, and attention over short rows is cheaper (benchmarks/NOTES.md). If a part of the run
    expects one text per row, `bucketed` is used on all devices, with fewer shapes on an
    accelerator.

    Args:
        batch_size, batch_tokens, pad_id, max_length, parts, row_parts: as in `Packed`.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
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
        self.batching: Batching
        if accelerator.is_available() and not row_parts:
            self.batching, self.choice = Packed(**sizes), "packed, batches of one shape"
        elif accelerator.is_available():
            self.batching = Bucketed(**sizes, multiple=128)
            self.choice = (
                f"bucketed with few sizes, because {', '.join(row_parts)} expects one text per row"
            )
        else:
            self.batching, self.choice = Bucketed(**sizes), "bucketed, fastest on a CPU"

    @property
    def parts(self) -> int:
        """The number of parts that a batch is split into."""
        return self.batching.parts

    @property
    def fixed_shape(self) -> bool:
        """True if all batches have the same shape."""
        return self.batching.fixed_shape

    def plan(self, lengths: np.ndarray, order: np.ndarray) -> list[list[np.ndarray]]:
        """Return the chosen batching's plan."""
        return self.batching.plan(lengths, order)

    def collate(self, examples: Examples, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the chosen batching's arrays."""
        return self.batching.collate(examples, positions)
