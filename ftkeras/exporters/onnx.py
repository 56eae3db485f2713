"""Export to ONNX."""

import importlib.util
import pathlib
from collections.abc import Callable

import numpy as np

from ftkeras.errors import UserError
from ftkeras.exporters import Card, _left_to_caller, _onnx_graph
from ftkeras.exporters._comparison import Bounds
from ftkeras.exporters._onnx_int8 import Int8Graph
from ftkeras.exporters._signatures import Served
from ftkeras.exporters._token_ids import TOLERANCE, TokenIdExporter, require_size
from ftkeras.problems import Problem
from ftkeras.runs import exported, inputs, layout, metrics, samples
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import files
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

MODEL = "model.onnx"


class Onnx(TokenIdExporter):
    """Write an ONNX model that takes token ids: `<run_dir>/onnx/model.onnx`.

    Its inputs are `token_ids` int32 [batch, length], padded with the id of [PAD], and for pairs
    `segment_ids` of the same shape. Its outputs are `logits` and `probabilities`, float32
    [batch, classes]. The folder also holds what `serve` needs to answer texts with it: the
    tokenizer's files, labels.txt, inputs.json, model_card.md, and export.json with how texts are
    read. The model is written only if its probabilities in onnxruntime equal those of the run.

    Source: https://onnx.ai/onnx/operators/, opset 20. Needs `pip install 'ftkeras[onnx]'`.

    Args:
        model: Its encoder and head are written.
        text_layer: Turns texts into token ids, for the check; its vocabulary is written.
        problem: What the model predicts about a text.
        pairs: Whether texts come in pairs.
        plain: Whether the model is an encoder and a head, without layers that a policy added.
        run_dir: The run's folder, which holds the texts for the check.
        card: The model card.
        quantization: 'int8' stores matrices as 8-bit integers with a scale for each channel, and
            multiplies 8-bit integers, with the range of each batch found at run time; None does
            not.
        tolerance: How far a probability may be from the run's, in 0 to 1; None for 1e-4, or with
            quantization for no bound.
        logit_tolerance: How far a logit may move, relative to the spread of the logits (see
            `problems.Comparison`); not negative; None for 0.5 with int8, otherwise no bound.

    Raises:
        ValueError: The model has layers that can't be written, or is larger than 2 GiB; or naming
            the argument, its bound and the value received.
        UserError: The extra is not installed.
    """

    def __init__(
        self,
        *,
        model: FineTuner,
        text_layer: TextLayer,
        problem: Problem,
        pairs: bool,
        plain: bool,
        run_dir: pathlib.Path,
        card: Card,
        quantization: str | None = None,
        tolerance: float | None = None,
        logit_tolerance: float | None = None,
    ):
        if not plain:
            raise ValueError("an encoder with adapters can't be written as ONNX.")
        if quantization not in (None, "int8"):
            raise ValueError(f"`quantization` must be 'int8' or None. Received: {quantization!r}.")
        require_size(model, "onnx", quantization)
        self.bounds = Bounds.choose(
            "int8 states" if quantization else "float32",
            TOLERANCE,
            tolerance=tolerance,
            logit_tolerance=logit_tolerance,
        )
        if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime")):
            raise UserError("export=onnx needs: pip install 'ftkeras[onnx]'")
        self.model, self.text_layer, self.problem, self.pairs = model, text_layer, problem, pairs
        self.segments = pairs and text_layer.segments
        self.run_dir, self.card, self.quantization = run_dir, card, quantization
        self.message = _left_to_caller.message(text_layer, problem.reads)

    def write(self) -> pathlib.Path:
        """Write the folder and return it.

        Raises:
            UserError: The model does not predict what the run has measured.
        """
        import onnx

        folder, measured = self.run_dir / "onnx", samples.read(self.run_dir)
        graph = Int8Graph(onnx) if self.quantization else _onnx_graph.Graph(onnx)
        written = _onnx_graph.build(graph, self.model, self.problem, segments=self.segments)
        onnx.checker.check_model(written)
        with exported.replacing(folder) as draft:
            model = draft / MODEL
            onnx.save_model(written, model)
            comparison = self._compare(measured, _runner(model))
            self.bounds.check(comparison, "onnx", self.run_dir, self.problem.unit)
            self._write_text_files(draft)
            inputs.write(draft, inputs.read(self.run_dir))
            files.write_text(draft / layout.MODEL_CARD, self.card.text())
            self._record(
                model,
                comparison,
                metrics.versions("onnx", "onnxruntime"),
                run=exported.path_to_run(folder, self.run_dir),
                reads={"pairs": self.pairs, **_left_to_caller.settings(self.text_layer)},
            )
        return folder


def _runner(path: pathlib.Path) -> Callable[[str, dict[str, np.ndarray]], np.ndarray]:
    """Return a function that runs a model: the name of an output, ids by name -> the output."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda output, ids: np.asarray(session.run([output], ids)[0])


def read(folder: pathlib.Path) -> Served:
    """Return a module that answers with an exported folder: text layer, and model in onnxruntime.

    Its answers are those of the run's SavedModel, whose signatures it has, except `embed` and
    `explain`: they need more of the network than the model returns.

    Raises:
        UserError: onnxruntime is not installed, the folder does not record how texts are read, or
            a file that it lists is missing or damaged.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise UserError("serve of an ONNX model needs: pip install 'ftkeras[onnx]'")
    from ftkeras.exporters._onnx_network import OnnxNetwork

    record = files.read_json(folder / layout.EXPORT_RECORD)
    if "reads" not in record:
        raise UserError(
            f"{folder / layout.EXPORT_RECORD} does not say how texts are read, as those of this "
            "version do; export the run again."
        )
    if missing := [name for name in record["files"] if not (folder / name).is_file()]:
        raise UserError(f"{folder} lacks {', '.join(missing)}, which its export has written.")
    reads = record["reads"]
    labels = exported.read_label_file(folder / exported.LABELS.name)
    return Served(
        weights=OnnxNetwork(folder / MODEL),
        text_layer=_left_to_caller.restore(folder, reads),
        problem=recorded_problem.read(folder, labels),
        pairs=reads["pairs"],
    )
