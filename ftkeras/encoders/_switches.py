"""What families switch on or off in the network, besides its sizes."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Switches:
    """The differences of a family's network from BERT's.

    Args:
        biases: whether layers, normalizations and the pooler have biases.
        gated: whether feed-forward networks are gated.
        norm_first: whether sub-layers' inputs are normalized, not their sums.
        rotary: the bases of rotary positions, in layers with global and with local attention; None
            for learned positions.
        window: the distance up to which tokens attend to others in layers with local attention.
        global_every: the first of so many layers has global attention, the others local.
        pooler_norm: whether the pooler's output is normalized.
    """

    biases: bool = True
    gated: bool = False
    norm_first: bool = False
    rotary: tuple[float, float] | None = None
    window: int | None = None
    global_every: int = 1
    pooler_norm: bool = False

    def layer_window(self, number: int) -> int | None:
        """Return the window of a layer, from its number; None for global attention."""
        return self.window if number % self.global_every else None

    def rotary_base(self, window: int | None) -> float | None:
        """Return the base of rotary positions in layers of this window."""
        return self.rotary[window is not None] if self.rotary else None
