"""Read or make the requests that warm up a model before it receives any."""

import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from ftkeras.serving.tensors import Tensor

# The file of warm-up requests in an export: https://www.tensorflow.org/tfx/serving/saved_model_warmup.
FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
# Used if the export has none: a short text, and one that is truncated.
TEXTS = (b"A word.", b"Many words. " * 1000)

Request = tuple[str, dict[str, np.ndarray]]


def requests(folder: pathlib.Path, inputs: dict[str, dict[str, Tensor]]) -> Iterator[Request]:
    """Yield the name of a signature and the inputs to run it with.

    Args:
        folder: The SavedModel's folder.
        inputs: The inputs of each signature, by name.
    """
    if (folder / FILE).is_file():
        for record in tf.data.TFRecordDataset(str(folder / FILE)).as_numpy_iterator():
            yield _parse(prediction_log_pb2.PredictionLog.FromString(bytes(record)))
        return
    for signature, tensors in inputs.items():
        if set(tensors) <= {"text", "pair"}:
            for text in TEXTS:
                yield signature, {name: np.array([text], object) for name in tensors}


def _parse(log: prediction_log_pb2.PredictionLog) -> Request:
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    else:
        request = (log.classify_log if kind == "classify_log" else log.regress_log).request
        examples = request.input.example_list.examples
        inputs = {"inputs": np.array([e.SerializeToString() for e in examples], object)}
    return request.model_spec.signature_name or "serving_default", inputs
