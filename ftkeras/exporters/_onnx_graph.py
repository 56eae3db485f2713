"""Write an encoder and its classifier as an ONNX graph, op by op.

The ops are those of `encoders/_transformer.py`, in the same order, without dropout.
Source: https://onnx.ai/onnx/operators/, opset 20.
"""

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import keras
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
        """Add x · kernel + bias; the bias may be None."""
        product = self.add("MatMul", x, self.constant(kernel))
        return product if bias is None else self.add("Add", product, self.constant(bias))

    def project(self, x: str, kernel: Any, bias: Any) -> str:
        """Add a product of the network's layers, x · kernel + bias; the bias may be None."""
        return self.linear(x, kernel, bias)

    def look_up(self, table: Any, ids: str) -> str:
        """Add the rows of a table, [*ids, columns]."""
        return self.add("Gather", self.constant(table), ids, axis=0)

    def normalize(self, x: str, norm: Iterable[Any], epsilon: float) -> str:
        """Add a layer normalization over the last axis; `norm` is its scale and bias or None."""
        weights = (self.constant(weight) for weight in norm if weight is not None)
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


def build(graph: Graph, model: FineTuner, problem: Problem, *, segments: bool) -> Any:
    """Return the ONNX model: token_ids (and segment_ids) -> logits and the problem's outputs.

    Args:
        graph: Gets the nodes; still empty.
        model: Its encoder and head are written.
        problem: Turns logits into answers.
        segments: Whether the model takes segment_ids.
    """
    encoder = model.encoder
    pad = graph.constant(model.pad_id, np.int32)
    mask = graph.add("Not", graph.add("Equal", "token_ids", pad))
    bias = graph.add("Where", mask, graph.constant(0.0), graph.constant(MASKED))
    bias = graph.add("Unsqueeze", bias, graph.constant([1, 2], np.int64))
    x = _embeddings(graph, encoder.embeddings, segments)
    positions = _Positions(graph, bias, encoder)
    for block in encoder.stack:
        x = _layer(graph, block, x, positions, encoder.activation)
    vectors = _text_vectors(graph, model, x, mask)
    logits = graph.linear(vectors, model.head.kernel.numpy(), model.head.bias.numpy())
    inputs = ["token_ids", "segment_ids"] if segments else ["token_ids"]
    return graph.model(inputs, {"logits": logits, problem.output: problem.onnx(graph, logits)})


def _embeddings(graph: Graph, embeddings: Any, segments: bool) -> str:
    x = graph.look_up(embeddings.token.numpy(), "token_ids")
    if embeddings.position is not None:
        length = graph.add("Shape", "token_ids", start=1, end=2)
        positions = graph.constant(embeddings.position.numpy()[embeddings.first_position :])
        first = graph.constant([0], np.int64)
        x = graph.add("Add", x, graph.add("Slice", positions, first, length, first))
    if embeddings.segment is not None:
        x = graph.add("Add", x, _segment(graph, embeddings.segment.numpy(), segments))
    if embeddings.sum_norm is not None:
        x = graph.normalize(x, map(_value, embeddings.sum_norm), embeddings.epsilon)
    if embeddings.projection is None:
        return x
    return graph.project(x, *map(_value, embeddings.projection))


def _segment(graph: Graph, table: np.ndarray, segments: bool) -> str:
    if segments:
        return graph.look_up(table, "segment_ids")
    return graph.constant(table[0])


def _value(weight: Any) -> np.ndarray | None:
    return None if weight is None else weight.numpy()


class _Positions:
    """Score biases, rotary tables and distances, which layers of one kind share.

    Args:
        graph: gets the nodes.
        bias: the score bias that masks padding, [batch, 1, 1, length].
        encoder: the network.
    """

    def __init__(self, graph: Graph, bias: str, encoder: Any):
        self._graph, self._switches = graph, encoder.switches
        self._size = encoder.hidden // encoder.heads
        self._tables: dict[float, tuple[str, str]] = {}
        self._numbers: str | None = None
        relative = encoder.switches.relative
        if relative is not None:
            self._table = encoder.embeddings.relative_table(training=False)
            self._rows = self._rows_of_distances(relative)
            if not relative.is_projected:
                table = graph.constant(keras.ops.convert_to_numpy(self._table))
                scores = graph.add("Gather", table, self._rows, axis=0)
                bias = graph.add("Add", bias, graph.add("Transpose", scores, perm=[2, 0, 1]))
        if encoder.causal:
            bias = graph.add("Where", self._is_later(), graph.constant(MASKED), bias)
        self._biases: dict[int | None, str] = {None: bias}

    def _range(self) -> str:
        """Return the numbers of positions, [length]."""
        if self._numbers is None:
            graph = self._graph
            length = graph.add("Squeeze", graph.add("Shape", "token_ids", start=1, end=2))
            first, step = (graph.constant(n, np.int64) for n in (0, 1))
            numbers = graph.add("Range", first, length, step)
            self._numbers = graph.add("Cast", numbers, to=1)  # FLOAT
        return self._numbers

    def _is_later(self) -> str:
        """Return whether each key is after the query, [length, length]."""
        graph = self._graph
        column = graph.add("Unsqueeze", self._range(), graph.constant([1], np.int64))
        return graph.add("Greater", self._range(), column)

    def _rows_of_distances(self, relative: Any) -> str:
        """Return the table's row for each query and key, [length, length]."""
        graph, most = self._graph, relative.positions
        column = graph.add("Unsqueeze", self._range(), graph.constant([1], np.int64))
        shifted = graph.add("Add", graph.add("Sub", column, self._range()), graph.constant(most))
        rows = graph.constant(relative.row_of(np.arange(-most, most + 1)), np.int64)
        return graph.add("Gather", rows, graph.add("Cast", shifted, to=7), axis=0)  # INT64

    def add_relative(self, scores: str, block: Any, query: str, key: str) -> str:
        """Add the scores between contents and relative positions, if the layer has them.

        Args:
            scores: [batch, heads, length, length].
            block: the layer.
            query: scaled, [batch, heads, length, size].
            key: [batch, heads, length, size].
        """
        if block.relative is None:
            return scores
        graph, turned = self._graph, self._graph.add("Transpose", self._rows, perm=[1, 0])
        tables = block.project_relative(self._table, block.qkv_kernel, training=False)
        parts = []
        for states, table, rows in zip((key, query), tables, (turned, self._rows), strict=True):
            columns = np.swapaxes(keras.ops.convert_to_numpy(table), -1, -2)
            wide = graph.add("MatMul", states, graph.constant(columns))
            index = graph.add("Expand", rows, graph.add("Shape", scores))
            parts.append(graph.add("GatherElements", wide, index, axis=3))
        by_query, by_key = graph.add("Transpose", parts[0], perm=[0, 1, 3, 2]), parts[1]
        return graph.add("Add", scores, graph.add("Add", by_query, by_key))

    def bias(self, window: int | None) -> str:
        """Return the score bias of layers with this window."""
        if window not in self._biases:
            graph, numbers = self._graph, self._range()
            axis = graph.constant([1], np.int64)
            column = graph.add("Unsqueeze", numbers, axis)
            distance = graph.add("Abs", graph.add("Sub", column, numbers))
            near = graph.add("LessOrEqual", distance, graph.constant(window))
            masked = graph.constant(MASKED)
            self._biases[window] = graph.add("Where", near, self._biases[None], masked)
        return self._biases[window]

    def rotate(self, x: str, window: int | None) -> str:
        """Rotate x [batch, heads, length, size], if the network has rotary positions."""
        base, graph = self._switches.rotary_base(window), self._graph
        if base is None:
            return x
        if base not in self._tables:
            steps = np.arange(0, self._size, 2, dtype="float32") / np.float32(self._size)
            inverse = graph.constant(1 / np.float32(base) ** steps)
            column = graph.add("Unsqueeze", self._range(), graph.constant([1], np.int64))
            angles = graph.add("Mul", column, inverse)
            self._tables[base] = graph.add("Cos", angles), graph.add("Sin", angles)
        cosine, sine = self._tables[base]
        first, second = graph.split("Split", 2, x, axis=-1, num_outputs=2)
        turned = [
            graph.add("Sub", graph.add("Mul", first, cosine), graph.add("Mul", second, sine)),
            graph.add("Add", graph.add("Mul", second, cosine), graph.add("Mul", first, sine)),
        ]
        return graph.add("Concat", *turned, axis=-1)


def _layer(graph: Graph, block: Any, x: str, positions: _Positions, activation: str) -> str:
    """Add a Transformer layer with its two residual connections."""

    def normalize(x: str, norm: Iterable[Any] | None, *, wanted: bool = True) -> str:
        if norm is None or not wanted:
            return x
        return graph.normalize(x, map(_value, norm), block.epsilon)

    def linear(x: str, kernel: Any, bias: Any) -> str:
        return graph.project(x, kernel.numpy(), _value(bias))

    first = block.norm_first
    qkv = linear(normalize(x, block.attention_norm, wanted=first), block.qkv_kernel, block.qkv_bias)
    values = _attention(graph, block, qkv, positions)
    attended = linear(values, block.attention_kernel, block.attention_bias)
    x = normalize(graph.add("Add", x, attended), block.attention_norm, wanted=not first)
    inner = linear(
        normalize(x, block.output_norm, wanted=first), block.inner_kernel, block.inner_bias
    )
    if block.gated:
        inner, gate = graph.split("Split", 2, inner, axis=-1, num_outputs=2)
        inner = graph.add("Mul", _activation(graph, inner, activation), gate)
    else:
        inner = _activation(graph, inner, activation)
    output = linear(inner, block.output_kernel, block.output_bias)
    x = normalize(graph.add("Add", x, output), block.output_norm, wanted=not first)
    return normalize(x, block.final_norm)


def _attention(graph: Graph, block: Any, qkv: str, positions: _Positions) -> str:
    size = block.hidden // block.heads
    by_head = graph.constant([0, 0, block.heads, size], np.int64)
    query, key, value = (
        graph.add("Transpose", graph.add("Reshape", part, by_head), perm=[0, 2, 1, 3])
        for part in graph.split("Split", 3, qkv, axis=-1, num_outputs=3)
    )
    query, key = (positions.rotate(part, block.window) for part in (query, key))
    scaled = graph.add("Mul", query, graph.constant(block.scale))
    scores = graph.add("MatMul", scaled, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
    scores = positions.add_relative(scores, block, scaled, key)
    scores = graph.add("Add", scores, positions.bias(block.window))
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
        count = graph.add("Max", count, graph.constant(1, np.float32))  # of a row of padding
        total = graph.add("MatMul", graph.add("Unsqueeze", weights, axis), x)
        return graph.add("Div", graph.add("Squeeze", total, axis), count)
    first = _last_token(graph, x, mask) if model.encoder.causal else _first_token(graph, x)
    pool = model.encoder.pool
    if model.head.pooling == "cls" or pool is None:
        return first
    dense = graph.linear(first, pool.weights_kernel.numpy(), _value(pool.weights_bias))
    pooled = _activation(graph, dense, pool.activation)
    if pool.weights_norm is None:
        return pooled
    return graph.normalize(pooled, map(_value, pool.weights_norm), pool.epsilon)


def _first_token(graph: Graph, x: str) -> str:
    return graph.add("Gather", x, graph.constant(0, np.int64), axis=1)


def _last_token(graph: Graph, x: str, mask: str) -> str:
    """Add the states of the last tokens that are no padding, [batch, hidden]."""
    last = graph.add("Cast", mask, to=7)  # INT64
    last = graph.add("ArgMax", last, axis=1, keepdims=1, select_last_index=1)
    return graph.add("GatherND", x, last, batch_dims=1)
