"""Run a SavedModel through TensorFlow's C API, as a server in C++ does: a script.

It reads a JSON object from standard input: "folder", and "runs", each {"inputs": {tensor: strings},
"outputs": [tensors]}, and writes the outputs to standard output. It never imports TensorFlow for
Python, but calls the library in its wheel through ctypes.
"""

import contextlib
import ctypes
import importlib.util
import json
import pathlib
import sys
from ctypes import POINTER, c_char_p, c_int, c_int64, c_size_t, c_void_p

STRING = 7  # TF_DataType
NUMBERS = {1: ctypes.c_float, 3: ctypes.c_int32}
TSTRING = 24  # bytes of a TF_TString


class Output(ctypes.Structure):
    _fields_ = (("operation", c_void_p), ("index", c_int))


def _package(name: str) -> pathlib.Path:
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0])


def _library():
    folder = _package("tensorflow")
    ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
    for name in (
        *("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions", "TF_LoadLibrary"),
        *("TF_LoadSessionFromSavedModel", "TF_GraphOperationByName", "TF_AllocateTensor"),
        *("TF_TensorData", "TF_TString_GetDataPointer", "TF_StringGetDataPointer"),
    ):
        with contextlib.suppress(AttributeError):  # versions differ in TF_StringGetDataPointer
            getattr(library, name).restype = c_void_p
    library.TF_Message.restype = c_char_p
    for name in ("TF_Dim", "TF_TensorElementCount"):
        getattr(library, name).restype = c_int64
    return library


class Model:
    """A session of a SavedModel."""

    def __init__(self, folder: str):
        self.library = _library()
        self.status = c_void_p(self.library.TF_NewStatus())
        for ops in sorted((_package("tensorflow_text") / "python" / "ops").glob("*.so")):
            self._checked(self.library.TF_LoadLibrary, str(ops).encode())
        self.graph = c_void_p(self.library.TF_NewGraph())
        options = c_void_p(self.library.TF_NewSessionOptions())
        tags = (c_char_p * 1)(b"serve")
        load = self.library.TF_LoadSessionFromSavedModel
        arguments = (options, None, folder.encode(), tags, 1, self.graph, None)
        self.session = c_void_p(self._checked(load, *arguments))

    def run(self, inputs: dict[str, list[str]], outputs: list[str]) -> dict:
        """Return values by tensor name: strings and floats, nested like the tensor."""
        fed = (Output * len(inputs))(*map(self._output, inputs))
        values = (c_void_p * len(inputs))(*(self._strings(texts) for texts in inputs.values()))
        wanted = (Output * len(outputs))(*map(self._output, outputs))
        found = (c_void_p * len(outputs))()
        self._checked(
            self.library.TF_SessionRun,
            *(self.session, None, fed, values, len(inputs), wanted, found, len(outputs)),
            *(None, 0, None),
        )
        return {
            name: self._value(c_void_p(tensor)) for name, tensor in zip(outputs, found, strict=True)
        }

    def _checked(self, function, *arguments):
        result = function(*arguments, self.status)
        if self.library.TF_GetCode(self.status):
            raise RuntimeError(self.library.TF_Message(self.status).decode())
        return result

    def _output(self, tensor: str) -> Output:
        name, _, index = tensor.partition(":")
        operation = self.library.TF_GraphOperationByName(self.graph, name.encode())
        assert operation, f"the graph has no {name}"
        return Output(operation, int(index))

    def _strings(self, texts: list[str]) -> int:
        shape = (c_int64 * 1)(len(texts))
        tensor = self.library.TF_AllocateTensor(STRING, shape, 1, c_size_t(TSTRING * len(texts)))
        data = self.library.TF_TensorData(c_void_p(tensor))
        for number, text in enumerate(texts):
            content, place = text.encode("latin-1"), c_void_p(data + TSTRING * number)
            self.library.TF_StringInit(place)
            self.library.TF_StringCopy(place, content, c_size_t(len(content)))
        return tensor

    def _value(self, tensor: c_void_p):
        library = self.library
        count = library.TF_TensorElementCount(tensor)
        data = library.TF_TensorData(tensor)
        if number := NUMBERS.get(library.TF_TensorType(tensor)):
            flat = list(ctypes.cast(data, POINTER(number))[:count]) if count else []
        else:
            flat = [self._string(c_void_p(data + TSTRING * number)) for number in range(count)]
        if library.TF_NumDims(tensor) == 1:
            return flat
        width = library.TF_Dim(tensor, 1)
        return [flat[start : start + width] for start in range(0, count, width)]

    def _string(self, place: c_void_p) -> str:
        library = self.library
        library.TF_StringGetSize.restype = c_size_t
        size = library.TF_StringGetSize(place)
        return ctypes.string_at(library.TF_StringGetDataPointer(place), size).decode("latin-1")


def main() -> None:
    """Read the request and print the outputs."""
    request = json.load(sys.stdin)
    model = Model(request["folder"])
    answers = [model.run(**run) for run in request["runs"]]
    assert not [name for name in sys.modules if name.startswith(("tensorflow", "ftkeras"))]
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
