"""The int8 ONNX model multiplies 8-bit integers, as its formula and ONNX Runtime's own tool do."""

import json

import numpy as np
import pytest

from ftkeras.errors import UserError
from ftkeras.exporters import _onnx_graph
from ftkeras.exporters._onnx_graph import Graph
from ftkeras.exporters.onnx import Onnx
from tests.exporters import small

onnx = pytest.importorskip("onnx", reason="needs pip install 'ftkeras[onnx]'")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install 'ftkeras[onnx]'")

from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: E402

from ftkeras.exporters._onnx_int8 import Int8Graph  # noqa: E402

IDS = np.array([[2, 30, 7, 3, 0, 0], [2, 9, 9, 41, 8, 3]], np.int32)


def _run(content, **inputs):
    session = onnxruntime.InferenceSession(content.SerializeToString())
    return session.run(None, inputs)[0]


def _of_floats(graph, output):
    """Return a model of one input `x` [rows, columns] from a graph's nodes."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    x = helper.make_tensor_value_info("x", kind, ["rows", "columns"])
    y = helper.make_tensor_value_info(output, kind, None)
    drawn = helper.make_graph(graph._nodes, "test", [x], [y], graph._constants)
    opset = [helper.make_opsetid("", _onnx_graph.OPSET)]
    return helper.make_model(drawn, opset_imports=opset, ir_version=_onnx_graph.IR_VERSION)


@pytest.mark.parametrize("bias", [None, np.array([0.5, -1, 2], "float32")])
def test_product_is_that_of_rounded_states_and_kernel(bias):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 70)).astype("float32")
    kernel = rng.normal(size=(70, 3)).astype("float32") * [1, 10, 0.1]
    graph = Int8Graph(onnx)
    found = _run(_of_floats(graph, graph.project("x", kernel.astype("float32"), bias)), x=x)
    step = (x.max() - x.min()) / 255
    zero = np.round(-x.min() / step)
    states = np.clip(np.round(x / step) + zero, 0, 255) - zero
    steps = np.abs(kernel).max(axis=0) / 64
    expected = states @ np.round(kernel / steps) * step * steps + (0 if bias is None else bias)
    np.testing.assert_allclose(found / expected, 1, rtol=1e-4)
    assert np.abs(found - x @ kernel - (0 if bias is None else bias)).max() > 1e-3


def test_logits_are_those_of_onnxruntimes_own_quantizer(monkeypatch, tmp_path):
    model = small.model()
    monkeypatch.setattr(Int8Graph, "look_up", Graph.look_up)  # which it rounds by other rules
    ours = _onnx_graph.build(Int8Graph(onnx), model, small.PROBLEM, segments=False)
    plain = _onnx_graph.build(Graph(onnx), model, small.PROBLEM, segments=False)
    products = [node for node in plain.graph.node if node.op_type == "MatMul"]
    for number, node in enumerate(products):
        node.name = f"product {number}"
    by_kernel = [n.name for n in products if n.input[1].startswith("constant")]
    layers = by_kernel[: 4 * len(model.encoder.stack)]  # not the pooler and the head
    path = tmp_path / "peers.onnx"
    settings = {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QInt8}
    quantize_dynamic(plain, path, nodes_to_quantize=layers, **settings)
    found, expected = _run(ours, token_ids=IDS), _run(onnx.load(path), token_ids=IDS)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - _run(plain, token_ids=IDS)).max() > 1e-3


def test_tables_are_rounded_by_row():
    table = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    table[3] *= 1000
    graph = Int8Graph(onnx)
    numbers = graph.add("Cast", "x", to=6)  # INT32
    found = _run(_of_floats(graph, graph.look_up(table, numbers)), x=np.array([[3, 1]], "float32"))
    step = np.abs(table[[3, 1]]).max(axis=1, keepdims=True) / 127
    assert (np.abs(found[0] - table[[3, 1]]) <= 0.501 * step).all()


def _exporter(small_run, run_dir, **keys):
    model, layer, _ = small_run
    about = {"problem": small.PROBLEM, "pairs": False, "plain": True, "quantization": "int8"}
    return Onnx(
        model=model, text_layer=layer, run_dir=run_dir, card=small.Card(), **{**about, **keys}
    )


def test_export_is_smaller_within_its_bound_and_reports_what_changes(small_run, tmp_path):
    model, layer, _ = small_run
    small.run_dir(tmp_path, model, layer, small.TEXTS)
    exact = _exporter(small_run, tmp_path, quantization=None).write() / "model.onnx"
    size = exact.stat().st_size
    exporter = _exporter(small_run, tmp_path)
    record = json.loads((exporter.write() / "export.json").read_text())
    assert record["quantization"] == "int8"
    assert record["tolerance"] is None
    assert 1e-5 < record["logit_change"] <= record["logit_tolerance"] == 0.5
    assert f"{record['labels_changed']} of 5 labels change" in exporter.message
    assert record["bytes"] == exact.stat().st_size < 0.6 * size


def test_export_beyond_its_bound_is_not_kept(small_run, tmp_path):
    model, layer, _ = small_run
    small.run_dir(tmp_path, model, layer, small.TEXTS)
    with pytest.raises(UserError, match=r"logits move by .* of their spread.* of 5 labels change"):
        _exporter(small_run, tmp_path, logit_tolerance=1e-4).write()
    assert not (tmp_path / "onnx").exists()


@pytest.mark.parametrize(
    "keys", [{"quantization": "int4"}, {"tolerance": 2}, {"logit_tolerance": -1}]
)
def test_bad_key_is_named(small_run, keys):
    ((key, value),) = keys.items()
    with pytest.raises(ValueError, match=f"`{key}`.*{value}"):
        _exporter(small_run, small_run[2], **keys)
