"""Score biases and rotary tables, computed once for a batch and shared by layers of one kind."""

from typing import Any

from keras import ops

from ftkeras.encoders._local import local_bias, local_first_bias
from ftkeras.encoders._packing import Attention, Packing, attention_bias
from ftkeras.encoders._rotary import Rotary, rotary_tables
from ftkeras.encoders._switches import Switches

Tensor = Any


class AttentionInputs:
    """Compute the inputs of attention for one batch, each of them once.

    Args:
        switches: the encoder's.
        size: width of a head.
        token_ids: [batch, length], for the shape.
    """

    def __init__(self, switches: Switches, size: int, token_ids: Tensor):
        self._switches, self._size, self._ids = switches, size, token_ids
        self._biases: dict[tuple[int | None, bool], Tensor] = {}
        self._tables: dict[float, Rotary] = {}

    def __call__(
        self,
        padding_mask: Tensor,
        packing: Packing | None,
        window: int | None,
        *,
        first_tokens: bool,
    ) -> Attention:
        """Return the inputs of a layer's attention.

        Args:
            padding_mask: [batch, length], 1 for tokens; None if all are tokens.
            packing: where texts lie in packed rows, or None for one text in each row.
            window: the layer's window; None for global attention.
            first_tokens: whether the layer computes the texts' first tokens only.
        """
        key = window, first_tokens
        if key not in self._biases:
            self._biases[key] = self._bias(padding_mask, packing, window, first_tokens)
        return Attention(self._biases[key], self._rotary(packing, window))

    def _bias(
        self, padding_mask: Tensor, packing: Packing | None, window: int | None, first_tokens: bool
    ) -> Tensor:
        if window is None:
            return attention_bias(padding_mask, packing, first_tokens=first_tokens)
        if padding_mask is None:
            padding_mask = ops.ones_like(self._ids)
        if not first_tokens:
            return local_bias(padding_mask, packing, window)
        bias = attention_bias(padding_mask, packing, first_tokens=True)
        starts = ops.zeros_like(self._ids[:, :1]) if packing is None else packing.starts
        return local_first_bias(bias, starts, window)

    def _rotary(self, packing: Packing | None, window: int | None) -> Rotary | None:
        base = self._switches.rotary_base(window)
        if base is None:
            return None
        if base not in self._tables:
            positions = ops.arange(ops.shape(self._ids)[1])[None] if packing is None else None
            positions = packing.positions if packing is not None else positions
            self._tables[base] = rotary_tables(positions, base, self._size)
        return self._tables[base]
