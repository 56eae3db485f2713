"""The ops that TensorFlow Serving links, and whether a SavedModel keeps to them.

Source: https://github.com/tensorflow/serving, tensorflow_serving/model_servers/BUILD: server_lib
links `@org_tensorflow//tensorflow/core:tensorflow`, which is core TensorFlow, and
SUPPORTED_TENSORFLOW_OPS, which are `@org_tensorflow_text//tensorflow_text:ops_lib` and the
inference ops of decision forests. https://github.com/tensorflow/text, tensorflow_text/BUILD, has
what is in ops_lib.
"""

import pathlib
import re
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ftkeras.errors import UserError

# What ops_lib registers, without `RoundRobinTrim` and `RoundRobinGenerateMasks`, which servers in
# use lack (https://github.com/tensorflow/serving/issues/2267).
TEXT = {
    *("CaseFoldUTF8", "ConstrainedSequence", "FastBertNormalize"),
    *("FastWordpieceTokenizeWithOffsets", "FindSourceOffsets", "MaxSpanningTree"),
    *("NormalizeUTF8", "NormalizeUTF8WithOffsetsMap", "PhraseTokenize", "RegexSplitWithOffsets"),
    *("RougeL", "SentenceFragments", "SentenceFragmentsV2", "SentencepieceDetokenizeOp"),
    *("SentencepieceIdToStringOp", "SentencepieceOp", "SentencepieceStringToIdOp"),
    *("SentencepieceTokenizeOp", "SentencepieceTokenizeWithOffsetsOp"),
    *("SentencepieceVocabSizeOp", "SplitMergeTokenizeWithOffsets", "TFText>BoiseTagsToOffsets"),
    *("TFText>ByteSplitByOffsets", "TFText>ByteSplitWithOffsets"),
    *("TFText>FastSentencepieceDetokenize", "TFText>FastSentencepieceTokenize"),
    *("TFText>FastWordpieceDetokenize", "TFText>NgramsStringJoin", "TFText>OffsetsToBoiseTags"),
    *("TFText>PhraseDetokenize", "TFText>Utf8Binarize"),
    *("TFText>WhitespaceTokenizeWithOffsetsV2", "TokenizerFromLogits"),
    *("UnicodeScriptTokenizeWithOffsets", "WhitespaceTokenizeWithOffsets"),
    "WordpieceTokenizeWithOffsets",
}
# Core ops that want a Python interpreter, XLA's compiler or a TPU, which a server has not.
UNSERVED = re.compile(r"\w*PyFunc\w*|Xla\w*|\w*TPU\w*")


def core() -> frozenset[str]:
    """The ops of core TensorFlow, of the version that exports: one a public raw op."""
    return frozenset(name for name in dir(tf.raw_ops) if name[0].isupper())


def used(folder: pathlib.Path) -> set[str]:
    """The ops of a SavedModel, those of its functions included.

    Raises:
        UserError: a function is to be compiled by XLA, which servers on GPUs can't load
            (https://github.com/tensorflow/serving/issues/2214).
    """
    content = (folder / "saved_model.pb").read_bytes()
    found = set()
    for graph in saved_model_pb2.SavedModel.FromString(content).meta_graphs:
        functions = graph.graph_def.library.function
        for function in functions:
            if function.attr["_XlaMustCompile"].b:
                name = function.signature.name
                raise UserError(f"export=saved_model: {name} is to be compiled by XLA.")
        found |= {node.op for node in _nodes(graph.graph_def)}
        found -= {function.signature.name for function in functions}  # a call by its name
    return found


def unknown(ops: set[str]) -> list[str]:
    """Which of the ops TensorFlow Serving has not, sorted."""
    known = core() | TEXT
    return sorted(op for op in ops if op not in known or UNSERVED.fullmatch(op))


def _nodes(graph_def) -> Iterator:
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def
