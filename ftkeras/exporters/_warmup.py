"""Requests that TensorFlow Serving answers to itself when it loads a model, before any client.

Source: https://www.tensorflow.org/tfx/serving/saved_model_warmup.
"""

import pathlib
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from ftkeras.exporters._signatures import CLASSIFY, Served

FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
# Runs the network a hundred times, so not at each length: a server would be long in starting.
SLOW = frozenset({"explain"})
# A word of one token in any vocabulary, be it [UNK].
WORD = "a"


def write(folder: pathlib.Path, *, served: Served, signatures, model: str) -> int:
    """Writes a request for each signature at each length; returns how many.

    They are made of one word, so that no text of anybody's travels with the model.

    Args:
        folder: the SavedModel's.
        served: what is in it.
        signatures: by name, as saved.
        model: the name that requests are sent to.
    """
    logs = list(_logs(served, signatures, model))
    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        for log in logs:
            file.write(log.SerializeToString())
    return len(logs)


def _logs(served: Served, signatures, model: str) -> Iterator:
    for name in signatures:
        for length in served.lengths[:1] if name in SLOW else served.lengths:
            texts = texts_of(served, length)
            yield (
                _classify(texts, model)
                if name == CLASSIFY
                else _predict(name, served.ids_of(texts) if name == "token_ids" else texts, model)
            )


def texts_of(served: Served, length: int) -> dict[str, np.ndarray]:
    """A text, or pair of texts, that the text layer makes so many tokens of.

    A pair is half and half, so that none is shortened.
    """
    specials = 1 + len(served.text_names)
    words = length - specials
    counts = [words] if len(served.text_names) == 1 else [words - words // 2, words // 2]
    return {
        name: np.array([" ".join([WORD] * count)], object)
        for name, count in zip(served.text_names, counts, strict=True)
    }


def _predict(signature: str, inputs: Mapping[str, np.ndarray], model: str):
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = model, signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def _classify(texts: Mapping[str, np.ndarray], model: str):
    from tensorflow_serving.apis import classification_pb2, prediction_log_pb2

    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = model, CLASSIFY
    example = request.input.example_list.examples.add()
    for name, value in texts.items():
        example.features.feature[name].bytes_list.value.append(value[0].encode())
    return prediction_log_pb2.PredictionLog(
        classify_log=prediction_log_pb2.ClassifyLog(request=request)
    )
