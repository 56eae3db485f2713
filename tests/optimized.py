"""What TensorFlow runs of a function, once it has left out what nothing needs."""

import collections

import tensorflow as tf
from tensorflow.python.eager import context

# Nodes of the function's graph are named by it; the records may hold other graphs too.
SCOPE = "counted_operations"


def operations(function, *given) -> collections.Counter:
    """How many nodes there are of each kind of op in the graph that a first call runs."""

    @tf.function(autograph=False)
    def counted(*given):
        with tf.name_scope(SCOPE):
            return function(*given)

    context.enable_run_metadata()
    try:
        counted(*given)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    optimized = [graph.post_optimization_graph.node for graph in graphs]
    (nodes,) = (nodes for nodes in optimized if any(SCOPE in node.name for node in nodes))
    return collections.Counter(node.op for node in nodes)
