"""The requests that a model is warmed up with, before it gets any."""

import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from ftkeras.serving.tensors import Tensor

# Where an export keeps them: https://www.tensorflow.org/tfx/serving/saved_model_warmup.
FILE = pathlib.Path("assets.extra") / "tf_serving_warmup_requests"
# Where there are none: one short text, and one that will be cut.
TEXTS = (b"A word.", b"Many words. " * 1000)

Request = tuple[str, dict[str, np.ndarray]]


def requests(folder: pathlib.Path, inputs: dict[str, dict[str, Tensor]]) -> Iterator[Request]:
    """Signatures by name, and what to run each with.

    Args:
        folder: the SavedModel's.
        inputs: what each signature takes.
    """
    if (folder / FILE).is_file():
        for record in tf.data.TFRecordDataset(str(folder / FILE)).as_numpy_iterator():
            yield _recorded(prediction_log_pb2.PredictionLog.FromString(record))
        return
    for name, takes in inputs.items():
        if set(takes) <= {"text", "pair"}:
            for text in TEXTS:
                yield name, {key: np.array([text], object) for key in takes}


def _recorded(log: prediction_log_pb2.PredictionLog) -> Request:
    kind = log.WhichOneof("log_type")
    request = getattr(log, kind).request
    if kind == "predict_log":
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
    else:
        examples = request.input.example_list.examples
        inputs = {"inputs": np.array([e.SerializeToString() for e in examples], object)}
    return request.model_spec.signature_name or "serving_default", inputs
