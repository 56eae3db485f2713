"""A model's outputs as the JSON that TensorFlow Serving answers with.

A request in rows is answered by `"predictions"`, one in columns by `"outputs"`, a classification by
`"results"`. Strings that go out under a name that ends in `_bytes` are `{"b64": "…"}`.

Source: https://www.tensorflow.org/tfx/serving/api_rest; what that leaves open is as
tensorflow/serving's util/json_tensor.cc does it.
"""

import base64
import json

import numpy as np

from ftkeras.serving.refused import Refused, invalid

ROWS, COLUMNS = "predictions", "outputs"


def encode(outputs: dict[str, np.ndarray], form: str) -> bytes:
    """The answer to a predict request: rows or columns, the name left out where there is one."""
    texts = {name: _texts(name, outputs[name]) for name in sorted(outputs)}
    if form == COLUMNS:
        columns = {name: _nested(texts[name], outputs[name].shape) for name in texts}
        value = _object(columns) if len(columns) > 1 else next(iter(columns.values()))
    else:
        value = f"[{', '.join(_rows(texts, outputs))}]"
    return f'{{"{form}": {value}}}'.encode("utf-8", "surrogateescape")


def text(value: bytes) -> str:
    """A string as JSON; bytes that are no UTF-8 go out as they are."""
    return json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False)


def classifications(outputs: dict[str, np.ndarray]) -> bytes:
    """The answer to a classify request: pairs of label and score, by example.

    Args:
        outputs: `classes` string [batch, classes], `scores` float32 [batch, classes], or either.
    """
    for name, array in outputs.items():
        if array.ndim != 2:
            shape = ",".join(map(str, array.shape))
            raise invalid(
                f"Expected Tensor {name} shape: [batch_size num_classes] but got [{shape}]"
            )
    classes, scores = outputs.get("classes"), outputs.get("scores")
    size = (classes if classes is not None else scores).size
    labels = ['""'] * size if classes is None else [text(label) for label in classes.flat]
    numbers = ["0.0"] * size if scores is None else _floats(scores.astype(np.float32).ravel())
    pairs = [f"[{label}, {score}]" for label, score in zip(labels, numbers, strict=True)]
    shape = (classes if classes is not None else scores).shape
    return f'{{"results": {_nested(pairs, shape)}}}'.encode("utf-8", "surrogateescape")


def regressions(values: np.ndarray) -> bytes:
    """The answer to a regress request: a number an example."""
    return f'{{"results": {_nested(_floats(values.ravel()), (values.size,))}}}'.encode()


def _rows(texts: dict[str, list[str]], outputs: dict[str, np.ndarray]) -> list[str]:
    """JSON of each row: an object, or the value itself where there is one output."""
    counts = set()
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if not len(array):
            raise invalid(f"Tensor name: {name} has invalid batch size: 0")
        counts.add(len(array))
        if len(counts) > 1:
            raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)}")
    columns = {name: _parts(texts[name], outputs[name].shape) for name in texts}
    if len(columns) == 1:
        return next(iter(columns.values()))
    return [
        _object(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    ]


def _object(members: dict[str, str]) -> str:
    written = (f"{json.dumps(name)}: {value}" for name, value in members.items())
    return f"{{{', '.join(written)}}}"


def _nested(texts: list[str], shape: tuple[int, ...]) -> str:
    return f"[{', '.join(_parts(texts, shape))}]" if shape else texts[0]


def _parts(texts: list[str], shape: tuple[int, ...]) -> list[str]:
    """JSON of each part along the first dimension."""
    if len(shape) == 1:
        return texts
    step = int(np.prod(shape[1:]))
    return [_nested(texts[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def _texts(name: str, array: np.ndarray) -> list[str]:
    """JSON of each value of a tensor, in order."""
    flat = array.ravel()
    if array.dtype == object:
        if name.endswith("_bytes"):
            return [f'{{"b64": "{base64.b64encode(value).decode()}"}}' for value in flat]
        return [text(value) for value in flat]
    if array.dtype in (np.float32, np.float64):
        return _floats(flat)
    if array.dtype.kind in "iub":
        return [json.dumps(value) for value in flat.tolist()]
    raise Refused(
        "INVALID_ARGUMENT", f"Failed to write JSON value for tensor type: {array.dtype.name}"
    )


def _floats(flat: np.ndarray) -> list[str]:
    """Floats in six digits, or where those are another float, in as many as bring it back."""
    digits = 9 if flat.dtype == np.float32 else 17
    values = flat.tolist()
    texts = [f"{value:.6g}" for value in values]
    back = np.asarray([float(written) for written in texts], flat.dtype)
    for place in np.flatnonzero((back != flat) | ~np.isfinite(flat)):
        texts[place] = f"{values[place]:.{digits}g}"
    return [_SPECIAL.get(written) or _decimal(written) for written in texts]


_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _decimal(written: str) -> str:
    """With a point, so that no reader takes a whole float for an integer."""
    return written if "." in written or "e" in written else f"{written}.0"
