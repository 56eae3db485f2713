"""The extension point through which other parts act inside an encoder."""

from collections.abc import Callable
from typing import Any

import keras

from ftkeras.support.seeds import replay

Tensor = Any
SUB_LAYERS = ("attention", "output")


class LayerHooks:
    """Functions that act inside an encoder, registered by policies, regularizers and the trainer.

    An encoder holds one as `encoder.hooks` and passes it to its embeddings and layers. Parts
    register functions with the `add_*_hook` methods; the network calls `apply_to_*` and
    `run_layer` at the places below. Nothing else changes what an encoder computes, so a new
    encoder family works with every policy and regularizer once it makes these calls.

    | hook | function | called |
    |---|---|---|
    | embedding | (x, padding_mask) -> x | in training, on the summed embeddings, before the norm |
    | kernel | (kernel, training) -> kernel | each time a layer uses that kernel |
    | sub-layer | (x) -> x | on a sub-layer's output, before its residual connection |
    | runner | (layer, x, attention) -> x | in training, instead of calling the layer |
    | output | (number, before, after) -> x | in training, on a layer's input and output |

    There is one function for each place: a second registration raises ValueError. Hooks are not
    part of an encoder's config: the parts register them again when a model is rebuilt.

    Args:
        recompute: whether training keeps only the layers' inputs and computes the rest again in
            the backward pass, with the same dropout. This stores one tensor per layer instead of
            about twenty, and costs a third forward pass in time.
            Source: Chen et al., 2016, https://arxiv.org/abs/1604.06174.

    >>> hooks = LayerHooks()
    >>> hooks.add_embedding_hook(lambda x, padding_mask: 2 * x)
    >>> hooks.apply_to_embeddings(3, None)
    6
    """

    def __init__(self, *, recompute: bool = False):
        self.recompute = recompute
        self._embeddings: Callable[[Tensor, Tensor], Tensor] | None = None
        self._output: Callable[[int, Tensor, Tensor], Tensor] | None = None
        self._runner: Callable[[Any, Tensor, Tensor], Tensor] | None = None
        self._kernels: dict[str, Callable[[Any, bool], Tensor]] = {}
        self._sub_layers: dict[tuple[str, str], Callable[[Tensor], Tensor]] = {}

    # Registration, by other parts.

    def add_embedding_hook(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        """Change the embeddings in training.

        Args:
            function: (x, padding_mask) -> x; x [batch, length, hidden] is the sum of the
                embeddings, padding_mask [batch, length] is 1 for tokens, or None.
        """
        _must_be_free(self._embeddings is None, "the encoder's embeddings")
        self._embeddings = function

    def add_output_hook(self, function: Callable[[int, Tensor, Tensor], Tensor]) -> None:
        """Change the layers' outputs in training.

        Args:
            function: (number, before, after) -> after; a layer's number from 0, its input and its
                output, both [batch, positions, hidden].
        """
        _must_be_free(self._output is None, "the layers' outputs")
        self._output = function

    def add_kernel_hook(
        self, kernel: keras.Variable, function: Callable[[Any, bool], Tensor]
    ) -> None:
        """Use a function of a layer's kernel instead of the kernel, in training and inference.

        Args:
            kernel: a variable of one of the encoder's layers.
            function: (kernel, training) -> the matrix to use, of the kernel's shape.
        """
        _must_be_free(kernel.path not in self._kernels, kernel.path)
        self._kernels[kernel.path] = function

    def remove_kernel_hook(self, kernel: keras.Variable) -> Callable[[Any, bool], Tensor]:
        """Use the kernel itself again; return the function that was registered for it."""
        return self._kernels.pop(kernel.path)

    def add_sub_layer_hook(
        self, layer: Any, sub_layer: str, function: Callable[[Tensor], Tensor]
    ) -> None:
        """Change the output of a sub-layer, in training and inference.

        Args:
            layer: one of the encoder's layers.
            sub_layer: "attention", or "output" for the feed-forward network.
            function: output -> output, [rows, hidden].
        """
        key = layer.name, sub_layer
        if sub_layer not in SUB_LAYERS:
            raise ValueError(
                f"`sub_layer` must be one of {', '.join(SUB_LAYERS)}. Received: {sub_layer}."
            )
        _must_be_free(key not in self._sub_layers, f"the {sub_layer} sub-layer of {layer.name}")
        self._sub_layers[key] = function

    def set_runner(self, function: Callable[[Any, Tensor, Tensor], Tensor] | None) -> None:
        """Run whole layers through a function in training; it replaces an earlier one.

        Args:
            function: (layer, x, attention) -> the layer's output for x [batch, length, hidden];
                None to call the layers.
        """
        self._runner = function

    # Queries about registered functions.

    @property
    def changes_embeddings(self) -> bool:
        """True if a function changes the embeddings."""
        return self._embeddings is not None

    @property
    def changes_outputs(self) -> bool:
        """True if a function changes the layers' outputs."""
        return self._output is not None

    @property
    def changes_weights(self) -> bool:
        """True if a function changes a kernel or a sub-layer, also in inference."""
        return bool(self._kernels or self._sub_layers)

    def changes(self, layer: Any) -> bool:
        """Return whether a function changes this layer's kernels or sub-layers."""
        kernels = any(weight.path in self._kernels for weight in layer.weights)
        return kernels or any(name == layer.name for name, _ in self._sub_layers)

    # Application, by the network.

    def apply_to_embeddings(self, x: Tensor, padding_mask: Tensor) -> Tensor:
        """Return the summed embeddings as training is to use them."""
        return x if self._embeddings is None else self._embeddings(x, padding_mask)

    def apply_to_kernel(self, kernel: keras.Variable, training: bool) -> Tensor:
        """Return the kernel as a layer is to use it."""
        function = self._kernels.get(kernel.path)
        return kernel if function is None else function(kernel, training)

    def apply_to_sub_layer(self, layer: Any, sub_layer: str, x: Tensor) -> Tensor:
        """Return a sub-layer's output as its residual connection is to use it."""
        function = self._sub_layers.get((layer.name, sub_layer))
        return x if function is None else function(x)

    def run_layer(
        self,
        number: int,
        layer: Any,
        x: Tensor,
        attention: Any,
        queries: Tensor = None,
    ) -> Tensor:
        """Return a layer's output in training.

        Args:
            number: the layer's number, from 0.
            layer: called with (x, attention, queries, training=True).
            x: [batch, length, hidden].
            attention: what the layer's attention depends on besides x; a named tuple whose field
                `relative` may have a gradient.
            queries: [batch, positions, hidden], the positions to compute; None for all of x.
        """
        if self.recompute:
            after = _recomputed(layer, x, attention, queries)
        elif queries is None and self._runner is not None:
            after = self._runner(layer, x, attention)
        else:
            after = layer(x, attention, queries, training=True)
        if self._output is None:
            return after
        return self._output(number, x if queries is None else queries, after)


def _must_be_free(free: bool, what: str) -> None:
    if not free:
        raise ValueError(f"another part already changes {what}.")


def _recomputed(layer: Any, x: Tensor, attention: Any, queries: Tensor) -> Tensor:
    seeds: list = []

    def forward(x, *others):
        others = iter(others)
        own = None if queries is None else next(others)
        relative = {} if attention.relative is None else {"relative": next(others)}
        with replay(seeds):
            return layer(x, attention._replace(**relative), own, training=True)

    # All that has a gradient must be an argument.
    given = (x, queries, attention.relative)
    return keras.remat(forward)(*(part for part in given if part is not None))
