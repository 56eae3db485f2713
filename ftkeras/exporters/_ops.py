"""Check that a SavedModel uses no ops but those that TensorFlow Serving links.

Source: https://github.com/tensorflow/serving, tensorflow_serving/model_servers/BUILD: server_lib
links `@org_tensorflow//tensorflow/core:tensorflow`, which is core TensorFlow, and
SUPPORTED_TENSORFLOW_OPS, which are `@org_tensorflow_text//tensorflow_text:ops_lib` and the
inference ops of decision forests. https://github.com/tensorflow/text, tensorflow_text/BUILD, has
the ops in ops_lib.
"""

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from ftkeras.errors import UserError

# The ops in ops_lib, except `RoundRobinTrim` and `RoundRobinGenerateMasks`, which released servers
# lack (https://github.com/tensorflow/serving/issues/2267).
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
# Core ops that need a Python interpreter, XLA's compiler or a TPU, which a server lacks.
UNSERVED = re.compile(r"\w*PyFunc\w*|Xla\w*|\w*TPU\w*")


def core() -> frozenset[str]:
    """Return the ops of the installed TensorFlow; each has a function in `tf.raw_ops`."""
    return frozenset(name for name in dir(tf.raw_ops) if name[0].isupper())


def used(folder: pathlib.Path) -> set[str]:
    """Return the ops of a SavedModel, including those in its functions.

    Raises:
        UserError: A function is marked for XLA, which servers on GPUs can't load
            (https://github.com/tensorflow/serving/issues/2214).
    """
    content = (folder / "saved_model.pb").read_bytes()
    names = set()
    for graph in saved_model_pb2.SavedModel.FromString(content).meta_graphs:
        functions = graph.graph_def.library.function
        for function in functions:
            if function.attr["_XlaMustCompile"].b:
                name = function.signature.name
                raise UserError(f"export=saved_model: {name} is compiled by XLA.")
        names |= {node.op for node in _nodes(graph.graph_def)}
        names -= {function.signature.name for function in functions}  # calls of functions
    return names


def unknown(ops: set[str]) -> list[str]:
    """Return the ops that TensorFlow Serving lacks, sorted."""
    known = core() | TEXT
    return sorted(op for op in ops if op not in known or UNSERVED.fullmatch(op))


def _nodes(graph_def: Any) -> Iterator[Any]:
    """Yield the NodeDefs of a GraphDef and of its functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def
