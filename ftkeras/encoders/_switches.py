"""Options of the network that differ between families, besides its sizes."""

import dataclasses

from ftkeras.encoders._relative import RelativePositions


@dataclasses.dataclass(frozen=True)
class Switches:
    """The differences of a family's network from BERT's; the defaults are BERT.

    Args:
        biases: whether layers, normalizations and the pooler have biases.
        gated: whether feed-forward networks are gated.
        absolute: whether there is a position embedding.
        embedding_norm: whether the sum of the embeddings is normalized.
        causal: whether tokens attend only to themselves and to those before them. A text's last
            token then stands for it. Not together with windows, rotary or relative positions.
        norm_first: whether each sub-layer's input is normalized, instead of the sum after it.
        rotary: the bases of rotary positions, first in layers with global attention, then in those
            with local attention; None for no rotation.
        window: in layers with local attention, the largest distance between tokens that attend to
            each other.
        global_every: layers 0, n, 2 n and so on have global attention, the others local.
        shared: whether there is one layer, which runs as often as the encoder has layers.
        pooler: whether the pooler is a layer; if not, the pooled output is its input.
        pooler_norm: whether the pooler's output is normalized.
        relative: how scores depend on the distance of tokens, or None.
    """

    biases: bool = True
    absolute: bool = True
    embedding_norm: bool = True
    causal: bool = False
    gated: bool = False
    norm_first: bool = False
    rotary: tuple[float, float] | None = None
    window: int | None = None
    global_every: int = 1
    shared: bool = False
    pooler: bool = True
    pooler_norm: bool = False
    relative: RelativePositions | None = None

    def layer_window(self, number: int) -> int | None:
        """Return the window of the layer with this number; None for global attention."""
        return self.window if number % self.global_every else None

    def rotary_base(self, window: int | None) -> float | None:
        """Return the base of rotary positions in layers with this window."""
        return self.rotary[window is not None] if self.rotary else None
