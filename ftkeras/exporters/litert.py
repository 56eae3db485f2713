"""Export to LiteRT (TensorFlow Lite)."""

import pathlib
import tempfile
import warnings
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ftkeras.exporters import _left_to_caller
from ftkeras.exporters._comparison import Bounds
from ftkeras.exporters._token_ids import TOLERANCE, TokenIdExporter, require_size
from ftkeras.exporters._weights import Weights
from ftkeras.problems import Problem
from ftkeras.runs import exported, metrics, samples
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

MODEL, SIGNATURE = "model.tflite", "token_ids"


class _Model(tf.Module):
    """A module that holds the weights, so that they are saved with its functions."""

    def __init__(self, weights: Weights):
        super().__init__(name="module")
        self.weights = weights


class Litert(TokenIdExporter):
    """Write a LiteRT model that takes token ids: `<run_dir>/litert/model.tflite`.

    Its signature `token_ids` takes `token_ids` int32 [batch, length], padded with the id of [PAD],
    and for pairs `segment_ids` of the same shape. It returns `logits` and `probabilities`, float32
    [batch, classes]. Batch and length may be resized. All its ops are LiteRT's own. The folder also
    holds the vocabulary, labels.txt and export.json. The model is written only if its predictions
    in the interpreter equal those of the run.

    Source: https://ai.google.dev/edge/litert/models/convert_tf.

    Args:
        model: Turns token ids into logits.
        text_layer: Turns texts into token ids, for the check; its vocabulary is written.
        problem: What the model predicts about a text.
        pairs: Whether texts come in pairs.
        run_dir: The run's folder, which holds the texts for the check.
        quantization: 'int8' stores weights as 8-bit integers and multiplies 8-bit integers, with
            the range of each batch found at run time; None keeps float32.
        tolerance: How far a probability may be from the run's, in 0 to 1; None for 1e-4, or with
            quantization for no bound.
        logit_tolerance: How far a logit may move, relative to the spread of the logits (see
            `problems.Comparison`); not negative; None for 0.25 with int8, otherwise no bound.

    Raises:
        ValueError: if an argument is out of bounds; the message names it, its bound and the value.
            If the model is larger than 2 GiB.
    """

    def __init__(
        self,
        *,
        model: FineTuner,
        text_layer: TextLayer,
        problem: Problem,
        pairs: bool,
        run_dir: pathlib.Path,
        quantization: str | None = None,
        tolerance: float | None = None,
        logit_tolerance: float | None = None,
    ):
        if quantization not in (None, "int8"):
            raise ValueError(f"`quantization` must be 'int8' or None. Received: {quantization!r}.")
        require_size(model, "litert", quantization)
        self.model, self.text_layer, self.problem, self.pairs = model, text_layer, problem, pairs
        self.segments = pairs and text_layer.segments
        self.run_dir, self.quantization = run_dir, quantization
        self.bounds = Bounds.choose(
            quantization or "float32",
            TOLERANCE,
            tolerance=tolerance,
            logit_tolerance=logit_tolerance,
        )
        self.message = _left_to_caller.message(text_layer, problem.reads)

    def write(self) -> pathlib.Path:
        """Write the folder and return it.

        Raises:
            UserError: The model does not predict what the run has measured.
        """
        folder, measured = self.run_dir / "litert", samples.read(self.run_dir)
        content = self._convert()
        comparison = self._compare(measured, _runner(content))
        self.bounds.check(comparison, "litert", self.run_dir, self.problem.unit)
        with exported.replacing(folder) as draft:
            (draft / MODEL).write_bytes(content)
            self._write_text_files(draft)
            self._record(draft / MODEL, comparison, metrics.versions())
        return folder

    def _convert(self) -> bytes:
        weights = Weights(self.model)
        module = _Model(weights)
        problem = self.problem
        names = ("token_ids", "segment_ids") if self.segments else ("token_ids",)
        specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}

        def from_ids(**ids: tf.Tensor) -> dict[str, tf.Tensor]:
            logits = weights(ids)[0]
            return {"logits": logits, problem.output: problem.activate(logits)}

        signature = tf.function(from_ids, autograph=False).get_concrete_function(**specs)
        with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
            tf.saved_model.save(module, folder, {SIGNATURE: signature})
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
            if self.quantization:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            return converter.convert()


def _runner(content: bytes) -> Callable[[str, dict[str, np.ndarray]], np.ndarray]:
    """Return a function that runs a model: the name of an output, ids by name -> the output."""
    with warnings.catch_warnings():  # that the interpreter moves to a package of its own
        warnings.simplefilter("ignore")
        runner = tf.lite.Interpreter(model_content=content).get_signature_runner(SIGNATURE)
    return lambda output, ids: runner(**ids)[output]
