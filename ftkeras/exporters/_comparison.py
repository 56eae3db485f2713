"""Compare the predictions of an export with those that the run has recorded."""

import math
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from ftkeras.errors import UserError
from ftkeras.problems import Comparison, Problem
from ftkeras.support import accelerator, bounds, commands
from ftkeras.text.layer import TextLayer
from ftkeras.text.truncations.windows import Windows

BATCH = 16
# Bounds on the change of logits, relative to their spread, by the type of the stored weights. With
# "int8 states", the states are rounded as well, with one scale for a batch.
LOGIT_TOLERANCES = {"float16": 0.02, "bfloat16": 0.15, "int8": 0.25, "int8 states": 0.5}
# Bound on the difference of a probability from the run's where a GPU or TPU is used, with float32
# weights. Those round the factors of products to as few as 8 bits.
ACCELERATOR_TOLERANCE = 2e-2


def exact_tolerance(on_cpu: float) -> float:
    """Return the bound with float32 weights, which is wider than on a CPU on accelerators."""
    return ACCELERATOR_TOLERANCE if accelerator.is_available() else on_cpu


@dataclass(frozen=True)
class Bounds:
    """Bounds on how far an export's predictions may be from the run's; None for no bound.

    Args:
        tolerance: Bound on the difference of an output, in 0 to 1.
        logit_tolerance: Bound on `Comparison.logit_change`; at least 0, or infinite for none.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
    """

    tolerance: float | None = None
    logit_tolerance: float | None = None

    def __post_init__(self):
        if self.tolerance is not None:
            bounds.whole_share(tolerance=self.tolerance)
        if self.logit_tolerance not in (None, math.inf):
            bounds.not_negative(logit_tolerance=self.logit_tolerance)

    @classmethod
    def choose(
        cls,
        stored_in: str,
        exact: float,
        *,
        tolerance: float | None,
        logit_tolerance: float | None,
    ) -> "Bounds":
        """Return the caller's bounds, or the default for how the weights are stored.

        Args:
            stored_in: `float32`, or a key of `LOGIT_TOLERANCES`.
            exact: Default of `tolerance` with float32 weights.
            tolerance: The caller's, or None.
            logit_tolerance: The caller's, or None.
        """
        if tolerance is None and stored_in == "float32":
            tolerance = exact
        if logit_tolerance is None:
            logit_tolerance = LOGIT_TOLERANCES.get(stored_in)
        return cls(tolerance, logit_tolerance)

    def check(
        self,
        comparison: Comparison,
        exporter: str,
        run_dir: pathlib.Path,
        unit: str = "a probability",
    ) -> None:
        """Raise UserError if the predictions differ by more than the bounds.

        Args:
            comparison: Of the export with the run.
            exporter: The exporter's name.
            run_dir: The run's folder.
            unit: What a prediction is called.
        """
        # `not … <=` also refuses NaN, which `>` would accept.
        if self.tolerance is not None and not comparison.largest_difference <= self.tolerance:
            raise UserError(
                f"export={exporter}: {unit} differs by {comparison.largest_difference:.1e} from "
                f"what the run has measured, more than tolerance={self.tolerance:g}; "
                f"{comparison.changes}. If the run was measured on other devices, measure it here: "
                f"{commands.line('evaluate', run_dir=run_dir)}"
            )
        if self.logit_tolerance is not None and not comparison.logit_change <= self.logit_tolerance:
            moves = comparison.moves.format(f"{comparison.logit_change:.2g}")
            raise UserError(
                f"export={exporter}: {moves}, more than logit_tolerance={self.logit_tolerance:g}; "
                f"{comparison.changes}."
            )

    def record(self) -> dict[str, float | None]:
        """Return the entries of export.json."""
        return {"tolerance": self.tolerance, "logit_tolerance": self.logit_tolerance}


def predict(
    samples: list[dict],
    text_layer: TextLayer,
    problem: Problem,
    run: Callable[[str, dict[str, np.ndarray]], np.ndarray],
) -> np.ndarray:
    """Return the outputs, [samples, outputs], of a model that takes token ids.

    Args:
        samples: The run's samples, with `text` and maybe `pair`.
        text_layer: Makes the token ids.
        problem: What the model predicts about a text.
        run: Turns the name of an output, and ids by name, into that output, [rows, outputs].
    """
    starts = range(0, len(samples), BATCH)
    batches = (padded_ids(samples[start : start + BATCH], text_layer) for start in starts)
    truncation = text_layer.truncation
    if not isinstance(truncation, Windows):
        return np.concatenate([np.asarray(run(problem.output, ids)) for ids, _ in batches])
    logits = [
        truncation.combine_outputs(tf.constant(run("logits", ids)), counts)
        for ids, counts in batches
    ]
    return problem.activate(tf.concat(logits, axis=0)).numpy()


def padded_ids(
    samples: list[dict], text_layer: TextLayer
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the samples' `token_ids`, and of pairs `segment_ids`, int32 [rows, length].

    Also returns the rows of each sample, int32 [samples]: several if it is cut into windows.
    """
    columns = [
        [sample[name].encode("utf-8", "surrogateescape") for sample in samples]
        for name in ("text", "pair")
        if name in samples[0]
    ]
    fill = {"token_ids": text_layer.tokenizer.pad_id, "segment_ids": 0}
    rows = text_layer(*map(tf.constant, columns))
    counts = rows.get("window_counts", tf.ones(len(samples), tf.int32))
    padded = {name: rows[name].to_tensor(fill[name]) for name in fill if name in rows}
    return {name: value.numpy() for name, value in padded.items()}, counts.numpy()


class FirstRows(NamedTuple):
    """The ids of samples by name, int32 [samples, length]; of windows those of the first one.

    `is_whole`, bool [samples], is true if there is no other window.
    """

    ids: dict[str, np.ndarray]
    is_whole: np.ndarray


def first_rows(samples: list[dict], text_layer: TextLayer) -> FirstRows:
    """Return one row for each sample."""
    ids, counts = padded_ids(samples, text_layer)
    return FirstRows({n: v[np.cumsum(counts) - counts] for n, v in ids.items()}, counts == 1)
