"""Export to a SavedModel for TensorFlow Serving."""

import contextlib
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.saved_model import fingerprinting_utils

from ftkeras.errors import UserError
from ftkeras.exporters import Card, _left_to_caller, _ops, _warmup
from ftkeras.exporters._comparison import LOGIT_TOLERANCES, Bounds, Comparison, exact_tolerance
from ftkeras.exporters._signatures import CLASSIFY, ConcreteFunction, Served
from ftkeras.exporters._verification import Verifier
from ftkeras.exporters._weights import DTYPES, Weights
from ftkeras.problems import Problem
from ftkeras.runs import exported, inputs, layout, metrics, samples
from ftkeras.runs import problem as recorded_problem
from ftkeras.support import accelerator, bounds, files
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

# Bound on the difference of a probability from the run's, with float32 weights, for runs measured
# on a CPU, where the check runs.
TOLERANCE = 1e-5
# Rounded weights and rounded products both move the logits; bfloat16 has 8 bits.
ACCELERATOR_LOGIT_TOLERANCE = LOGIT_TOLERANCES["bfloat16"]
STEPS = 32  # of explanations
WITHOUT_WARMUP = "without warm-up requests, which need: pip install 'ftkeras[serve]'"


class SavedModel:
    """Write a SavedModel that takes strings: `<served_from>/<next free version>/`.

    Signatures (tensors, shapes):
        serving_default: `text` string [batch] (with `pair` string [batch] if the task has pairs)
            -> `label` string [batch], `score` float32 [batch], the label's probability, and
            `probabilities` float32 [batch, classes]. Of numbers: `values` float32 and their `names`
            string, both [batch, outputs]. Of several labels, all [batch, labels]: `labels` string,
            those predicted, the most probable first, then empty strings; `names` string,
            `probabilities` and `thresholds` float32, in the labels' own order. Of entities, all
            [batch, entities], padded: `types` and `texts` string, `starts` and `ends` int32, in
            characters, and `scores` float32; and their `count` int32 [batch]. Of questions with
            contexts: see `QuestionAnswering.served_contexts` in `ftkeras/problems`. Of pairs whose
            texts are embedded: `cosine` float32 [batch].
        pair: the same; only if the task has pairs.
        token_ids: `token_ids` int32 [batch, length], padded with the id of [PAD] (with
            `segment_ids` of the same shape) -> `logits` and `probabilities` (or `values`), float32
            [batch, outputs]; of entities [batch, length, tags].
        classify: only of classes; for TensorFlow Serving's Classify API: `inputs` string [batch],
            serialized `tf.Example`s with the features `text` (and `pair`) -> `classes` string and
            `scores` float32 [batch, classes].
        embed: `text` (and `pair`) -> `embedding` float32 [batch, hidden], the input of the head; of
            entities [batch, length, hidden]. Of pairs whose texts are embedded, it takes `text`
            alone and returns its vector, of length 1. Of texts that are cut into windows, the
            windows' inputs are combined as their logits are; of entities there is no such
            signature then.
        explain: only with `explain=True`: `text` (and `pair`) -> the outputs of serving_default;
            `explained` string [batch], the most probable label, or of several numbers the one that
            is the most standard deviations above its mean; `tokens` string and `attributions`
            float32 [batch, length] by integrated gradients; and `gap` float32 [batch], the part of
            its log-odds (or of the number) that they do not account for.

    The model contains the text layer of training. Texts of similar length are read together, padded
    to the longest of them, rounded up to one of a few lengths. Nothing in the model is compiled by
    XLA, which TensorFlow Serving can't load on GPUs (tensorflow/serving#2214), and all its ops
    exist in TensorFlow Serving.
    The folder also holds warm-up requests (if tensorflow-serving-api is installed), `assets/`
    (labels.txt and the vocabulary), model_card.md, run.cfg and export.json.

    The folder appears by a rename, only after a separate process has loaded it with nothing but
    TensorFlow and tensorflow-text, run every signature, and reproduced the run's predictions.

    Args:
        model: Turns token ids into logits.
        text_layer: Turns texts into token ids.
        problem: What the model predicts about a text.
        pairs: Whether texts come in pairs.
        run_dir: The run's folder, which holds the texts for the check.
        served_from: The folder that holds the versions.
        card: The model card.
        force: Whether to write a version whose problem, labels or inputs differ from those of the
            newest.
        dtype: The type that weights are stored in, float32, bfloat16 or float16; they are cast to
            float32 when they are used.
        quantization: 'int8' stores matrices as 8-bit integers with a scale for each channel; None
            does not.
        compute: The type that the network is computed in. bfloat16 and float16, in which its
            weights are then stored too, are faster only on devices that multiply in them. Softmax,
            normalization and outputs are float32.
        explain: Whether to add the signature `explain`.
        steps: Points at which `explain` takes gradients; at least 1; None for 32. Only with it.
        tolerance: How far a probability, or a number in standard deviations, may be from the
            run's, in 0 to 1; None for 1e-5 with
            float32 weights (0.02 if this process uses a GPU or TPU), otherwise no bound.
        logit_tolerance: How far a logit may move, relative to the spread of the logits (see
            `problems.Comparison`); not negative; None for 0.02 with float16, 0.15 with bfloat16,
            0.25 with int8, otherwise no bound.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
        UserError: The newest version has another problem, other labels or inputs.
    """

    def __init__(
        self,
        *,
        model: FineTuner,
        text_layer: TextLayer,
        problem: Problem,
        pairs: bool,
        run_dir: pathlib.Path,
        served_from: pathlib.Path,
        card: Card,
        force: bool = False,
        dtype: str = "float32",
        quantization: str | None = None,
        compute: str = "float32",
        explain: bool = False,
        steps: int | None = None,
        tolerance: float | None = None,
        logit_tolerance: float | None = None,
    ):
        if dtype not in DTYPES:
            raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}.")
        if compute not in DTYPES:
            raise ValueError(
                f"`compute` must be one of {', '.join(DTYPES)}. Received: {compute!r}."
            )
        if quantization not in (None, "int8"):
            raise ValueError(f"`quantization` must be 'int8' or None. Received: {quantization!r}.")
        for name, value in {"dtype": dtype, "compute": compute}.items():
            if quantization and value != "float32":
                raise ValueError(
                    f"`quantization` and `{name}` can't be combined. "
                    f"Received: {quantization!r} and {value!r}."
                )
        if compute != "float32":
            if dtype not in ("float32", compute):
                raise ValueError(
                    "`dtype` must be equal to `compute`, or omitted. "
                    f"Received: {dtype!r} and {compute!r}."
                )
            dtype = compute
        if explain and not problem.explains:
            raise ValueError(
                f"`explain` can't be used with a {problem.kind}. Received: {explain!r}."
            )
        bounds.optional_integer(1, steps=steps)
        if steps is not None and not explain:
            raise ValueError(
                f"`steps` has an effect only with explain=True. Received: steps={steps}."
            )
        if not force:
            exported.require_same_interface(
                served_from, problem.names, kind=problem.kind, pairs=pairs
            )
        self.model, self.text_layer, self.problem, self.pairs = model, text_layer, problem, pairs
        self.run_dir, self.served_from, self.card = run_dir, served_from, card
        self.dtype, self.quantization, self.compute = dtype, quantization, compute
        self.explain_steps = (STEPS if steps is None else steps) if explain else None
        self.bounds = _bounds(quantization or dtype, tolerance, logit_tolerance)
        self.message: str | None = None

    @property
    def is_exact(self) -> bool:
        """True if the weights are stored as they are."""
        return self.dtype == "float32" and self.quantization is None

    def write(self) -> pathlib.Path:
        """Write the next version, verify it, and return its folder.

        Raises:
            UserError: It can't be served, or does not predict what the run has measured.
        """
        measured = samples.read(self.run_dir)
        with files.next_version(self.served_from) as version, Verifier() as verifier:
            served = self._served(
                dtype=self.dtype, quantization=self.quantization, compute=self.compute
            )
            requests = self._save(served, version.draft)
            comparison, latency = self._verify(
                verifier, version.draft, measured, self.bounds, self.compute
            )
            record = {
                "run": exported.path_to_run(version.path, self.run_dir),
                "dtype": self.dtype,
                "quantization": self.quantization,
                "compute": self.compute,
                "bytes": _size(version.draft),
                **comparison.record(),
                "latency_ms": latency,
                **self.bounds.record(),
                "samples_of": measured[0]["id"].rpartition("-")[0],
                "lengths": served.lengths,
                "redaction": _left_to_caller.rules(self.text_layer.redaction),
                "warmup_requests": requests,
                **({} if self.is_exact else {"original": self._measure_original(measured)}),
                "versions": metrics.versions(),
            }
            exported.record(version.draft, record)
        self.message = self._summarize(comparison, record)
        return version.path

    def _summarize(self, comparison: Comparison, record: dict) -> str:
        difference = (
            f"the answers to {comparison.samples} {record['samples_of']} texts differ from the "
            f"run's by at most {comparison.largest_difference:.1e}"
        )
        time = f"{record['latency_ms']['batch_1']:.1f} ms per text on this CPU"
        if not self.is_exact:
            time += f" ({record['original']['latency_ms']['batch_1']:.1f} in float32)"
        return "; ".join(
            [
                difference if self.is_exact else f"{record['samples_of']}: {comparison.summary()}",
                f"{record['bytes'] / 1e6:.1f} MB, {time}",
                *([] if record["warmup_requests"] else [WITHOUT_WARMUP]),
            ]
        )

    def _served(self, **stored: Any) -> Served:
        """Return the module to save; `stored` are arguments of `Weights`."""
        return Served(
            weights=Weights(self.model, **stored),
            text_layer=self.text_layer,
            problem=self.problem,
            pairs=self.pairs,
            explain_steps=self.explain_steps,
        )

    def _save(self, served: Served, folder: pathlib.Path) -> int:
        """Write everything but export.json, and return the number of warm-up requests."""
        signatures = served.signatures()
        with _errors_of_disk(folder.parent):
            tf.saved_model.save(served, str(folder), signatures)
            if CLASSIFY in signatures:
                _rename_method(folder)
        if unknown := _ops.unknown(_ops.used(folder)):
            raise UserError(
                "export=saved_model: the graph has an op that TensorFlow Serving lacks: "
                f"{', '.join(unknown)}."
            )
        assets = folder / "assets"
        self.text_layer.tokenizer.save(assets)
        exported.write_labels(folder / exported.LABELS, self.problem.names)
        files.write_text(folder / layout.MODEL_CARD, self.card.text())
        shutil.copy(self.run_dir / layout.SETTINGS, folder)
        inputs.write(folder, inputs.read(self.run_dir))
        recorded_problem.write(folder, self.problem)
        return self._write_warmup(folder, served, signatures)

    def _write_warmup(
        self, folder: pathlib.Path, served: Served, signatures: Mapping[str, ConcreteFunction]
    ) -> int:
        if not _warmup.is_available():
            return 0
        model = self.served_from.name
        with _errors_of_disk(folder.parent):
            return _warmup.write(folder, served=served, signatures=signatures, model=model)

    def _verify(
        self,
        verifier: Verifier,
        folder: pathlib.Path,
        measured: list[dict],
        bounds: Bounds,
        compute: str = "float32",
    ) -> tuple[Comparison, dict[str, float]]:
        return verifier.verify(
            folder,
            samples=measured,
            problem=self.problem,
            text_layer=self.text_layer,
            bounds=bounds,
            compute=compute,
            run_dir=self.run_dir,
        )

    def _measure_original(self, measured: list[dict]) -> dict:
        """Return the size, predictions and latency of the same export with float32 weights."""
        with tempfile.TemporaryDirectory(prefix="ftkeras-") as name, Verifier() as verifier:
            folder = pathlib.Path(name)
            self._save(self._served(), folder)
            comparison, latency = self._verify(verifier, folder, measured, _bounds("float32"))
            size = _size(folder)
        return {"dtype": "float32", "bytes": size, **comparison.record(), "latency_ms": latency}


def _bounds(
    stored_in: str, tolerance: float | None = None, logit_tolerance: float | None = None
) -> Bounds:
    """Return the caller's bounds, or the defaults, which are wider on accelerators."""
    exact = exact_tolerance(TOLERANCE)
    if accelerator.is_available() and logit_tolerance is None and stored_in != "float32":
        logit_tolerance = max(LOGIT_TOLERANCES[stored_in], ACCELERATOR_LOGIT_TOLERANCE)
    return Bounds.choose(stored_in, exact, tolerance=tolerance, logit_tolerance=logit_tolerance)


@contextlib.contextmanager
def _errors_of_disk(folder: pathlib.Path) -> Iterator[None]:
    """Raise UserError where TensorFlow can't write into a folder, as its disk is full or broken."""
    try:
        yield
    except tf.errors.OpError as error:  # its class and code do not tell a disk's error from others
        reasons = (os.strerror(code) for code in files.OF_DISKS)
        reason = next((one for one in reasons if one in error.message), None)
        if reason is None:
            raise
        raise UserError(
            f"export=saved_model: {folder} can't hold the model ({reason}); free space there, or "
            "choose another `export_dir`."
        ) from error


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _rename_method(folder: pathlib.Path) -> None:
    """Register `classify` for the Classify API; TensorFlow 2 saves all signatures for Predict."""
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    updater.replace_method_name(CLASSIFY, tf.saved_model.CLASSIFY_METHOD_NAME)
    updater.save()
    fingerprinting_utils.write_fingerprint(str(folder))  # the file has changed
