"""Run a SavedModel through TensorFlow's C API, in the library that TensorFlow's wheel contains.

Loading the library takes a second, and importing TensorFlow for Python takes six more.

Source: https://www.tensorflow.org/install/lang_c; the functions are declared in the wheel, in
tensorflow/include/tensorflow/c/c_api.h and tf_tstring.h.
"""

import ctypes
import functools
import importlib.util
import pathlib
import weakref
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_void_p
from typing import Any

from ftkeras.runs.signatures import Signature
from ftkeras.support import standard_error

_FLOAT, _INT32, _STRING = 1, 3, 7  # TF_DataType
_NUMBERS = {_FLOAT: c_float, _INT32: c_int32}
_TSTRING_BYTES = 24  # sizeof(TF_TString)
_LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")

# Numbers are float or int.
Values = list[bytes] | list[float] | list[list[bytes]] | list[list[float]]


class _Output(ctypes.Structure):
    _fields_ = (("operation", c_void_p), ("index", c_int))


# The type that each function returns, and the types of its arguments.
_FUNCTIONS = {
    "TF_NewStatus": (c_void_p, []),
    "TF_GetCode": (c_int, [c_void_p]),
    "TF_Message": (c_char_p, [c_void_p]),
    "TF_LoadLibrary": (c_void_p, [c_char_p, c_void_p]),
    "TF_NewGraph": (c_void_p, []),
    "TF_NewSessionOptions": (c_void_p, []),
    "TF_LoadSessionFromSavedModel": (
        c_void_p,
        *([c_void_p, c_void_p, c_char_p, POINTER(c_char_p), c_int, c_void_p, c_void_p, c_void_p],),
    ),
    "TF_CloseSession": (None, [c_void_p, c_void_p]),
    "TF_DeleteSession": (None, [c_void_p, c_void_p]),
    "TF_DeleteSessionOptions": (None, [c_void_p]),
    "TF_DeleteGraph": (None, [c_void_p]),
    "TF_DeleteStatus": (None, [c_void_p]),
    "TF_GraphOperationByName": (c_void_p, [c_void_p, c_char_p]),
    "TF_SessionRun": (
        None,
        [
            *(c_void_p, c_void_p, POINTER(_Output), POINTER(c_void_p), c_int),
            *(POINTER(_Output), POINTER(c_void_p), c_int, c_void_p, c_int, c_void_p, c_void_p),
        ],
    ),
    "TF_AllocateTensor": (c_void_p, [c_int, POINTER(c_int64), c_int, c_size_t]),
    "TF_DeleteTensor": (None, [c_void_p]),
    "TF_TensorData": (c_void_p, [c_void_p]),
    "TF_TensorType": (c_int, [c_void_p]),
    "TF_NumDims": (c_int, [c_void_p]),
    "TF_Dim": (c_int64, [c_void_p, c_int]),
    "TF_TensorElementCount": (c_int64, [c_void_p]),
    "TF_StringInit": (None, [c_void_p]),
    "TF_StringCopy": (None, [c_void_p, c_char_p, c_size_t]),
    "TF_StringDealloc": (None, [c_void_p]),
    "TF_StringGetSize": (c_size_t, [c_void_p]),
    "TF_StringGetDataPointer": (c_void_p, [c_void_p]),
}


def is_available() -> bool:
    """Return whether TensorFlow's wheel contains the library, as it does on Linux."""
    return all((_package("tensorflow") / name).is_file() for name in _LIBRARIES)


class Session:
    """A SavedModel that the C API has loaded; several threads may run it at once.

    Args:
        folder: the SavedModel.
        signature: the names of the tensors to feed and to fetch.

    Raises:
        ValueError: if TensorFlow can't load it.
    """

    def __init__(self, folder: pathlib.Path, signature: Signature):
        with standard_error.hidden():
            self._library = _library()
            for ops in sorted((_package("tensorflow_text") / "python" / "ops").glob("*.so")):
                self._checked(self._library.TF_LoadLibrary, str(ops).encode())
            self._graph = self._library.TF_NewGraph()
            tags = (c_char_p * 1)(b"serve")
            options = self._library.TF_NewSessionOptions()
            self._session = self._checked(
                self._library.TF_LoadSessionFromSavedModel,
                *(options, None, str(folder).encode(), tags, 1),
                *(self._graph, None),
            )
            self._library.TF_DeleteSessionOptions(options)
        closing = weakref.finalize(self, _close, self._library, self._session, self._graph)
        closing.atexit = False  # the end of the process frees everything, faster
        self._inputs = {name: self._output(tensor) for name, tensor in signature.inputs.items()}
        self._outputs = {name: self._output(tensor) for name, tensor in signature.outputs.items()}

    def run(self, inputs: Mapping[str, Sequence[bytes]]) -> dict[str, Values]:
        """Return the outputs for a batch of strings: by name, a value or a list per string.

        Raises:
            ValueError: if TensorFlow fails.
        """
        library, fed, fetched = self._library, len(inputs), len(self._outputs)
        tensors = (c_void_p * fed)(*map(self._new_strings, inputs.values()))
        results = (c_void_p * fetched)()
        try:
            self._checked(
                library.TF_SessionRun,
                *(self._session, None),
                *((_Output * fed)(*(self._inputs[name] for name in inputs)), tensors, fed),
                *((_Output * fetched)(*self._outputs.values()), results, fetched, None, 0, None),
            )
            return {name: self._values(t) for name, t in zip(self._outputs, results, strict=True)}
        finally:
            for tensor in tensors:
                self._delete_strings(tensor)
            for tensor in filter(None, results):
                library.TF_DeleteTensor(tensor)

    def _checked(self, function, *arguments):
        """Call a function whose last argument is a status."""
        status = self._library.TF_NewStatus()
        try:
            result = function(*arguments, status)
            if self._library.TF_GetCode(status):
                raise ValueError(self._library.TF_Message(status).decode(errors="replace"))
            return result
        finally:
            self._library.TF_DeleteStatus(status)

    def _output(self, tensor: str) -> _Output:
        name, _, index = tensor.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        if not operation:
            raise ValueError(f"the graph has no tensor {tensor}")
        return _Output(operation, int(index or 0))

    def _new_strings(self, texts: Sequence[bytes]) -> int:
        shape = (c_int64 * 1)(len(texts))
        tensor = self._library.TF_AllocateTensor(_STRING, shape, 1, _TSTRING_BYTES * len(texts))
        for place, text in zip(self._places(tensor), texts, strict=True):
            self._library.TF_StringInit(place)
            self._library.TF_StringCopy(place, text, len(text))
        return tensor

    def _delete_strings(self, tensor: int) -> None:
        """Delete a tensor that `_new_strings` made: deleting it leaves its long strings behind."""
        for place in self._places(tensor):
            self._library.TF_StringDealloc(place)
        self._library.TF_DeleteTensor(tensor)

    def _places(self, tensor: int) -> range:
        """Return the addresses of a tensor's strings."""
        start = self._library.TF_TensorData(tensor)
        count = self._library.TF_TensorElementCount(tensor)
        return range(start, start + count * _TSTRING_BYTES, _TSTRING_BYTES)

    def _values(self, tensor: int) -> Values:
        library = self._library
        kind = library.TF_TensorType(tensor)
        if kind != _STRING and kind not in _NUMBERS:
            raise ValueError(f"an output has TensorFlow's type {kind}, which is not supported")
        count = library.TF_TensorElementCount(tensor)
        flat = self._strings(tensor) if kind == _STRING else self._numbers(tensor, kind)
        if library.TF_NumDims(tensor) == 1:
            return flat
        width = library.TF_Dim(tensor, 1)
        rows: Any = [flat[start : start + width] for start in range(0, count, width)]
        return rows

    def _strings(self, tensor: int) -> list[bytes]:
        get, size = self._library.TF_StringGetDataPointer, self._library.TF_StringGetSize
        return [ctypes.string_at(get(place), size(place)) for place in self._places(tensor)]

    def _numbers(self, tensor: int, kind: int) -> list[float]:
        count = self._library.TF_TensorElementCount(tensor)
        return ctypes.cast(self._library.TF_TensorData(tensor), POINTER(_NUMBERS[kind]))[:count]


def _close(library: ctypes.CDLL, session: int, graph: int) -> None:
    """Free a loaded model."""
    status = library.TF_NewStatus()
    library.TF_CloseSession(session, status)
    library.TF_DeleteSession(session, status)
    library.TF_DeleteGraph(graph)
    library.TF_DeleteStatus(status)


@functools.cache
def _library() -> ctypes.CDLL:
    for name in _LIBRARIES:
        library = ctypes.CDLL(str(_package("tensorflow") / name), mode=ctypes.RTLD_GLOBAL)
    for name, (returned, taken) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returned, taken
    return library


def _package(name: str) -> pathlib.Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is not installed"
    return pathlib.Path(next(iter(spec.submodule_search_locations or ())))
