"""The base class of exporters whose models take token ids."""

import math
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ftkeras.exporters import _left_to_caller
from ftkeras.exporters._comparison import Bounds, predict
from ftkeras.problems import Comparison, Problem
from ftkeras.runs import exported
from ftkeras.runs import problem as recorded_problem
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

TOLERANCE = 1e-4  # of a probability, with float32 weights
# Of all weights: a protobuf or flatbuffer has less than 2 GiB, and some of it is no weight.
MOST_BYTES = 2**31 - 2**24


def require_size(model: FineTuner, exporter: str, quantization: str | None) -> None:
    """Raise ValueError if a model is larger than its file can be.

    Args:
        model: Its weights are written.
        exporter: The exporter's name.
        quantization: 'int8' if they take one byte each instead of four.
    """
    count = sum(math.prod(variable.shape) for variable in model.saved_variables)
    if (size := count * (1 if quantization else 4)) > MOST_BYTES:
        smaller = "" if quantization else f"{exporter}(quantization='int8') or "
        raise ValueError(
            f"{count:,} weights are {size / 2**30:.1f} GiB, but {exporter} files have less than "
            f"2 GiB; use {smaller}saved_model."
        )


class TokenIdExporter:
    """Compare a model that takes token ids with the run, and write what belongs to it.

    Attributes:
        text_layer: Turns texts into token ids.
        problem: What the model predicts about a text.
        quantization: 'int8' or None.
        bounds: How far predictions may be from the run's.
        message: A line about the result, or None.
    """

    text_layer: TextLayer
    problem: Problem
    quantization: str | None
    bounds: Bounds
    message: str | None

    def _compare(
        self,
        measured: list[dict[str, Any]],
        run: Callable[[str, dict[str, np.ndarray]], np.ndarray],
    ) -> Comparison:
        """Compare the written model's predictions with those that the run has measured.

        Args:
            measured: The run's samples.
            run: See `_comparison.predict`.
        """
        outputs = predict(measured, self.text_layer, self.problem, run)
        return self.problem.compare(measured, outputs)

    def _write_text_files(self, folder: pathlib.Path) -> None:
        """Write what turns texts into token ids, and outputs into answers."""
        self.text_layer.tokenizer.save(folder)
        _left_to_caller.write(folder, self.text_layer)
        exported.write_labels(folder / exported.LABELS.name, self.problem.names)
        recorded_problem.write(folder, self.problem)

    def _record(
        self,
        model: pathlib.Path,
        comparison: Comparison,
        versions: Mapping[str, str],
        **about: Any,
    ) -> None:
        """Write export.json, when all other files are there; add to `message` what int8 changes.

        Args:
            model: The path of the model, in the folder of the export.
            comparison: Of the model with the run.
            versions: Of the packages.
            about: Further entries, which come first.
        """
        size = model.stat().st_size
        entries = {
            **about,
            "bytes": size,
            "quantization": self.quantization,
            **comparison.record(),
            **self.bounds.record(),
            "versions": versions,
        }
        exported.record(model.parent, entries)
        if self.quantization:
            notes = [comparison.summary(), f"{size / 1e6:.1f} MB", self.message]
            self.message = "; ".join(filter(None, notes))
