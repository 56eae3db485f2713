"""A classify or regress request's JSON to serialized `tf.Example`s.

Source: https://www.tensorflow.org/tfx/serving/api_rest; what that leaves open is as
tensorflow/serving's util/json_tensor.cc does it.
"""

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2

from ftkeras.serving.documents import encoded, from_base64, is_base64, kind, shown
from ftkeras.serving.refused import invalid

INT64 = np.iinfo(np.int64)


def decode(document: dict) -> np.ndarray:
    """The examples, serialized: string [batch]. What `context` holds stands in each of them."""
    context = _example(document["context"]) if "context" in document else b""
    if "examples" not in document:
        raise invalid(
            f"JSON Value: {shown(document)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    given = document["examples"]
    if not isinstance(given, list):
        raise invalid(
            f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array"
        )
    if not given:
        raise invalid(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    examples = np.empty(len(given), object)
    # Two serialized messages, one after the other, are their merger.
    examples[:] = [context + _example(item) for item in given]
    return examples


def _example(item) -> bytes:
    if not isinstance(item, dict):
        raise invalid(f"Example must be JSON object but got JSON {kind(item)}")
    example = example_pb2.Example()
    for name, content in item.items():
        feature = example.features.feature[encoded(name).decode("utf-8", "replace")]
        for value in content if isinstance(content, list) else [content]:
            _add(feature, name, value)
    return example.SerializeToString()


def _add(feature: feature_pb2.Feature, name: str, value) -> None:
    """Adds one value, where it is of the type of those before it."""
    bytes_value = isinstance(value, str) or is_base64(value)
    if not bytes_value and (value is None or isinstance(value, (dict, list))):
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {kind(value)}")
    wanted = "bytes" if bytes_value else "float" if isinstance(value, float) else "int64"
    held = feature.WhichOneof("kind")
    if held not in (None, f"{wanted}_list"):
        raise invalid(
            f"Unexpected element type in feature: {name} expecting type: "
            f"{held.removesuffix('_list')}"
        )
    if wanted == "int64" and not INT64.min <= value <= INT64.max:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    if bytes_value:
        value = encoded(value) if isinstance(value, str) else from_base64(value)
    getattr(feature, f"{wanted}_list").value.append(value)
