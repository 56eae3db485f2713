"""The ops of a SavedModel, and whether TensorFlow Serving has them."""

import pytest
import tensorflow as tf
import tensorflow_text

from ftkeras.errors import UserError
from ftkeras.exporters import _ops


def _saved(folder, function, *specs, **options):
    module = tf.Module()
    module.f = tf.function(function, input_signature=specs, **options)
    tf.saved_model.save(module, str(folder), signatures=module.f)
    return folder


TEXT, NUMBER = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.float32)


def test_ops_of_tensorflow_and_of_the_text_library_are_known(tmp_path):
    def words(text):
        return {"n": tensorflow_text.WhitespaceTokenizer().tokenize(text).row_lengths()}

    used = _ops.used(_saved(tmp_path, words, TEXT))
    assert "TFText>WhitespaceTokenizeWithOffsetsV2" in used
    assert _ops.unknown(used) == []


def test_python_in_the_graph_is_found(tmp_path):
    def python(x):
        return {"y": tf.numpy_function(lambda y: y + 1, [x], tf.float32)}

    assert _ops.unknown(_ops.used(_saved(tmp_path, python, NUMBER))) == ["PyFunc"]


def test_op_within_a_branch_is_found(tmp_path):
    def branch(x):
        def rows():
            trimmer = tensorflow_text.RoundRobinTrimmer(max_seq_length=2)
            return trimmer.trim([tf.RaggedTensor.from_row_splits(x, [0, 1])])[0].flat_values

        return {"y": tf.cond(tf.size(x) > 0, rows, lambda: x)}

    assert _ops.unknown(_ops.used(_saved(tmp_path, branch, NUMBER))) == ["TFText>RoundRobinTrim"]


def test_function_that_xla_compiles_is_refused(tmp_path):
    folder = _saved(tmp_path, lambda x: {"y": x + 1}, NUMBER, jit_compile=True)
    with pytest.raises(UserError, match="compiled by XLA"):
        _ops.used(folder)


@pytest.mark.parametrize("op", ["Pyfunc2", "XlaConv", "TPUExecute", "EagerPyFunc", "NoSuchOp"])
def test_op_that_servers_lack_is_found(op):
    assert _ops.unknown({"MatMul", op}) == [op]


def test_installed_text_library_registers_every_listed_op():
    from tensorflow.python.framework import op_def_registry

    missing = [op for op in _ops.TEXT if op_def_registry.get(op) is None]
    assert missing == []
