"""The signatures of a model as messages, which `/metadata` shows."""

import pathlib
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

Definitions = dict[str, meta_graph_pb2.SignatureDef]
CLASSIFY = "classify"  # the signature of the Classify API


def read(folder: pathlib.Path) -> Definitions:
    """Read the signatures of a SavedModel from its file: loading it drops their methods' names."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    served = next(graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags)
    return dict(served.signature_def)


def describe(functions: Mapping[str, Any]) -> Definitions:
    """Return the signatures of concrete functions of tensors by name."""
    return {
        name: meta_graph_pb2.SignatureDef(
            inputs=_infos(_inputs(function)),
            outputs=_infos(function.structured_outputs),
            method_name=_method(name),
        )
        for name, function in functions.items()
    }


def _inputs(function: Any) -> dict[str, tf.TensorSpec]:
    positional, named = function.structured_input_signature
    return {spec.name: spec for spec in positional} | named


def _method(signature: str) -> str:
    if signature == CLASSIFY:
        return tf.saved_model.CLASSIFY_METHOD_NAME
    return tf.saved_model.PREDICT_METHOD_NAME


def _infos(specs: Mapping[str, tf.TensorSpec]) -> dict[str, meta_graph_pb2.TensorInfo]:
    return {
        name: meta_graph_pb2.TensorInfo(
            name=f"{name}:0", dtype=spec.dtype.as_datatype_enum, tensor_shape=spec.shape.as_proto()
        )
        for name, spec in specs.items()
    }
