"""What stands in an exported folder; that it serves is tested with the whole run in test_main."""

import re

import pytest
from tensorflow.core.protobuf import saved_model_pb2


@pytest.fixture(scope="module")
def graph(finished_run):
    content = (finished_run / "saved_models" / "quickstart" / "1" / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]


def _nodes(graph):
    yield from graph.graph_def.node
    for function in graph.graph_def.library.function:
        yield from function.node_def


def test_no_python_and_no_compiler_is_inside(graph):
    ops = {node.op for node in _nodes(graph)}
    assert not [op for op in ops if re.search("PyFunc|Xla", op)]
    functions = graph.graph_def.library.function
    assert not [f.signature.name for f in functions if "_XlaMustCompile" in f.attr]


def test_only_wordpiece_is_no_core_op(graph):
    # TF Serving links tensorflow-text's ops, so this one loads there:
    # https://github.com/tensorflow/serving, model_servers/BUILD, SUPPORTED_TENSORFLOW_OPS.
    import tensorflow as tf

    known = dir(tf.raw_ops)
    assert {node.op for node in _nodes(graph)} - set(known) == {"FastWordpieceTokenizeWithOffsets"}


def test_signatures_are_those_promised(graph):
    signatures = graph.signature_def
    assert {"serving_default", "token_ids"} <= set(signatures)
    serving, ids = signatures["serving_default"], signatures["token_ids"]
    assert {name: _shape(t) for name, t in serving.inputs.items()} == {"text": [-1]}
    assert {name: _shape(t) for name, t in serving.outputs.items()} == {
        "label": [-1],
        "score": [-1],
        "probabilities": [-1, 2],
    }
    assert {name: _shape(t) for name, t in ids.inputs.items()} == {"token_ids": [-1, -1]}
    assert {name: _shape(t) for name, t in ids.outputs.items()} == {
        "logits": [-1, 2],
        "probabilities": [-1, 2],
    }


def _shape(tensor) -> list[int]:
    return [dimension.size for dimension in tensor.tensor_shape.dim]


def test_folder_holds_a_model_and_nothing_half_written(finished_run):
    versions = finished_run / "saved_models" / "quickstart"
    assert all(path.name.isdigit() for path in versions.iterdir())
