"""Run a SavedModel as a server does: a script for a process of its own, without ftkeras.

It reads a JSON object from standard input: "folder", "samples" (each with "text" and maybe "pair"),
"labels", "output" (the name of the outputs that signatures share), "tolerance" (how far these may
differ between two signatures, which may pad texts differently), "count" (the samples that every
signature is run on), "ids" ("token_ids" and maybe "segment_ids", of these samples), and "whole"
(whether the ids of each are its whole text). It writes to standard output the outputs of
`serving_default` for the samples, the latency, and what is wrong with the signatures. It needs
nothing but TensorFlow and the ops of tensorflow-text, not even Keras.
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import statistics
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

# A server has no Keras. Without it, TensorFlow's import takes half the time: this empty module is
# found where TensorFlow looks for Keras, and has none of what it would import from there.
if __name__ == "__main__":
    no_keras = types.ModuleType("keras")
    no_keras.__spec__ = importlib.machinery.ModuleSpec("keras", None, origin="keras")
    sys.modules["keras"] = no_keras

import tensorflow as tf

BATCH = 32
# A batch size is timed for this many seconds, within these numbers of runs.
SECONDS, FEWEST_RUNS, MOST_RUNS = 1.0, 3, 50

Texts = dict[str, list[bytes]]
Signature = Callable[..., Mapping[str, tf.Tensor]]


def main() -> None:
    """Read the request, run the model and write the findings."""
    request = json.load(sys.stdin)
    _load_text_ops()
    findings = find(request)
    if ours := [name for name in sys.modules if name.split(".")[0] == "ftkeras"]:
        findings["disagreements"].append(f"{ours[0]} was needed to load it")
    json.dump(findings, sys.stdout)


def find(request: dict) -> dict:
    """Run the model, and return what is written to standard output."""
    signatures = tf.saved_model.load(request["folder"]).signatures
    texts = _columns(request["samples"])
    default = signatures["serving_default"]
    rows = _in_batches(default, texts)
    return {
        "rows": rows,
        "disagreements": list(_disagreements(signatures, texts, rows, request)),
        "latency_ms": {f"batch_{size}": _latency(default, texts, size) for size in (1, BATCH)},
    }


def answers(signature: Signature, samples: list[dict]) -> list[dict]:
    """Return a signature's outputs for each of the samples, by name."""
    return _in_batches(signature, _columns(samples))


def _load_text_ops() -> None:
    """Register the ops of tensorflow-text; its Python package would import Keras."""
    spec = importlib.util.find_spec("tensorflow_text")
    assert spec is not None, "tensorflow-text is not installed"
    for folder in spec.submodule_search_locations or ():
        for library in sorted(pathlib.Path(folder, "python", "ops").glob("*.so")):
            tf.load_op_library(str(library))


def _columns(samples: list[dict]) -> Texts:
    names = [name for name in ("text", "pair") if name in samples[0]]
    # Bytes that are not UTF-8 arrive as lone surrogates.
    return {name: [s[name].encode("utf-8", "surrogateescape") for s in samples] for name in names}


def _in_batches(signature: Signature, texts: Texts) -> list[dict]:
    """Return the outputs for each text by name, with strings as text."""
    rows = []
    for start in range(0, len(texts["text"]), BATCH):
        batch = {name: tf.constant(t[start : start + BATCH]) for name, t in texts.items()}
        outputs = {name: _plain(value.numpy()) for name, value in signature(**batch).items()}
        columns = zip(*outputs.values(), strict=True)
        rows += [dict(zip(outputs, values, strict=True)) for values in columns]
    return rows


def _plain(array: np.ndarray) -> list:
    if array.dtype == object:
        array = np.vectorize(lambda value: value.decode("utf-8", "replace"), [object])(array)
    return array.tolist()


def _disagreements(
    signatures: Mapping[str, Signature], texts: Texts, rows: list[dict], request: dict
) -> Iterator[str]:
    """Run every signature on a few samples, and yield how it differs from `serving_default`."""
    count, tolerance = request["count"], request["tolerance"]
    few, name_of_output = {k: column[:count] for k, column in texts.items()}, request["output"]
    # Answers of varying size have no such output.
    is_shared = name_of_output in rows[0]
    expected = np.array([row[name_of_output] for row in rows[:count]]) if is_shared else None
    classes = [[label.encode() for label in request["labels"]]] * count
    inputs = {
        "token_ids": {k: tf.constant(ids, tf.int32) for k, ids in request["ids"].items()},
        "classify": {"inputs": tf.constant([_example(row) for row in _rows(few)])},
    }
    tensors = {name: tf.constant(column) for name, column in few.items()}
    for name, signature in signatures.items():
        given = inputs.get(name) or {k: tensors[k] for k in _arguments(signature)}
        outputs = {k: v.numpy() for k, v in signature(**given).items()}
        received = outputs.get(name_of_output, outputs.get("scores"))
        if received is not None and expected is not None:
            is_same_text = np.array(request["whole"]) if name == "token_ids" else slice(None)
            received, wanted = received[is_same_text], expected[is_same_text]
            if not np.allclose(received, wanted, atol=tolerance):
                largest = np.abs(received - wanted).max()
                yield f"{name} differs from serving_default by {largest:.1e}"
        if name == "classify" and outputs["classes"].tolist() != classes:
            yield f"{name} gives classes {outputs['classes'].tolist()}"
        for output, value in outputs.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                yield f"{name} gives {output} that is not finite"
            if value.shape[0] != count:
                yield f"{name} gives {output} of shape {value.shape} for {count} texts"


def _arguments(signature: Any) -> list[str]:
    return list(signature.structured_input_signature[1])


def _rows(columns: Texts) -> list[dict[str, bytes]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _example(texts: dict[str, bytes]) -> bytes:
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
        for name, text in texts.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _latency(signature: Signature, texts: Texts, size: int) -> float:
    """Return the median milliseconds of a batch of this size, taken from the samples in turn."""
    count, times = len(texts["text"]), []
    start = time.perf_counter()
    while len(times) <= FEWEST_RUNS or (
        len(times) < MOST_RUNS and time.perf_counter() - start < SECONDS
    ):
        chosen = [(len(times) * size + i) % count for i in range(size)]
        batch = {name: tf.constant([column[i] for i in chosen]) for name, column in texts.items()}
        batch_start = time.perf_counter()
        for output in signature(**batch).values():
            output.numpy()
        times.append(1000 * (time.perf_counter() - batch_start))
    return round(statistics.median(times[1:]), 3)  # the first run includes TensorFlow's set-up


if __name__ == "__main__":
    main()
