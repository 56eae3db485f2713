"""Write a model's outputs as the JSON that TensorFlow Serving responds with.

A request in rows is answered with `"predictions"`, one in columns with `"outputs"`, a
classification with `"results"`. String outputs whose name ends in `_bytes` are written as
`{"b64": "…"}`.

Source: https://www.tensorflow.org/tfx/serving/api_rest; details that it leaves open follow
tensorflow/serving's util/json_tensor.cc.
"""

import base64
import json

import numpy as np

from ftkeras.serving.errors import invalid_argument

ROWS, COLUMNS = "predictions", "outputs"
_SPECIAL_FLOATS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def encode_predictions(outputs: dict[str, np.ndarray], form: str) -> bytes:
    """Return the response to a predict request.

    Args:
        outputs: Output tensors by name.
        form: `ROWS` or `COLUMNS`. A single output is written without its name.
    """
    values = {name: _json_values(name, outputs[name]) for name in sorted(outputs)}
    if form == COLUMNS:
        columns = {name: _nested(values[name], outputs[name].shape) for name in values}
        content = _json_object(columns) if len(columns) > 1 else next(iter(columns.values()))
    else:
        content = f"[{', '.join(_rows(values, outputs))}]"
    return f'{{"{form}": {content}}}'.encode("utf-8", "surrogateescape")


def encode_classifications(outputs: dict[str, np.ndarray]) -> bytes:
    """Return the response to a classify request: pairs of label and score for each example.

    Args:
        outputs: `classes` string [batch, classes] and `scores` float32 [batch, classes], or one of
            them.
    """
    for name, array in outputs.items():
        if array.ndim != 2:
            shape = ",".join(map(str, array.shape))
            raise invalid_argument(
                f"Expected Tensor {name} shape: [batch_size num_classes] but got [{shape}]"
            )
    classes, scores = outputs.get("classes"), outputs.get("scores")
    first = outputs["classes" if "classes" in outputs else "scores"]
    labels = ['""'] * first.size if classes is None else [json_string(c) for c in classes.flat]
    numbers = ["0.0"] * first.size if scores is None else _floats(scores.astype(np.float32).ravel())
    pairs = [f"[{label}, {score}]" for label, score in zip(labels, numbers, strict=True)]
    return f'{{"results": {_nested(pairs, first.shape)}}}'.encode("utf-8", "surrogateescape")


def encode_regressions(values: np.ndarray) -> bytes:
    """Return the response to a regress request: one number for each example."""
    return f'{{"results": {_nested(_floats(values.ravel()), (values.size,))}}}'.encode()


def json_string(value: bytes) -> str:
    """Return a string as JSON. Bytes that are not UTF-8 are kept as they are."""
    return json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False)


def _rows(values: dict[str, list[str]], outputs: dict[str, np.ndarray]) -> list[str]:
    """Return the JSON of each row: an object, or the bare value if there is one output."""
    counts = set()
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if not len(array):
            raise invalid_argument(f"Tensor name: {name} has invalid batch size: 0")
        counts.add(len(array))
        if len(counts) > 1:
            raise invalid_argument(f"Tensor name: {name} has inconsistent batch size: {len(array)}")
    columns = {name: _parts(values[name], outputs[name].shape) for name in values}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [
        _json_object(dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]


def _json_object(members: dict[str, str]) -> str:
    written = (f"{json.dumps(name)}: {value}" for name, value in members.items())
    return f"{{{', '.join(written)}}}"


def _nested(values: list[str], shape: tuple[int, ...]) -> str:
    """Return the JSON array of this shape that holds the values, in row-major order."""
    return f"[{', '.join(_parts(values, shape))}]" if shape else values[0]


def _parts(values: list[str], shape: tuple[int, ...]) -> list[str]:
    """Return the JSON of each slice along the first dimension."""
    if len(shape) == 1:
        return values
    step = int(np.prod(shape[1:]))
    return [_nested(values[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _json_values(name: str, array: np.ndarray) -> list[str]:
    """Return the JSON of each value of a tensor, in row-major order."""
    flat = array.ravel()
    if array.dtype == object:
        if name.endswith("_bytes"):
            return [f'{{"b64": "{base64.b64encode(value).decode()}"}}' for value in flat]
        return [json_string(value) for value in flat]
    if array.dtype in (np.float32, np.float64):
        return _floats(flat)
    if array.dtype.kind in "iub":
        return [json.dumps(value) for value in flat.tolist()]
    raise invalid_argument(f"Failed to write JSON value for tensor type: {array.dtype.name}")


def _floats(flat: np.ndarray) -> list[str]:
    """Return floats with six digits, or with as many as are needed to read back the same float."""
    digits = 9 if flat.dtype == np.float32 else 17
    values = flat.tolist()
    texts = [f"{value:.6g}" for value in values]
    read_back = np.asarray([float(text) for text in texts], flat.dtype)
    for index in np.flatnonzero((read_back != flat) | ~np.isfinite(flat)):
        texts[index] = f"{values[index]:.{digits}g}"
    return [_SPECIAL_FLOATS.get(text) or _with_point(text) for text in texts]


def _with_point(text: str) -> str:
    """Add a decimal point to a whole float, so that no reader takes it for an integer."""
    return text if "." in text or "e" in text else f"{text}.0"
