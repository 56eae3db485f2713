"""Custom gradients whose graphs are freed with the functions that were traced."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

KEPT = "_ftkeras_gradients"


def custom_gradient(function: Callable) -> Callable:
    """Decorate a function that returns its result and its gradient, as `ops.custom_gradient` does.

    TensorFlow registers the gradients of a traced function for the life of the process. They refer
    to the function's graph, and the graph to the variables, so each model that was trained would
    stay in memory, moments of the optimizer included (tensorflow#27492, tensorflow#97697). This
    decorator moves the gradient from the registry to its graph, so that both are freed together.

    Args:
        function: takes tensors and returns a tensor and its gradient function.
    """
    with_gradient = ops.custom_gradient(function)
    if keras.backend.backend() != "tensorflow":
        return with_gradient

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        result = with_gradient(*args)
        if getattr(result, "graph", None) is not None:  # neither eager nor a KerasTensor
            _move_to_graph(result)
        return result

    return call


def _move_to_graph(result: Any) -> None:
    """Let the graph hold the gradient of this tensor, and the registry only look it up there."""
    from tensorflow.python.framework.ops import gradient_registry

    entries = gradient_registry._registry
    name = result.op.get_attr("_gradient_op_type").decode()
    graph, entry = result.graph, entries[name]
    setattr(graph, KEPT, {**getattr(graph, KEPT, {}), name: entry["type"]})
    held = weakref.ref(graph)

    def gradient(*args: Any) -> Any:
        graph = held()
        if graph is None:
            raise LookupError(f"The graph of gradient {name!r} has been freed.")
        return getattr(graph, KEPT)[name](*args)

    entries[name] = {**entry, "type": gradient}
