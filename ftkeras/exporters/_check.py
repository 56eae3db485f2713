"""Run as a file, in a process of its own: looks at a SavedModel as a server does, without ftkeras.

Reads from standard input a JSON object: "folder", "samples" (each {"text", maybe "pair",
"probabilities", "label"}), "labels", "ids" (each {"token_ids", …}, of the first samples). Writes to
standard output what it found. TensorFlow and the ops of tensorflow-text are all it needs.
"""

import json
import statistics
import sys
import time

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the ops of the text layer

BATCH = 32
SECONDS, LEAST, MOST = 1.0, 3, 50  # of timing a batch size


def main() -> None:
    told = json.load(sys.stdin)
    model = tf.saved_model.load(told["folder"])
    samples, signatures = told["samples"], model.signatures
    texts = _texts(samples)
    probabilities = _in_batches(signatures["serving_default"], texts)["probabilities"]
    found = {
        **_compared(probabilities, samples, told["labels"]),
        "disagreements": list(_disagreements(signatures, texts, probabilities, told)),
        "latency_ms": {
            f"batch_{size}": _latency(signatures["serving_default"], texts, size)
            for size in (1, BATCH)
        },
    }
    if ours := [name for name in sys.modules if name.split(".")[0] == "ftkeras"]:
        found["disagreements"].append(f"{ours[0]} was needed to load it")
    json.dump(found, sys.stdout)


def _texts(samples: list[dict]) -> dict[str, list[bytes]]:
    names = [name for name in ("text", "pair") if name in samples[0]]
    # Bytes that are no UTF-8 come as lone surrogates.
    return {name: [s[name].encode("utf-8", "surrogateescape") for s in samples] for name in names}


def _in_batches(signature, texts: dict[str, list[bytes]]) -> dict[str, np.ndarray]:
    count = len(texts["text"])
    parts = [
        signature(**{name: tf.constant(t[start : start + BATCH]) for name, t in texts.items()})
        for start in range(0, count, BATCH)
    ]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in parts[0]}


def _compared(probabilities: np.ndarray, samples: list[dict], labels: list[str]) -> dict:
    """How what is served differs from what the run has measured."""
    before = np.array([sample["probabilities"] for sample in samples])
    truth = np.array([labels.index(sample["label"]) for sample in samples])
    said = probabilities.argmax(axis=1)
    return {
        "samples": len(samples),
        "largest_difference": float(np.abs(probabilities - before).max()),
        "same_label": float((said == before.argmax(axis=1)).mean()),
        "accuracy": float((said == truth).mean()),
    }


def _disagreements(signatures, texts, probabilities, told):
    """What is wrong with a signature: each is run, and says what `serving_default` says."""
    few = {name: column[:4] for name, column in texts.items()}
    expected, labels = probabilities[: len(few["text"])], told["labels"]
    tensors = {name: tf.constant(column) for name, column in few.items()}
    examples = tf.constant([_example(**row) for row in _rows(few)])
    ids = {name: tf.constant(value, tf.int32) for name, value in told["ids"].items()}
    inputs = {"token_ids": ids, "classify": {"inputs": examples}}
    for name in signatures:
        answer = {k: v.numpy() for k, v in signatures[name](**inputs.get(name, tensors)).items()}
        figures = answer.get("probabilities", answer.get("scores"))
        if figures is not None and not np.allclose(figures, expected, atol=told["tolerance"]):
            yield f"{name} differs from serving_default by {np.abs(figures - expected).max():.1e}"
        if name == "classify" and answer["classes"].tolist() != [_bytes(labels)] * len(expected):
            yield f"{name} gives classes {answer['classes'].tolist()}"
        for output, value in answer.items():
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                yield f"{name} gives {output} that is no number"
            if value.shape[0] != len(expected):
                yield f"{name} gives {output} of shape {value.shape} for {len(expected)} texts"


def _rows(columns: dict[str, list[bytes]]) -> list[dict[str, bytes]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _example(**texts: bytes) -> bytes:
    def feature(value):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = tf.train.Features(feature={name: feature(text) for name, text in texts.items()})
    return tf.train.Example(features=features).SerializeToString()


def _bytes(labels: list[str]) -> list[bytes]:
    return [label.encode() for label in labels]


def _latency(signature, texts: dict[str, list[bytes]], size: int) -> float:
    """Milliseconds of a batch, the median over batches of the samples, one after the other."""
    count, times = len(texts["text"]), []
    began = time.perf_counter()
    while len(times) < LEAST + 1 or (len(times) < MOST and time.perf_counter() - began < SECONDS):
        at = [(len(times) * size + i) % count for i in range(size)]
        batch = {name: tf.constant([column[i] for i in at]) for name, column in texts.items()}
        start = time.perf_counter()
        signature(**batch)["probabilities"].numpy()
        times.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(times[1:]), 3)  # not the first, which TensorFlow gets ready in


if __name__ == "__main__":
    main()
