import pathlib
import tempfile
import warnings

import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.exporters._sample_ids import largest_difference
from ftkeras.exporters._weights import Weights
from ftkeras.runs import metrics, samples
from ftkeras.support import files

SIGNATURE = "token_ids"
TOLERANCES = {None: 1e-4, "int8": 1e-1}


class Litert:
    """A LiteRT (TensorFlow Lite) model, `<run_dir>/litert/model.tflite`, that takes token ids.

    Its signature `token_ids` takes `token_ids` int32 [batch, length], padded with the id of [PAD]
    (with `segment_ids`, likewise, where the task has pairs), and gives `logits` and
    `probabilities`, float32 [batch, classes]; batch and length may be resized. All its ops are
    LiteRT's own. Beside it lie the vocabulary, labels.txt and export.json. It is kept only where
    the interpreter gives the run's texts the probabilities that the run has measured.

    Source: https://ai.google.dev/edge/litert/models/convert_tf.

    Args:
        model: token ids to logits.
        text_layer: texts to token ids, for the check; its vocabulary is written.
        labels: a class's name by its index.
        pairs: whether texts come in pairs.
        run_dir: the run's folder, with the texts to check by.
        quantization: 'int8' stores weights in bytes and multiplies in bytes, each batch's range
            found on the way; None does not.
        tolerance: how far a probability may be from the run's, in 0 to 1; None for 1e-4, with
            int8 0.1.

    Raises:
        ValueError: naming the argument, its bound and the value received.
    """

    message: str | None = None

    def __init__(
        self,
        *,
        model,
        text_layer,
        labels,
        pairs: bool,
        run_dir: pathlib.Path,
        quantization: str | None = None,
        tolerance: float | None = None,
    ):
        if quantization not in TOLERANCES:
            raise ValueError(f"`quantization` must be 'int8' or None. Received: {quantization!r}.")
        if tolerance is not None and not 0 <= tolerance <= 1:
            raise ValueError(f"`tolerance` must lie in 0 to 1. Received: {tolerance!r}.")
        self.model, self.text_layer, self.labels, self.pairs = model, text_layer, labels, pairs
        self.run_dir, self.quantization = run_dir, quantization
        self.tolerance = TOLERANCES[quantization] if tolerance is None else tolerance

    def write(self) -> pathlib.Path:
        """Writes the folder and returns it."""
        folder, kept = self.run_dir / "litert", samples.read(self.run_dir)
        content = self._converted()
        difference = self._difference(content, kept)
        with files.replacing(folder / "model.tflite") as beside:
            beside.write_bytes(content)
        self.text_layer.tokenizer.save(folder)
        files.write_text(folder / "labels.txt", "\n".join(self.labels) + "\n")
        record = {
            "bytes": len(content),
            "quantization": self.quantization,
            "samples": len(kept),
            "largest_difference": difference,
            "tolerance": self.tolerance,
            "versions": metrics.versions(),
        }
        files.write_json(folder / "export.json", record)
        return folder

    def _converted(self) -> bytes:
        served = tf.Module()
        served.weights = weights = Weights(self.model)
        names = ("token_ids", "segment_ids") if self.pairs else ("token_ids",)
        specs = {name: tf.TensorSpec([None, None], tf.int32, name) for name in names}

        def of_ids(**ids):
            logits = weights(ids)[0]
            return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

        signature = tf.function(of_ids, autograph=False).get_concrete_function(**specs)
        with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
            tf.saved_model.save(served, folder, {SIGNATURE: signature})
            converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
            if self.quantization:
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            return converter.convert()

    def _difference(self, content: bytes, kept: list[dict]) -> float:
        with warnings.catch_warnings():  # of its move to a package of its own
            warnings.simplefilter("ignore")
            run = tf.lite.Interpreter(model_content=content).get_signature_runner(SIGNATURE)
        difference = largest_difference(
            kept, self.text_layer, lambda ids: run(**ids)["probabilities"]
        )
        if difference > self.tolerance:
            raise UserError(
                f"export=litert: in the interpreter a probability is {difference:.1e} from what "
                f"the run has measured, over {self.tolerance:g}."
            )
        return difference
