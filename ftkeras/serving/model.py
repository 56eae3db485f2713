"""One version of a model: its signatures, and how they are run."""

import pathlib
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the ops of the text layer
from google.protobuf import json_format
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from ftkeras.serving import warmup
from ftkeras.serving.refused import HTTP_STATUS, Refused, invalid
from ftkeras.serving.tensors import Tensor


@dataclass(frozen=True)
class Signature:
    """What a signature takes and gives, by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def rows(self, inputs: dict[str, np.ndarray]) -> int:
        """The number of examples in a request's tensors.

        Raises:
            Refused: where they differ, or a tensor's shape is not the signature's.
        """
        sizes = set()
        for name, array in inputs.items():
            wanted = self.inputs[name].shape
            if wanted is not None and not _fits(array.shape, wanted):
                raise invalid(
                    f"Input {name} must have shape {list(wanted)}, -1 for any. "
                    f"Received: {list(array.shape)}."
                )
            if array.ndim == 0:
                raise invalid("Batching Run() input tensors must have at least one dimension")
            sizes.add(array.shape[0])
        if len(sizes) != 1:
            raise invalid("Batching Run() input tensors must have equal 0th-dimension size")
        if sizes == {0}:
            raise invalid("A request has at least one row. Received: none.")
        return sizes.pop()


class Model:
    """A SavedModel in memory.

    Args:
        folder: `<name>/<version>`.
    """

    def __init__(self, folder: pathlib.Path):
        self._folder, self.version = folder, int(folder.name)
        self._loaded = tf.saved_model.load(str(folder))
        self._functions = dict(self._loaded.signatures)
        self.definitions = _definitions(folder)
        self.signatures = {
            name: Signature(_tensors(found.inputs), _tensors(found.outputs))
            for name, found in self.definitions.items()
            if name in self._functions
        }

    def signature(self, name: str) -> Signature:
        """The signature of that name.

        Raises:
            Refused: where there is none.
        """
        if name not in self.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return self.signatures[name]

    def run(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A signature's outputs.

        Raises:
            Refused: with the code of TensorFlow's error.
        """
        try:
            tensors = {key: tf.constant(array) for key, array in inputs.items()}
            outputs = self._functions[name](**tensors)
            return {key: output.numpy() for key, output in outputs.items()}
        except tf.errors.OpError as error:
            raise Refused(_CODES.get(error.error_code, "UNKNOWN"), error.message) from error

    def metadata(self) -> dict:
        """The signatures as JSON: what `/metadata` says of them."""
        return {name: _as_json(found) for name, found in self.definitions.items()}

    def warm_up(self) -> None:
        """Runs what the model is warmed up with, so that no request is the first."""
        inputs = {name: found.inputs for name, found in self.signatures.items()}
        for name, tensors in warmup.requests(self._folder, inputs):
            self.run(name, tensors)


_CODES = {getattr(tf.errors, code): code for code in HTTP_STATUS if hasattr(tf.errors, code)}


def _definitions(folder: pathlib.Path) -> dict[str, meta_graph_pb2.SignatureDef]:
    """The signatures as the file has them: with their method's name, which loading drops."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    found = next(graph for graph in saved.meta_graphs if "serve" in graph.meta_info_def.tags)
    return dict(found.signature_def)


def _tensors(infos) -> dict[str, Tensor]:
    return {
        name: Tensor(
            tf.dtypes.as_dtype(info.dtype)
            .name.replace("float32", "float")
            .replace("float64", "double"),
            None
            if info.tensor_shape.unknown_rank
            else tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for name, info in sorted(infos.items())
    }


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        free in (-1, size) for size, free in zip(shape, wanted, strict=True)
    )


def _as_json(definition: meta_graph_pb2.SignatureDef) -> dict:
    return json_format.MessageToDict(
        definition, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )
