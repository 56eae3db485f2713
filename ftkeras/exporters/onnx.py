import importlib.util
import pathlib

from ftkeras.errors import UserError
from ftkeras.exporters import _onnx_graph
from ftkeras.exporters._sample_ids import largest_difference
from ftkeras.runs import metrics, samples
from ftkeras.support import files


class Onnx:
    """An ONNX model, `<run_dir>/onnx/model.onnx`, that takes token ids.

    `token_ids` int32 [batch, length], padded with the id of [PAD] (with `segment_ids`, likewise,
    where the task has pairs) -> `logits` and `probabilities`, float32 [batch, classes]. Beside it
    lie the vocabulary, labels.txt and export.json. It is kept only where onnxruntime gives the
    run's texts the probabilities that the run has measured.

    Source: https://onnx.ai/onnx/operators/, opset 20. Needs `pip install 'ftkeras[onnx]'`.

    Args:
        model: its encoder and head are written.
        text_layer: texts to token ids, for the check; its vocabulary is written.
        labels: a class's name by its index.
        pairs: whether texts come in pairs.
        plain: whether the model is an encoder and a head, and nothing that a policy added.
        run_dir: the run's folder, with the texts to check by.
        tolerance: how far a probability may be from the run's; in 0 to 1.

    Raises:
        ValueError: the model has parts that are not written, or the tolerance is out of bounds.
        UserError: the extra is not installed.
    """

    message: str | None = None

    def __init__(
        self,
        *,
        model,
        text_layer,
        labels,
        pairs: bool,
        plain: bool,
        run_dir: pathlib.Path,
        tolerance: float = 1e-4,
    ):
        if not plain:
            raise ValueError("an encoder with adapters is not written as ONNX.")
        if not 0 <= tolerance <= 1:
            raise ValueError(f"`tolerance` must lie in 0 to 1. Received: {tolerance!r}.")
        if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime")):
            raise UserError("--export=onnx needs: pip install 'ftkeras[onnx]'")
        self.model, self.text_layer, self.labels, self.pairs = model, text_layer, labels, pairs
        self.run_dir, self.tolerance = run_dir, tolerance

    def write(self) -> pathlib.Path:
        """Writes the folder and returns it."""
        import onnx

        folder, kept = self.run_dir / "onnx", samples.read(self.run_dir)
        written = _onnx_graph.classifier(onnx, self.model, pairs=self.pairs)
        onnx.checker.check_model(written)
        with files.replacing(folder / "model.onnx") as beside:
            onnx.save_model(written, beside)
            difference = self._difference(beside, kept)
        self.text_layer.tokenizer.save(folder)
        files.write_text(folder / "labels.txt", "\n".join(self.labels) + "\n")
        record = {
            "bytes": (folder / "model.onnx").stat().st_size,
            "samples": len(kept),
            "largest_difference": difference,
            "tolerance": self.tolerance,
            "versions": metrics.versions("onnx", "onnxruntime"),
        }
        files.write_json(folder / "export.json", record)
        return folder

    def _difference(self, path: pathlib.Path, kept: list[dict]) -> float:
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        difference = largest_difference(
            kept, self.text_layer, lambda ids: session.run(["probabilities"], ids)[0]
        )
        if difference > self.tolerance:
            raise UserError(
                f"export=onnx: in onnxruntime a probability is {difference:.1e} from what the "
                f"run has measured, over {self.tolerance:g}."
            )
        return difference
