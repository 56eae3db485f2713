"""Turn the JSON of a classify or regress request into serialized `tf.Example`s.

Source: https://www.tensorflow.org/tfx/serving/api_rest; details that it leaves open follow
tensorflow/serving's util/json_tensor.cc.
"""

from typing import Any, cast

import numpy as np
import tensorflow as tf

from ftkeras.serving.errors import invalid_argument
from ftkeras.serving.request_json import from_base64, is_base64, quote, to_bytes, type_name

INT64 = np.iinfo(np.int64)


def decode(document: dict) -> np.ndarray:
    """Return the serialized examples, string [batch]; each includes the features of `context`."""
    context = _serialize(document["context"]) if "context" in document else b""
    if "examples" not in document:
        raise invalid_argument(
            f"JSON Value: {quote(document)} When method is classify, key 'examples' is expected "
            "and was not found"
        )
    given = document["examples"]
    if not isinstance(given, list):
        raise invalid_argument(
            f"JSON Value: {quote(document)} Expecting 'examples' value to be an list/array"
        )
    if not given:
        raise invalid_argument(f"JSON Value: {quote(document)} 'examples' value is an empty array")
    examples = np.empty(len(given), object)
    # Parsing two concatenated messages merges them.
    examples[:] = [context + _serialize(item) for item in given]
    return examples


def _serialize(item: Any) -> bytes:
    if not isinstance(item, dict):
        raise invalid_argument(f"Example must be JSON object but got JSON {type_name(item)}")
    example = tf.train.Example()
    for name, content in item.items():
        feature = example.features.feature[to_bytes(name).decode("utf-8", "replace")]
        for value in content if isinstance(content, list) else [content]:
            _append(feature, name, value)
    return example.SerializeToString()


def _append(feature: tf.train.Feature, name: str, value: Any) -> None:
    """Append a value to a feature, if it has the type of the feature's other values."""
    is_string = isinstance(value, str) or is_base64(value)
    if not is_string and (value is None or isinstance(value, (dict, list))):
        raise invalid_argument(
            f"Feature: {name} has element with unexpected JSON type: {type_name(value)}"
        )
    kind = "bytes" if is_string else "float" if isinstance(value, float) else "int64"
    known: str | None = feature.WhichOneof("kind")
    if known is not None and known != f"{kind}_list":
        raise invalid_argument(
            f"Unexpected element type in feature: {name} expecting type: "
            f"{known.removesuffix('_list')}"
        )
    if kind == "int64":
        number = int(value)
        if not INT64.min <= number <= INT64.max:
            raise invalid_argument(f"Feature: {name} has uint64 element. Only int64 is supported.")
        feature.int64_list.value.append(number)
    elif kind == "float":
        feature.float_list.value.append(float(value))
    else:
        content = to_bytes(value) if isinstance(value, str) else from_base64(cast(dict, value))
        feature.bytes_list.value.append(content)
