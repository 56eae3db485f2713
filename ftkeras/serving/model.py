"""Run the signatures of one version of a model."""

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import error_codes_pb2, meta_graph_pb2

from ftkeras.serving import graph_errors, warmup
from ftkeras.serving.errors import RequestError, invalid_argument
from ftkeras.serving.tensors import Tensor

# TensorFlow Serving's names of types that TensorFlow's own API names otherwise.
_SERVING_NAMES = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a signature, by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]

    def count_rows(self, inputs: dict[str, np.ndarray]) -> int:
        """Return the number of examples in a request's tensors.

        Raises:
            RequestError: The tensors differ in it, or a tensor's shape is not the signature's.
        """
        sizes = set()
        for name, array in inputs.items():
            wanted = self.inputs[name].shape
            if wanted is not None and not _fits(array.shape, wanted):
                raise invalid_argument(
                    f"Input {name} must have shape {list(wanted)}, -1 for any. "
                    f"Received: {list(array.shape)}."
                )
            if array.ndim == 0:
                raise invalid_argument(
                    "Batching Run() input tensors must have at least one dimension"
                )
            sizes.add(array.shape[0])
        if len(sizes) != 1:
            raise invalid_argument(
                "Batching Run() input tensors must have equal 0th-dimension size"
            )
        if sizes == {0}:
            raise invalid_argument("A request has at least one row. Received: none.")
        return sizes.pop()


class Model:
    """A model in memory.

    Args:
        folder: of its files.
        version: its number.
        functions: tensors by name -> tensors by name, by the names of signatures.
        definitions: the signatures' inputs and outputs; those without a function are only shown.
        owner: the object that has the functions' variables and tables, which is kept with them.

    Attributes:
        folder, version, definitions: the same.
        signatures: their inputs and outputs.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        version: int,
        functions: Mapping[str, Callable[..., Mapping[str, tf.Tensor]]],
        definitions: Mapping[str, meta_graph_pb2.SignatureDef],
        *,
        owner: Any = None,
    ):
        self.folder, self.version, self.definitions = folder, version, definitions
        self._functions, self._owner = functions, owner
        self.signatures = {
            name: Signature(_tensors(definition.inputs), _tensors(definition.outputs))
            for name, definition in definitions.items()
            if name in functions
        }

    def signature(self, name: str) -> Signature:
        """Return a signature by name.

        Raises:
            RequestError: The model has no such signature.
        """
        if name not in self.signatures:
            raise invalid_argument(f'Serving signature name: "{name}" not found in signature def')
        return self.signatures[name]

    def run(self, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature and return its outputs.

        Raises:
            RequestError: TensorFlow failed; it has the code of TensorFlow's error.
        """
        try:
            tensors = {key: tf.constant(array) for key, array in inputs.items()}
            outputs = self._functions[name](**tensors)
            return {key: output.numpy() for key, output in outputs.items()}
        except tf.errors.OpError as error:
            # TensorFlow's codes are gRPC's, by number and by name.
            code = error_codes_pb2.Code.Name(error.error_code)
            raise RequestError(code, graph_errors.reason(error.message)) from error

    def metadata(self) -> dict:
        """Return the signatures as JSON, as `/metadata` shows them."""
        return {name: _to_json(definition) for name, definition in self.definitions.items()}

    def warm_up(self) -> None:
        """Run the model's warm-up requests, so that the first real request is as fast as others."""
        inputs = {name: signature.inputs for name, signature in self.signatures.items()}
        for name, tensors in warmup.requests(self.folder, inputs):
            self.run(name, tensors)


def _tensors(infos: Mapping[str, meta_graph_pb2.TensorInfo]) -> dict[str, Tensor]:
    return {name: _tensor(info) for name, info in sorted(infos.items())}


def _tensor(info: meta_graph_pb2.TensorInfo) -> Tensor:
    dtype = tf.dtypes.as_dtype(info.dtype).name
    shape = tuple(dim.size for dim in info.tensor_shape.dim)
    known_rank = not info.tensor_shape.unknown_rank
    return Tensor(str(_SERVING_NAMES.get(dtype, dtype)), shape if known_rank else None)


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        allowed in (-1, size) for size, allowed in zip(shape, wanted, strict=True)
    )


def _to_json(definition: meta_graph_pb2.SignatureDef) -> dict:
    return json_format.MessageToDict(
        definition, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )
