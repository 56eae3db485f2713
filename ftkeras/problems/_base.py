"""The interface of problems.

Problems import TensorFlow and Keras inside the functions that need them: `predict` and `compare`
read answers without either.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from ftkeras.errors import UserError
from ftkeras.problems._collation import per_example
from ftkeras.problems._comparison import Comparison
from ftkeras.problems._distillation import Taught
from ftkeras.problems._explained import Explained
from ftkeras.problems._huggingface import HuggingFaceFiles
from ftkeras.problems._measure import LOSS, Measure
from ftkeras.problems._page import OnPage
from ftkeras.problems._probabilities import Probabilities
from ftkeras.problems._reported import Reported
from ftkeras.problems._token_answers import TokenAnswers
from ftkeras.statistics.bootstrap import Predictions
from ftkeras.support.ragged import Ragged

if TYPE_CHECKING:
    import keras

__all__ = ["LOSS", "SEVERAL_ROWS", "Loss", "Measure", "Problem"]

Tensor = Any
Loss = Callable[[np.ndarray, np.ndarray], Tensor]

# Values of `Problem.reads` with several rows for each example, all of which are in one batch.
SEVERAL_ROWS = ("options", "each_text")


class Problem(
    TokenAnswers,
    HuggingFaceFiles,
    OnPage,
    Probabilities,
    Explained,
    Taught,
    Reported,
    Protocol,
):
    """A question that a model is trained to answer. Inherit from it to get the defaults.

    Attributes:
        kind: what a trained model is called, such as "text classifier".
        names: the names of the outputs, in their order: of the classes, or of the numbers.
        head: the spec of the default head.
        heads: the names of further heads that fit.
        loss: the spec of the default loss.
        loss_settings: arguments of a loss that the problem knows, such as the number of classes.
        weights: those of them that weigh answers, in training alone; see `weigh`.
        losses: the names of the losses that fit.
        loss_arguments: the names of arguments of these that do not fit, and why.
        regularizers: the names of regularizers that do not fit, and why.
        regularizer_arguments: the names of arguments of others that do not fit, and why.
        batchings: the names of batchings that do not fit, and why.
        policies: the names of policies that do not fit, and why.
        metric: the validation metric that selects the best epoch, by default.
        measures: the metrics that may select it instead, the loss among them.
        columns: those of them that tables of splits and folds show.
        reported: the metrics that `epoch_metrics` computes, and their names on a progress bar.
        output: the name of the outputs in predictions and exports, such as "probabilities".
        unit: what one of these outputs is called in messages, such as "a probability".
        has_classes: whether exports have TensorFlow Serving's Classify API.
        one_label: whether the answer to a text is one of several labels, so that those of two texts
            are either the same or not.
        scale: how large the outputs are.
        target_shape, target_dtype: of the answer to one example in the dataset and token store.
        needs_tuning: whether `tune` has to be called before the first metrics of a trained model.
        reads: what the model reads: "texts"; "words" of texts, of which each has an answer, by the
            word's first token; "contexts" with questions, cut into windows, of which each token may
            be part of an answer; "options" of questions, each of which is a row; "each_text" of a
            pair in a row of its own; or "tokens" of texts, some of which are masked and are the
            answers. Answers about words and contexts are stored as bytes, and outputs are
            `WordOutputs` and `ContextOutputs`.
        every_piece: whether the answer about a word is learned by all its tokens.
        masking: the spec of what chooses the tokens to predict, if it reads "tokens"; else None.
        needs_both_sides: whether what follows a token may decide the answer about it, so that a
            causal encoder can't give it.
        truncation: the spec of the default truncation.
        exporters: the names of exporters that do not fit, and why.
        huggingface_class: the key of the family's class of transformers for the model; "encoder" if
            it is the encoder alone.
        pipeline: the name of the problem on the Hugging Face Hub, or None.
        library: the library that loads the model from the Hub.
        hub_metrics: the names of metrics, and those of their implementations on the Hub.
        caveat: what a model card warns of, or None.
    """

    kind: str
    names: tuple[str, ...]
    head: str
    heads: tuple[str, ...] = ()
    loss: str
    losses: tuple[str, ...]
    loss_settings: Mapping[str, Any] = {}
    weights: Mapping[str, Any] = {}
    loss_arguments: Mapping[str, str] = {}
    regularizers: Mapping[str, str] = {}
    regularizer_arguments: Mapping[str, str] = {}
    batchings: Mapping[str, str] = {}
    policies: Mapping[str, str] = {}
    metric: str
    measures: ClassVar[tuple[Measure, ...]]
    columns: tuple[str, ...]
    reported: Mapping[str, str] = {}
    output: str
    unit: str
    has_classes: bool = False
    one_label = False
    scale: float = 1.0
    target_shape: tuple[int, ...] = ()
    target_dtype: str = "int64"
    needs_tuning: bool = False
    reads: str = "texts"
    every_piece: bool = False
    masking: str | None = None
    needs_both_sides: bool = False
    truncation = "head"
    exporters: Mapping[str, str] = {}
    huggingface_class: str = "sequence_classification"
    pipeline: str | None = None
    library: str = "transformers"
    hub_metrics: Mapping[str, str] = {}
    caveat: str | None = None

    def fit(self, targets: np.ndarray) -> None:
        """Learn what the problem needs to know of the training targets, such as their scale."""

    def prior(self, targets: np.ndarray) -> np.ndarray | None:
        """Return the outputs that a new head's bias starts from, by the training targets."""
        return None

    def tune(self, targets: np.ndarray, outputs: np.ndarray) -> None:
        """Choose how outputs become answers, such as thresholds, by the validation split.

        It is called once if `needs_tuning`, with the outputs of the best epoch.
        """

    def state(self) -> dict:
        """Return the state that `fit` and `tune` have learned, JSON types only; empty for none."""
        return {}

    def restore_state(self, state: dict) -> None:
        """Restore what `state` returned."""

    def use_head(self, head: Any) -> None:
        """Learn what losses and answers need of the model's head, such as its transitions."""

    def weigh(self, spec: str, targets: np.ndarray) -> np.ndarray | None:
        """Weigh the answers in the training loss.

        Args:
            spec: balanced, or {'label': weight, …}.
            targets: of the training split.

        Returns:
            The weight of each example, float32 [examples]; None if they are in `weights` instead.

        Raises:
            UserError: if there is nothing to weigh, or `spec` is wrong.
        """
        raise UserError(f"`class_weights` needs classes, which a {self.kind} does not have.")

    def single_class(self, targets: np.ndarray) -> np.ndarray | None:
        """Return the class of each example, integer [examples]; None unless each has just one."""
        return None

    def imbalance(self, targets: np.ndarray) -> list[str]:
        """Return a line for each class that is much rarer than the others."""
        return []

    def collate(self, targets: np.ndarray, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Return the target tensors of a batch and its "example_mask"; see `per_example`."""
        return per_example(targets, positions)

    def condense(self, targets: Tensor, outputs: Tensor) -> Tensor:
        """Return the outputs that an evaluation keeps, in the graph, if it reads "tokens"."""
        raise NotImplementedError

    def are_finite(self, outputs: Any) -> np.ndarray:
        """Return whether all outputs for each example are finite, bool [examples]."""
        return np.isfinite(outputs).all(axis=1)

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        """Return metrics that are computed batch by batch, with the loss.

        They take targets, outputs, and a `sample_weight` that is 0 where there is no example.
        """
        ...

    def divergence(self, outputs: Tensor, others: Tensor) -> Tensor:
        """Return how much two outputs for the same examples differ, [examples]; at least 0."""
        ...

    def entropy(self, outputs: Tensor) -> Tensor:
        """Return how undecided each output is, [examples], if it says probabilities."""
        raise NotImplementedError

    def shortcoming(self, targets: np.ndarray) -> str | None:
        """Return the reason why these targets are useless for training and evaluation, or None."""
        ...

    def distinguish(self, targets: Any) -> np.ndarray:
        """Return integers, [examples], that are equal where the answers are equal."""
        if isinstance(targets, Ragged):
            return targets.numbered()
        return np.unique(targets, axis=0, return_inverse=True)[1]

    def stratum(self, targets: np.ndarray) -> np.ndarray | None:
        """Return the number of each example's stratum, integer [examples], such as its class.

        Splits, folds and samples keep the share of each stratum. None if there are none.
        """
        return None

    def summarize(self, targets: np.ndarray) -> dict:
        """Return the entries of metrics.json about the targets of a split."""
        ...

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the metrics of a split by name, plain JSON; None if one is undefined.

        Args:
            targets: [examples, …].
            outputs: of the model, finite, [examples, outputs].
            loss: targets of a batch, outputs -> mean loss.
        """
        ...

    def details(self, targets: np.ndarray, outputs: np.ndarray) -> dict:
        """Return the entries of metrics.json about the last split beside its metrics."""
        return {}

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return the line of predictions.jsonl of each example, without its id."""
        ...

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        """Return the content of lines of predictions.jsonl, so that runs can be compared.

        Its `scores` hold one number for each example, which paired tests compare.
        """
        ...

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the true answer in a line of predictions.jsonl, under its name there."""
        ...

    def activate(self, outputs: Tensor) -> Tensor:
        """Return the model's outputs as answers in numbers, [batch, outputs], in the graph."""
        ...

    def served(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return the outputs of the signature `serving_default`, in the graph."""
        return {self.output: self.activate(outputs)}

    def classes(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return the outputs of the signature `classify`, in the graph, if `has_classes`."""
        raise NotImplementedError

    def onnx(self, graph: Any, logits: str) -> str:
        """Add the outputs of `activate` to an ONNX graph, and return their name."""
        ...

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's outputs with the run's.

        Args:
            samples: lines of predictions.jsonl.
            outputs: the export's outputs for the same texts, [samples, outputs].
        """
        ...

    def override_threshold(self, threshold: str) -> None:
        """Decide from now on with another threshold than the export's, as the caller asks for.

        Raises:
            UserError: if answers need no threshold, or it can't be read.
        """
        raise UserError(f"`threshold`: the answers of a {self.kind} need none.")

    def compare_served(
        self, samples: Sequence[dict], rows: Sequence[Mapping[str, Any]]
    ) -> Comparison:
        """Compare the outputs of an export's signature `serving_default` with the run's.

        Args:
            samples: lines of predictions.jsonl.
            rows: the outputs for the same texts, by name.
        """
        return self.compare(samples, np.array([row[self.output] for row in rows]))

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a text, plain JSON.

        Args:
            outputs: of the signature `serving_default` for the text, with strings as bytes.
        """
        ...

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return an answer as text, with tabs between its parts."""
        ...

    def answer_columns(self) -> dict[str, type]:
        """Return the columns of answers in a table, str, float or int, by name."""
        ...

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        """Return an answer's value in each of these columns; seven digits are float32's."""
        ...
