"""Export to a folder for Hugging Face transformers and the Hub."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ftkeras.checkpoints import huggingface
from ftkeras.errors import UserError
from ftkeras.exporters import Card, _left_to_caller, _read_back
from ftkeras.exporters._comparison import Bounds, exact_tolerance
from ftkeras.exporters._run_saved_model import answers
from ftkeras.exporters._signatures import Served
from ftkeras.exporters._token_ids import TOLERANCE
from ftkeras.problems import Problem
from ftkeras.runs import exported, metrics, samples
from ftkeras.support import files
from ftkeras.text.layer import TextLayer
from ftkeras.training.finetuner import FineTuner

# The key of the class of transformers without a head.
ENCODER = "encoder"
CUT_BY_CALLER = "transformers keeps the beginning of a long text; the caller cuts it as {} does"
NO_LICENSE = "README.md names no license, as none is known; add one before you publish the folder"


class Huggingface:
    """Write a folder that transformers can load in PyTorch: `<run_dir>/huggingface/`.

    With the head, it is the family's sequence classifier, such as `BertForSequenceClassification`,
    or token classifier. Its README.md has the metadata of a model card, so the folder can be pushed
    to the Hub. A sequence classifier pools like `pooling='pooled'`. With another pooling, export
    only the encoder, such as `BertModel`, with `head=False`. For sentence embeddings, the encoder
    is written with the files that sentence-transformers needs.

    The folder is kept only if a model that is read back from its files gives the run's answers; an
    encoder alone, below the run's own head. Of a model that predicts masked tokens, whose answers
    depend on what is masked, the weights must be the run's.

    Args:
        model: Its encoder and head are written.
        text_layer: Its vocabulary and maximum length are written.
        problem: What the model predicts about a text.
        pairs: Whether texts come in pairs.
        plain: Whether the model is an encoder and a head, without layers that a policy added.
        run_dir: The run's folder, which holds the texts for the check.
        card: The model card.
        head: Whether to write the classifier.
        tolerance: How far a probability, or a number in standard deviations, may be from the
            run's, in 0 to 1; None for 1e-4 (0.02 if this process uses a GPU or TPU).

    Raises:
        ValueError: transformers has no class for the model, or `tolerance` is out of bounds.
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
        head: bool = True,
        tolerance: float | None = None,
    ):
        if not plain:
            raise ValueError("transformers has no class for an encoder with adapters.")
        family, wanted = model.encoder.family, problem.huggingface_class
        classifies = head and wanted != ENCODER
        if classifies and not (model.head.per_token or model.head.needs_pooler):
            raise ValueError(
                f"transformers has no class for pooling={model.head.pooling!r}; "
                "huggingface(head=False) exports the encoder alone."
            )
        if classifies and model.head.own_part:
            raise ValueError(
                f"transformers has no class with {model.head.own_part}; huggingface(head=False) "
                "exports the encoder alone."
            )
        if classifies and wanted in family.no_class:
            raise ValueError(
                f"transformers has no {family.class_name(wanted)}; huggingface(head=False) exports "
                "the encoder alone."
            )
        if classifies and (other := _difference(model, wanted)):
            raise ValueError(
                f"transformers' {family.class_name(wanted)} has {other}; huggingface(head=False) "
                "exports the encoder alone."
            )
        tolerance = exact_tolerance(TOLERANCE) if tolerance is None else tolerance
        self.bounds = Bounds(tolerance)
        self.model, self.text_layer, self.problem, self.pairs = model, text_layer, problem, pairs
        self.run_dir, self.folder, self.card = run_dir, run_dir / "huggingface", card
        self.head, self.classifies = head, classifies
        self.message: str | None = None

    def write(self) -> pathlib.Path:
        """Write the folder and return it.

        Raises:
            UserError: The model that is read back does not predict what the run has measured.
        """
        measured = [] if self.model.head.needs_vocabulary else samples.read(self.run_dir)
        with exported.replacing(self.folder) as draft:
            self.save(draft)
            record = {"bytes": (draft / huggingface.WEIGHTS).stat().st_size}
            record |= self._verify(draft, measured)
            exported.record(draft, {**record, "versions": metrics.versions("safetensors")})
        return self.folder

    def save(self, folder: pathlib.Path) -> None:
        """Write what transformers reads into an empty folder, without verifying it."""
        encoder, family = self.model.encoder, self.model.encoder.family
        config, tensors = encoder.huggingface_config(), encoder.tensors()
        if not encoder.first_position:  # otherwise it also is where positions start
            config["pad_token_id"] = self.model.pad_id
        if self.classifies:
            config |= self._classifier_config()
            tensors = {family.name_below_head(name): value for name, value in tensors.items()}
            if self.model.head.needs_vocabulary:
                tensors |= self._masked_lm_tensors()
            else:
                tensors |= self._classifier_tensors(tensors)
        else:
            config["architectures"] = [family.classes[ENCODER]]
            tensors = {n: value for n, value in tensors.items() if not family.belongs_to_head(n)}
        if self.head:
            self._write_about_answers(folder)
        _left_to_caller.write(folder, self.text_layer)
        self.text_layer.tokenizer.save(
            folder,
            max_length=self.text_layer.max_length,
            segments=encoder.segments > 0,
            cut_side=self.text_layer.truncation.cut_side,
        )
        huggingface.write(folder, config=config, tensors=tensors)

    def _write_about_answers(self, folder: pathlib.Path) -> None:
        """Write the card and the problem's own files, which an encoder alone does not need."""
        files.write_text(folder / "README.md", self.card.hub_header() + self.card.text())
        truncation = self.text_layer.truncation
        notes = [
            _left_to_caller.message(self.text_layer, self.problem.reads),
            None if truncation.cut_side else CUT_BY_CALLER.format(_left_to_caller.spec(truncation)),
            None if self.card.license() else NO_LICENSE,
        ]
        self.message = "; ".join(filter(None, notes)) or None
        sizes = self.model.encoder.hidden, self.text_layer.max_length
        for name, content in self.problem.huggingface_files(*sizes).items():
            (folder / name).parent.mkdir(exist_ok=True)
            files.write_json(folder / name, content)

    def _verify(self, folder: pathlib.Path, measured: list[dict]) -> dict[str, Any]:
        """Compare the model in a folder with the run; return the entries of export.json.

        The model that is read is on the CPU, as a GPU may not have the memory for another one.
        """
        with tf.device("CPU:0"):
            return self._compare(folder, measured)

    def _compare(self, folder: pathlib.Path, measured: list[dict]) -> dict[str, Any]:
        wanted = self.problem.huggingface_class if self.classifies else None
        again = _read_back.read(folder, self.model, wanted)
        if self.model.head.needs_vocabulary:
            _read_back.require_equal(again, self.model)
            return {}
        served = Served(
            weights=lambda inputs: (again.head(*again.features(inputs), training=False),),
            text_layer=self.text_layer,
            problem=self.problem.huggingface_problem() if self.classifies else self.problem,
            pairs=self.pairs,
        )
        rows = answers(served.serving_default(), measured)
        comparison = self.problem.compare_served(measured, rows)
        self.bounds.check(comparison, "huggingface", self.run_dir, self.problem.unit)
        return {**comparison.record(), **self.bounds.record()}

    def _classifier_config(self) -> dict:
        name = self.model.encoder.family.class_name(self.problem.huggingface_class)
        return {"architectures": [name], **self.problem.huggingface_config()}

    def _masked_lm_tensors(self) -> dict[str, np.ndarray]:
        """Return the tensors of the head that predicts tokens; its kernel is the embedding."""
        head, tensors = self.model.head, {}
        values = {variable.name: variable.numpy() for variable in head.weights}
        for rule in self.model.encoder.family.masked_lm.rules(biases=head.biases):
            tensors |= rule.split(values[rule.variable])
        return tensors

    def _classifier_tensors(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the classifier's tensors, and another one if that must hold its bias."""
        head, family = self.model.head, self.model.encoder.family
        wanted = self.problem.huggingface_class
        name = family.classifier_name(wanted)
        kernel, bias = self.problem.huggingface_classifier(head.kernel.numpy(), head.bias.numpy())
        classifier = {f"{name}.weight": np.ascontiguousarray(kernel.T)}
        if family.has_bias(wanted):
            return {**classifier, f"{name}.bias": bias}
        final = family.name_below_head(family.final_bias)
        return {**classifier, final: _with_bias(tensors[final], kernel, bias)}


def _difference(model: FineTuner, wanted: str) -> str | None:
    """Return the part of the class of transformers that the model lacks, or None."""
    family, head = model.encoder.family, model.head
    if head.needs_vocabulary:
        return None
    if head.per_token:
        return "layers that the head lacks" if family.layers_of_tokens else None
    return None if family.pools_for(wanted) else "another pooler"


def _with_bias(shift: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Return s so that kernel' s = kernel' shift + bias, the nearest to the shift.

    Args:
        shift: what is added to the states that a classifier reads, [hidden].
        kernel: the classifier's, [hidden, outputs].
        bias: the classifier's, [outputs].

    Raises:
        UserError: there is none, because columns of the kernel depend on one another.

    >>> _with_bias(np.array([1.0, 2.0]), np.array([[2.0], [0.0]]), np.array([6.0]))
    array([4., 2.])
    """
    wide = kernel.astype("float64")
    change = np.linalg.lstsq(wide.T, bias.astype("float64"), rcond=None)[0]
    if not np.allclose(wide.T @ change, bias, rtol=0, atol=1e-6):
        raise UserError(
            "export=huggingface: transformers' class has no bias, and the head's can't be "
            "expressed by its kernel; huggingface(head=False) exports the encoder alone."
        )
    return (shift + change).astype(shift.dtype)
