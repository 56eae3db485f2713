"""Count the operations that TensorFlow runs of a function, after it has pruned its graph."""

import collections
import itertools

import tensorflow as tf
from tensorflow.python.eager import context

_CALLS = itertools.count()


def operations(function, *arguments) -> collections.Counter:
    """Return the number of nodes of each kind of op in the graph that a first call runs.

    The remapper is off. It fuses operations where the processor has kernels for the result, such as
    a matrix product and GELU on AVX-512, so counts would depend on the machine.
    """
    # A name for each call, by which the function's graph is found among those of others.
    scope = f"counted_operations_{next(_CALLS)}_"

    @tf.function(autograph=False)
    def counted(*arguments):
        with tf.name_scope(scope):
            return function(*arguments)

    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"remapping": False})
    context.enable_run_metadata()
    try:
        counted(*arguments)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
        tf.config.optimizer.set_experimental_options({"remapping": before.get("remapping", True)})
    optimized = [graph.post_optimization_graph.node for graph in graphs]
    (nodes,) = (nodes for nodes in optimized if any(scope in node.name for node in nodes))
    return collections.Counter(node.op for node in nodes)


def products(function, *arguments) -> int:
    """Return the number of matrix products in that graph."""
    found = operations(function, *arguments)
    return sum(count for op, count in found.items() if "MatMul" in op)
