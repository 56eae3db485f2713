"""Write an encoder and its classifier as an ONNX graph, op by op.

The ops are those of `encoders/_transformer.py`, in the same order, without dropout.
Source: https://onnx.ai/onnx/operators/, opset 20.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np

from ftkeras.problems import Problem
from ftkeras.training.finetuner import FineTuner

OPSET, IR_VERSION = 20, 9
MASKED = -3e4  # the encoder's score of masked positions
ACTIVATIONS = {
    "gelu": ("Gelu", {"approximate": "none"}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
}


class Graph:
    """The nodes and constants of a model under construction.

    Args:
        onnx: The package `onnx`.
    """

    def __init__(self, onnx: ModuleType):
        self._onnx, self._nodes, self._constants = onnx, [], []

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return the output's name."""
        return self.split(op, 1, *inputs, **attributes)[0]

    def split(self, op: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with the given number of outputs, and return their names."""
        outputs = [f"{op.lower()}_{len(self._nodes)}_{number}" for number in range(count)]
        self._nodes.append(self._onnx.helper.make_node(op, inputs, outputs, **attributes))
        return outputs

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """Add a constant or a weight, and return its name."""
        name = f"constant_{len(self._constants)}"
        array = np.array(value, dtype, order="C")
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def linear(self, x: str, kernel: Any, bias: Any) -> str:
        """Add x · kernel + bias."""
        product = self.add("MatMul", x, self.constant(kernel))
        return self.add("Add", product, self.constant(bias))

    def normalize(self, x: str, norm: Iterable[Any], epsilon: float) -> str:
        """Add a layer normalization over the last axis; `norm` is its scale and bias."""
        weights = (self.constant(weight) for weight in norm)
        return self.add("LayerNormalization", x, *weights, axis=-1, epsilon=epsilon)

    def model(self, inputs: list[str], outputs: dict[str, str]) -> Any:
        """Return the model: int32 inputs [batch, length], float32 outputs [batch, classes].

        Args:
            inputs: Names of the inputs.
            outputs: The node output to return under each name.
        """
        helper, types = self._onnx.helper, self._onnx.TensorProto
        for name, value in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value], [name]))

        def describe(name: str, kind: int, width: str) -> Any:
            return helper.make_tensor_value_info(name, kind, ["batch", width])

        graph = helper.make_graph(
            self._nodes,
            "ftkeras",
            [describe(name, types.INT32, "length") for name in inputs],
            [describe(name, types.FLOAT, "classes") for name in outputs],
            self._constants,
        )
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(
            graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="ftkeras"
        )


def build(onnx: ModuleType, model: FineTuner, problem: Problem, *, segments: bool) -> Any:
    """Return the ONNX model: token_ids (and segment_ids) -> logits and the problem's outputs.

    Args:
        onnx: The package `onnx`.
        model: Its encoder and head are written.
        problem: Turns logits into answers.
        segments: Whether the model takes segment_ids.
    """
    graph, encoder = Graph(onnx), model.encoder
    pad = graph.constant(model.pad_id, np.int32)
    mask = graph.add("Not", graph.add("Equal", "token_ids", pad))
    bias = graph.add("Where", mask, graph.constant(0.0), graph.constant(MASKED))
    bias = graph.add("Unsqueeze", bias, graph.constant([1, 2], np.int64))
    x = _embeddings(graph, encoder.embeddings, segments)
    for block in encoder.blocks:
        x = _layer(graph, block, x, bias, encoder.activation)
    vectors = _text_vectors(graph, model, x, mask)
    logits = graph.linear(vectors, model.head.kernel.numpy(), model.head.bias.numpy())
    inputs = ["token_ids", "segment_ids"] if segments else ["token_ids"]
    return graph.model(inputs, {"logits": logits, problem.output: problem.onnx(graph, logits)})


def _embeddings(graph: Graph, embeddings: Any, segments: bool) -> str:
    x = graph.add("Gather", graph.constant(embeddings.token.numpy()), "token_ids", axis=0)
    length = graph.add("Shape", "token_ids", start=1, end=2)
    positions = graph.constant(embeddings.position.numpy()[embeddings.first_position :])
    first = graph.constant([0], np.int64)
    x = graph.add("Add", x, graph.add("Slice", positions, first, length, first))
    if embeddings.segment is not None:
        x = graph.add("Add", x, _segment(graph, embeddings.segment.numpy(), segments))
    norm = embeddings.norm_scale.numpy(), embeddings.norm_bias.numpy()
    x = graph.normalize(x, norm, embeddings.epsilon)
    if embeddings.projection is None:
        return x
    return graph.linear(x, *(weight.numpy() for weight in embeddings.projection))


def _segment(graph: Graph, table: np.ndarray, segments: bool) -> str:
    if segments:
        return graph.add("Gather", graph.constant(table), "segment_ids", axis=0)
    return graph.constant(table[0])


def _layer(graph: Graph, block: Any, x: str, bias: str, activation: str) -> str:
    """Add a Transformer layer with its two residual connections."""

    def add_and_normalize(x: str, update: str, norm: Iterable[Any]) -> str:
        weights = [weight.numpy() for weight in norm]
        return graph.normalize(graph.add("Add", x, update), weights, block.epsilon)

    def linear(x: str, kernel: Any, bias: Any) -> str:
        return graph.linear(x, kernel.numpy(), bias.numpy())

    qkv = linear(x, block.qkv_kernel, block.qkv_bias)
    values = _attention(graph, block, qkv, bias)
    attended = linear(values, block.attention_kernel, block.attention_bias)
    x = add_and_normalize(x, attended, block.attention_norm)
    inner = _activation(graph, linear(x, block.inner_kernel, block.inner_bias), activation)
    output = linear(inner, block.output_kernel, block.output_bias)
    return add_and_normalize(x, output, block.output_norm)


def _attention(graph: Graph, block: Any, qkv: str, bias: str) -> str:
    size = block.hidden // block.heads
    by_head = graph.constant([0, 0, block.heads, size], np.int64)
    query, key, value = (
        graph.add("Transpose", graph.add("Reshape", part, by_head), perm=order)
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


def _activation(graph: Graph, x: str, activation: str) -> str:
    if activation in ("silu", "swish"):
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    op, attributes = ACTIVATIONS[activation]
    return graph.add(op, x, **attributes)


def _text_vectors(graph: Graph, model: FineTuner, x: str, mask: str) -> str:
    """Add the pooling, and return the head's input, [batch, hidden]."""
    if model.head.pooling == "mean":
        axis = graph.constant([1], np.int64)
        weights = graph.add("Cast", mask, to=1)  # FLOAT
        count = graph.add("ReduceSum", weights, axis, keepdims=1)
        total = graph.add("MatMul", graph.add("Unsqueeze", weights, axis), x)
        return graph.add("Div", graph.add("Squeeze", total, axis), count)
    first = graph.add("Gather", x, graph.constant(0, np.int64), axis=1)
    if model.head.pooling == "cls":
        return first
    pool = model.encoder.pool
    dense = graph.linear(first, pool.weights_kernel.numpy(), pool.weights_bias.numpy())
    return _activation(graph, dense, pool.activation)
