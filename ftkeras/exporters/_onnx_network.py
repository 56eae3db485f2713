"""An exported ONNX model as the network of a graph of TensorFlow."""

import pathlib
from collections.abc import Mapping

import numpy as np
import onnxruntime
import tensorflow as tf


class OnnxNetwork:
    """Run the model in onnxruntime, on the CPU, where a graph has its network.

    Args:
        path: The model, which takes token ids and returns `logits`.

    Call:
        ids by name, int32 [batch, length] -> a tuple of the logits alone, float32
        [batch, outputs].
    """

    def __init__(self, path: pathlib.Path):
        options = onnxruntime.SessionOptions()
        # Threads that wait busily would take the processor from TensorFlow, which reads the texts.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self._names = [tensor.name for tensor in self._session.get_inputs()]
        self._outputs = self._run(*np.zeros([len(self._names), 1, 1], np.int32)).shape[-1]

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor]:
        ids = [inputs[name] for name in self._names]
        logits = tf.numpy_function(self._run, ids, tf.float32, stateful=False)
        return (tf.ensure_shape(logits, [None, self._outputs]),)

    def _run(self, *ids: np.ndarray) -> np.ndarray:
        return np.asarray(
            self._session.run(["logits"], dict(zip(self._names, ids, strict=True)))[0]
        )
