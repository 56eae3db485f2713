import pathlib
import shutil
import tempfile
from collections.abc import Callable

import tensorflow as tf
from tensorflow.python.saved_model import fingerprinting_utils

from ftkeras.errors import UserError
from ftkeras.exporters import _ops, _warmup
from ftkeras.exporters._signatures import CLASSIFY, Served
from ftkeras.exporters._verification import verify
from ftkeras.exporters._weights import DTYPES, Weights
from ftkeras.runs import layout, metrics, samples
from ftkeras.support import accelerator, files

# How far a served probability may be from the run's, by what the weights are stored in.
TOLERANCES = {"float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2, "int8": 1e-1}
# Of float32 where the run was measured on a GPU or TPU: their matrix products round their factors
# to as little as 8 bits, and the check runs on a CPU.
ACCELERATED = 2e-2


class SavedModel:
    """A SavedModel that takes strings: `<served_from>/<next free version>/`.

    Signatures (tensors, shapes):
        serving_default: `text` string [batch] (with `pair` string [batch], where the task has
            pairs) -> `label` string [batch], `score` float32 [batch], the label's probability,
            `probabilities` float32 [batch, classes].
        pair: the same, there only where the task has pairs.
        token_ids: `token_ids` int32 [batch, length], padded with the id of [PAD] (with
            `segment_ids`, likewise) -> `logits`, `probabilities` float32 [batch, classes].
        classify: TensorFlow Serving's Classify API: `inputs` string [batch], serialized
            `tf.Example`s with the features `text` (and `pair`) -> `classes` string and `scores`
            float32 [batch, classes].
        embed: `text` (and `pair`) -> `embedding` float32 [batch, hidden], what the head reads.
        explain: with `explain=True`: `text` (and `pair`) -> what serving_default gives, `tokens`
            string and `attributions` float32 [batch, length], by integrated gradients, and `gap`
            float32 [batch], what they are short of in all.

    The text layer that trained is the one inside; a batch is padded to its longest text, rounded up
    to one of few lengths. Nothing in it is compiled by XLA, which TF Serving on GPUs can't load
    (tensorflow/serving#2214), and no op is one that TF Serving has not. Beside it lie warm-up
    requests, `assets/` (labels.txt, the vocabulary), model_card.md, run.cfg and export.json.

    The folder appears whole, by a rename, and only when TensorFlow and tensorflow-text alone have
    loaded it in a process of their own, every signature ran, and texts of the run had the
    probabilities that the run has measured.

    Args:
        model: token ids to logits.
        text_layer: texts to token ids.
        labels: a class's name by its index.
        pairs: whether texts come in pairs.
        run_dir: the run's folder, with the texts to check by.
        served_from: the folder that holds the versions.
        card: gives the model card.
        dtype: what weights are stored in, float32, bfloat16 or float16; they are cast to float32
            where they are used.
        quantization: 'int8' stores matrices in bytes, a scale a channel; None does not.
        explain: whether there is an `explain` signature.
        steps: points at which it takes gradients; at least 1.
        tolerance: how far a probability may be from the run's; None for 1e-5, and for what
            rounds the weights more.

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
        served_from: pathlib.Path,
        card: Callable[[], str],
        dtype: str = "float32",
        quantization: str | None = None,
        explain: bool = False,
        steps: int = 32,
        tolerance: float | None = None,
    ):
        if dtype not in DTYPES:
            raise ValueError(f"`dtype` must be one of {', '.join(DTYPES)}. Received: {dtype!r}.")
        if quantization not in (None, "int8"):
            raise ValueError(f"`quantization` must be 'int8' or None. Received: {quantization!r}.")
        if quantization and dtype != "float32":
            raise ValueError("`quantization` and `dtype` are two ways to store; take one of them.")
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
            raise ValueError(f"`steps` must be an integer of at least 1. Received: {steps!r}.")
        if tolerance is not None and not 0 <= tolerance <= 1:
            raise ValueError(f"`tolerance` must lie in 0 to 1. Received: {tolerance!r}.")
        self.model, self.text_layer, self.labels, self.pairs = model, text_layer, labels, pairs
        self.run_dir, self.served_from, self.card = run_dir, served_from, card
        self.dtype, self.quantization = dtype, quantization
        self.explain_steps = steps if explain else None
        self.tolerance = _tolerance(quantization or dtype) if tolerance is None else tolerance

    def write(self) -> pathlib.Path:
        """Writes the next version, checks it, and returns its folder."""
        kept = samples.read(self.run_dir)
        with files.next_version(self.served_from) as version:
            served = self._served(dtype=self.dtype, quantization=self.quantization)
            requests = self._save(served, version.draft)
            checked = self._verified(version.draft, kept, self.tolerance)
            record = {
                "dtype": self.dtype,
                "quantization": self.quantization,
                "bytes": _size(version.draft),
                **checked,
                "tolerance": self.tolerance,
                "samples_of": kept[0]["id"].rpartition("-")[0],
                "lengths": served.lengths,
                "warmup_requests": requests,
                **self._original(kept),
                "versions": metrics.versions(),
            }
            files.write_json(version.draft / "export.json", record)
        self.message = (
            f"{record['samples']} texts of {record['samples_of']} within "
            f"{record['largest_difference']:.1e} of the run; {record['bytes'] / 1e6:.1f} MB, "
            f"{record['latency_ms']['batch_1']:.1f} ms a text on this CPU"
        )
        return version.path

    def _served(self, **stored) -> Served:
        return Served(
            weights=Weights(self.model, **stored),
            text_layer=self.text_layer,
            labels=self.labels,
            pairs=self.pairs,
            explain_steps=self.explain_steps,
        )

    def _save(self, served: Served, folder: pathlib.Path) -> int:
        """Fills the folder with all but export.json; returns how many warm-up requests."""
        signatures = served.signatures()
        tf.saved_model.save(served, str(folder), signatures)
        _rename_method(folder)
        if unknown := _ops.unknown(_ops.used(folder)):
            raise UserError(
                f"export=saved_model: TensorFlow Serving has no op {', '.join(unknown)}, which "
                "the graph holds."
            )
        assets = folder / "assets"
        self.text_layer.tokenizer.save(assets)
        files.write_text(assets / "labels.txt", "\n".join(self.labels) + "\n")
        files.write_text(folder / "model_card.md", self.card())
        shutil.copy(self.run_dir / layout.SETTINGS, folder)
        return _warmup.write(
            folder, served=served, signatures=signatures, model=self.served_from.name
        )

    def _verified(self, folder: pathlib.Path, kept: list[dict], tolerance: float) -> dict:
        return verify(
            folder,
            samples=kept,
            labels=self.labels,
            text_layer=self.text_layer,
            tolerance=tolerance,
        )

    def _original(self, kept: list[dict]) -> dict:
        """What the same model in float32 comes to, measured alike, to set a smaller one beside."""
        if self.dtype == "float32" and self.quantization is None:
            return {}
        with tempfile.TemporaryDirectory(prefix="ftkeras-") as folder:
            folder = pathlib.Path(folder)
            self._save(self._served(), folder)
            checked = self._verified(folder, kept, _tolerance("float32"))
            return {"original": {"dtype": "float32", "bytes": _size(folder), **checked}}


def _tolerance(stored_in: str) -> float:
    tolerance = TOLERANCES[stored_in]
    return max(tolerance, ACCELERATED) if accelerator.is_available() else tolerance


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _rename_method(folder: pathlib.Path) -> None:
    """Has `classify` answer to the Classify API; TensorFlow 2 saves all for Predict."""
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(str(folder))
    updater.replace_method_name(CLASSIFY, tf.saved_model.CLASSIFY_METHOD_NAME)
    updater.save()
    fingerprinting_utils.write_fingerprint(str(folder))  # that of the file as it now is
