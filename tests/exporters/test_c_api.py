"""Run the export in TensorFlow's C++ runtime, which TensorFlow Serving is built on.

The process does not import TensorFlow for Python; see `c_api.py`.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tests.exporters import small

SCRIPT = pathlib.Path(__file__).with_name("c_api.py")
TEXTS = [*small.TEXTS, "Naïve ½ ☃ 電影 ÀÉ".encode()]


def _signature_defs(folder):
    content = (folder / "saved_model.pb").read_bytes()
    return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def


def _inputs(name: str) -> dict[str, list[bytes]]:
    if name != "classify":
        return {"text": TEXTS}
    features = [
        tf.train.Features(
            feature={"text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))}
        )
        for text in TEXTS
    ]
    return {"inputs": [tf.train.Example(features=f).SerializeToString() for f in features]}


@pytest.fixture(scope="module")
def answers(version):
    """Return the outputs of the C API and of Python, by signature and name."""
    model, defs = tf.saved_model.load(str(version)), _signature_defs(version)
    names = [name for name in model.signatures if name != "token_ids"]
    runs = [
        {
            "inputs": {
                defs[name].inputs[key].name: [text.decode("latin-1") for text in texts]
                for key, texts in _inputs(name).items()
            },
            "outputs": [tensor.name for tensor in defs[name].outputs.values()],
        }
        for name in names
    ]
    done = subprocess.run(
        [sys.executable, "-P", str(SCRIPT)],
        input=json.dumps({"folder": str(version), "runs": runs}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    by_c = {
        name: {output: outputs[tensor.name] for output, tensor in defs[name].outputs.items()}
        for name, outputs in zip(names, json.loads(done.stdout), strict=True)
    }
    by_python = {
        name: model.signatures[name](**{k: tf.constant(v) for k, v in _inputs(name).items()})
        for name in names
    }
    return by_c, by_python


@pytest.mark.process
@pytest.mark.parametrize(
    "name", ["serving_default", "classify", "embed", "explain", "token_counts"]
)
def test_c_api_gives_pythons_outputs(answers, name):
    by_c, by_python = (found[name] for found in answers)
    assert set(by_c) == set(by_python)
    for output, expected in by_python.items():
        if expected.dtype == tf.string:
            given = [text.encode("latin-1") for text in np.ravel(by_c[output])]
            assert given == np.ravel(expected).tolist()
        else:
            np.testing.assert_allclose(by_c[output], expected, atol=1e-5)
    assert np.shape(next(iter(by_c.values())))[0] == len(TEXTS)
