"""What TensorFlow runs of a function, once it has left out what nothing needs."""

import collections

from tensorflow.python.eager import context


def operations(function, *given) -> collections.Counter:
    """How many nodes there are of each kind of op in the graph that a first call runs."""
    context.enable_run_metadata()
    try:
        function(*given)
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    # Single ops that run on their way to it have graphs too.
    graph = max((graph.post_optimization_graph for graph in graphs), key=lambda one: len(one.node))
    return collections.Counter(node.op for node in graph.node)
