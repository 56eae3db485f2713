"""Count the operations that TensorFlow runs of a function, after it has pruned its graph."""

import collections

import tensorflow as tf
from tensorflow.python.eager import context

# Prefix of the nodes' names, by which the function's graph is found among others.
SCOPE = "counted_operations"


def operations(function, *arguments) -> collections.Counter:
    """Return the number of nodes of each kind of op in the graph that a first call runs.

    The remapper is off. It fuses operations where the processor has kernels for the result, such as
    a matrix product and GELU on AVX-512, so counts would depend on the machine.
    """

    @tf.function(autograph=False)
    def counted(*arguments):
        with tf.name_scope(SCOPE):
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
    (nodes,) = (nodes for nodes in optimized if any(SCOPE in node.name for node in nodes))
    return collections.Counter(node.op for node in nodes)
