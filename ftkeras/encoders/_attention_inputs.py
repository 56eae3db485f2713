"""Inputs of attention besides the states, computed once for a batch and shared by all layers."""

from typing import Any

from keras import ops

from ftkeras.encoders._local import local_bias, local_first_bias
from ftkeras.encoders._packing import (
    Attention,
    Packing,
    attention_bias,
    mask_later_tokens,
    take_tokens,
)
from ftkeras.encoders._relative import Disentangled, score_bias
from ftkeras.encoders._rotary import Rotary, rotary_tables
from ftkeras.encoders._switches import Switches

Tensor = Any


class AttentionInputs:
    """Compute the inputs of attention for one batch, each of them once.

    Args:
        switches: the encoder's.
        size: width of a head.
        token_ids: [batch, length], for the shape.
        places: the position of the token that stands for each text, as `take_tokens` has it.
        table: of relative positions, or None.
    """

    def __init__(
        self,
        switches: Switches,
        size: int,
        token_ids: Tensor,
        places: Tensor = None,
        table: Tensor = None,
    ):
        self._switches, self._size, self._ids, self._table = switches, size, token_ids, table
        self._places = places
        self._length = ops.shape(token_ids)[1]
        self._scores: Tensor = None
        self._biases: dict[tuple[int | None, bool], Tensor] = {}
        self._tables: dict[float, Rotary] = {}

    def __call__(
        self,
        padding_mask: Tensor,
        packing: Packing | None,
        window: int | None,
        *,
        one_token: bool,
    ) -> Attention:
        """Return the inputs of a layer's attention.

        Args:
            padding_mask: [batch, length], 1 for tokens; None if all are tokens.
            packing: where texts lie in packed rows, or None for one text in each row.
            window: the layer's window; None for global attention.
            one_token: whether the layer computes one token of each text only.
        """
        key = window, one_token
        if key not in self._biases:
            self._biases[key] = self._bias(padding_mask, packing, window, one_token)
        bias, rotary = self._biases[key], self._rotary(packing, window)
        return Attention(bias, rotary, *self._relative(packing, one_token))

    def _bias(
        self, padding_mask: Tensor, packing: Packing | None, window: int | None, one_token: bool
    ) -> Tensor:
        if window is None:
            return self._global_bias(padding_mask, packing, one_token)
        if padding_mask is None:
            padding_mask = ops.ones_like(self._ids)
        if not one_token:
            return local_bias(padding_mask, packing, window)
        bias = self._global_bias(padding_mask, packing, one_token)
        starts = ops.zeros_like(self._ids[:, :1]) if packing is None else packing.starts
        return local_first_bias(bias, starts, window)

    def _global_bias(
        self, padding_mask: Tensor, packing: Packing | None, one_token: bool
    ) -> Tensor:
        texts = None
        if packing is not None and one_token:
            texts = take_tokens(packing.texts, self._places)
        bias = attention_bias(padding_mask, packing, texts)
        # No token is after the one that stands for a text in causal networks, the last one.
        if self._switches.causal and not one_token:
            bias = mask_later_tokens(bias, self._length)
        return bias

    def _rotary(self, packing: Packing | None, window: int | None) -> Rotary | None:
        base = self._switches.rotary_base(window)
        if base is None:
            return None
        if base not in self._tables:
            self._tables[base] = rotary_tables(self._positions(packing), base, self._size)
        return self._tables[base]

    def _positions(self, packing: Packing | None) -> Tensor:
        """Return each token's position within its text, [batch or 1, length]."""
        return ops.arange(self._length)[None] if packing is None else packing.positions

    def _relative(self, packing: Packing | None, one_token: bool) -> tuple[Tensor, Tensor]:
        """Return `relative` and `positions` of `Attention`."""
        relative, table = self._switches.relative, self._table
        if relative is None:
            return None, None
        if isinstance(relative, Disentangled):
            first, last = relative.used(self._length)
            return table[first:last], self._positions(packing) if one_token else None
        if one_token:
            rows = relative.from_first_token(self._positions(packing))
            scores = ops.take(table, rows, axis=0)
            return ops.transpose(scores, (0, 2, 1))[:, :, None], None
        if self._scores is None:
            self._scores = score_bias(table, relative, self._length)
        return self._scores, None
