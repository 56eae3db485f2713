"""Write the requests that TensorFlow Serving runs when it loads a model, before any client's.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup.
"""

import importlib.util
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.exporters._signatures import CLASSIFY, Served

FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
# Signatures with a request at the first length only: `explain` runs the network a hundred times, so
# that a server would take long to start; `token_counts` does not run it.
ONCE = frozenset({"explain", "token_counts"})
# A word that is one token in nearly any vocabulary, if only [UNK].
WORD = "a"


def is_available() -> bool:
    """Return whether tensorflow-serving-api, which has the requests' messages, is installed."""
    return importlib.util.find_spec("tensorflow_serving") is not None


def write(
    folder: pathlib.Path,
    *,
    served: Served,
    signatures: Mapping[str, Any],
    model: str,
) -> int:
    """Write a request for each signature at each length, and return how many.

    They consist of one word, so that no text from the data travels with the model.

    Args:
        folder: The SavedModel's folder.
        served: The module that was saved.
        signatures: Its signatures by name.
        model: The model's name on the server.
    """
    logs = list(_logs(served, signatures, model))
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for log in logs:
            file.write(log.SerializeToString())
    return len(logs)


def texts_of_length(served: Served, length: int) -> dict[str, np.ndarray]:
    """Return a text, or a pair of texts, that has the given number of tokens.

    The texts of a pair are about equally long, so that neither is truncated; each has that number
    of tokens if it is a row of its own.
    """
    names = served.text_names
    is_row = len(names) == 1 or served.each_text
    words = length - served.text_layer.tokenizer.specials[0 if is_row else 1]
    counts = [words] * len(names) if is_row else [words - words // 2, words // 2]
    return {
        name: np.array([" ".join([WORD] * count)], object)
        for name, count in zip(names, counts, strict=True)
    }


def _logs(served: Served, signatures: Mapping[str, Any], model: str) -> Iterator[Any]:
    """Yield a PredictionLog for each request."""
    for name, function in signatures.items():
        taken = function.function_type.parameters
        for length in served.lengths[:1] if name in ONCE else served.lengths:
            texts = texts_of_length(served, length)
            if name == CLASSIFY:
                yield _classify(texts, model)
            else:
                inputs = served.token_ids(texts) if name == "token_ids" else texts
                yield _predict(name, {k: v for k, v in inputs.items() if k in taken}, model)


def _predict(signature: str, inputs: Mapping[str, np.ndarray], model: str) -> Any:
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def _classify(texts: Mapping[str, np.ndarray], model: str) -> Any:
    from tensorflow_serving.apis import classification_pb2, prediction_log_pb2

    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = model, CLASSIFY
    example = request.input.example_list.examples.add()
    for name, value in texts.items():
        example.features.feature[name].bytes_list.value.append(value[0].encode())
    return prediction_log_pb2.PredictionLog(
        classify_log=prediction_log_pb2.ClassifyLog(request=request)
    )
