"""A BERT-family encoder with its classifier as an ONNX graph, written op by op.

The ops are those of `encoders/_transformer.py`, in its order; dropout is not there.
Source: https://onnx.ai/onnx/operators/, opset 20.
"""

import numpy as np

OPSET, IR_VERSION = 20, 9
MASKED = -3e4  # as the encoder has it
ACTIVATIONS = {
    "gelu": ("Gelu", {"approximate": "none"}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
}


class Graph:
    """Nodes and constants under way to a model.

    Args:
        library: the package `onnx`.
    """

    def __init__(self, library):
        self._onnx, self._nodes, self._constants = library, [], []

    def add(self, op: str, *inputs: str, **attributes) -> str:
        """A node with one output; gives its name."""
        return self.split(op, 1, *inputs, **attributes)[0]

    def split(self, op: str, count: int, *inputs: str, **attributes) -> list[str]:
        """A node with so many outputs; gives their names."""
        outputs = [f"{op.lower()}_{len(self._nodes)}_{number}" for number in range(count)]
        self._nodes.append(self._onnx.helper.make_node(op, inputs, outputs, **attributes))
        return outputs

    def constant(self, value, dtype=np.float32) -> str:
        """A constant, or a weight."""
        name = f"constant_{len(self._constants)}"
        array = np.array(value, dtype, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def linear(self, x: str, kernel, bias) -> str:
        """x · kernel + bias."""
        product = self.add("MatMul", x, self.constant(kernel))
        return self.add("Add", product, self.constant(bias))

    def normalized(self, x: str, norm, epsilon: float) -> str:
        """Layer normalization over the last axis."""
        weights = (self.constant(weight) for weight in norm)
        return self.add("LayerNormalization", x, *weights, axis=-1, epsilon=epsilon)

    def model(self, inputs: list[str], outputs: dict[str, str]):
        """The finished model: int32 inputs [batch, length], float32 outputs [batch, classes]."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        for name, value in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))

        def described(name, kind, width):
            return helper.make_tensor_value_info(name, kind, ["batch", width])

        graph = helper.make_graph(
            self._nodes,
            "ftkeras",
            [described(name, kinds.INT32, "length") for name in inputs],
            [described(name, kinds.FLOAT, "classes") for name in outputs],
            self._constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="ftkeras"
        )


def classifier(library, model, *, pairs: bool):
    """The ONNX model of a `FineTuner`: token_ids (and segment_ids) -> logits, probabilities."""
    graph, encoder = Graph(library), model.encoder
    pad = graph.constant(model.pad_id, np.int32)
    mask = graph.add("Not", graph.add("Equal", "token_ids", pad))
    bias = graph.add("Where", mask, graph.constant(0.0), graph.constant(MASKED))
    bias = graph.add("Unsqueeze", bias, graph.constant([1, 2], np.int64))
    x = _embedded(graph, encoder.embeddings, pairs)
    for block in encoder.blocks:
        x = _layer(graph, block, x, bias, encoder.activation)
    logits = graph.linear(
        _vector(graph, model, x, mask), model.head.kernel.numpy(), model.head.bias.numpy()
    )
    probabilities = graph.add("Softmax", logits, axis=-1)
    inputs = ["token_ids", "segment_ids"] if pairs else ["token_ids"]
    return graph.model(inputs, {"logits": logits, "probabilities": probabilities})


def _embedded(graph: Graph, embeddings, pairs: bool) -> str:
    x = graph.add("Gather", graph.constant(embeddings.token.numpy()), "token_ids", axis=0)
    length = graph.add("Shape", "token_ids", start=1, end=2)
    positions = graph.constant(embeddings.position.numpy())
    first = graph.constant([0], np.int64)
    x = graph.add("Add", x, graph.add("Slice", positions, first, length, first))
    segments = embeddings.segment.numpy()
    segment = (
        graph.add("Gather", graph.constant(segments), "segment_ids", axis=0)
        if pairs
        else graph.constant(segments[0])
    )
    norm = embeddings.norm_scale.numpy(), embeddings.norm_bias.numpy()
    return graph.normalized(graph.add("Add", x, segment), norm, embeddings.epsilon)


def _layer(graph: Graph, block, x: str, bias: str, activation: str) -> str:
    def weights(*names):
        return [getattr(block, name).numpy() for name in names]

    def residual(x, given, norm):
        norm = [weight.numpy() for weight in norm]
        return graph.normalized(graph.add("Add", x, given), norm, block.epsilon)

    values = _attended(graph, block, graph.linear(x, *weights("qkv_kernel", "qkv_bias")), bias)
    attended = graph.linear(values, *weights("attention_kernel", "attention_bias"))
    x = residual(x, attended, block.attention_norm)
    inner = _activated(graph, graph.linear(x, *weights("inner_kernel", "inner_bias")), activation)
    return residual(
        x, graph.linear(inner, *weights("output_kernel", "output_bias")), block.output_norm
    )


def _attended(graph: Graph, block, qkv: str, bias: str) -> str:
    size = block.hidden // block.heads
    apart = graph.constant([0, 0, block.heads, size], np.int64)
    query, key, value = (
        graph.add("Transpose", graph.add("Reshape", part, apart), perm=order)
        for part, order in zip(
            graph.split("Split", 3, qkv, axis=-1, num_outputs=3),
            ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
            strict=True,
        )
    )
    scaled = graph.add("Mul", query, graph.constant(size**-0.5))
    scores = graph.add("Add", graph.add("MatMul", scaled, key), bias)
    values = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), value)
    together = graph.add("Transpose", values, perm=[0, 2, 1, 3])
    return graph.add("Reshape", together, graph.constant([0, 0, block.hidden], np.int64))


def _activated(graph: Graph, x: str, activation: str) -> str:
    if activation in ("silu", "swish"):
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    op, attributes = ACTIVATIONS[activation]
    return graph.add(op, x, **attributes)


def _vector(graph: Graph, model, x: str, mask: str) -> str:
    """What the head reads of each text, [batch, hidden]."""
    if model.head.pooling == "mean":
        axis = graph.constant([1], np.int64)
        there = graph.add("Cast", mask, to=1)  # FLOAT
        count = graph.add("ReduceSum", there, axis, keepdims=1)
        total = graph.add("MatMul", graph.add("Unsqueeze", there, axis), x)
        return graph.add("Div", graph.add("Squeeze", total, axis), count)
    first = graph.add("Gather", x, graph.constant(0, np.int64), axis=1)
    if model.head.pooling == "cls":
        return first
    pool = model.encoder.pool
    dense = graph.linear(first, pool.weights_kernel.numpy(), pool.weights_bias.numpy())
    return graph.add("Tanh", dense)
