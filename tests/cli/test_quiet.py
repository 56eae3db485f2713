"""TensorFlow and Keras are imported and used without any output, and without scikit-learn."""

import subprocess
import sys

import pytest

CHECKS = """
import sys
from ftkeras.cli import quiet

quiet.import_tensorflow()
assert "keras" in sys.modules and "tensorflow" in sys.modules
assert "sklearn" not in sys.modules
import sklearn.metrics

assert sklearn.metrics.accuracy_score([1, 0], [1, 1]) == 0.5
quiet.import_tensorflow()
assert sys.modules["sklearn"] is sklearn

import tensorflow as tf
traced_for_each_number = tf.function(lambda number: tf.constant(number))
for number in range(20):
    traced_for_each_number(number)
"""


@pytest.mark.process
def test_import_prints_nothing_and_leaves_scikit_learn_for_later():
    done = subprocess.run(
        [sys.executable, "-c", CHECKS], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
