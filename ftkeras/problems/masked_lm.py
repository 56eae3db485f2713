"""Masked language modelling: predict tokens of a text that were masked."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._distillation import DISTILLATIONS
from ftkeras.problems._one_of_several import OneOfSeveral
from ftkeras.statistics.token_predictions import TokenPredictions
from ftkeras.support.ragged import Ragged

if TYPE_CHECKING:
    import keras

Tensor = Any
_NOT_EXPORTED = "it predicts tokens that a masking has chosen, which only training knows"
# Columns of the output of `condense`, for each masked token.
LOSSES, HITS = 0, 1


class MaskedLm(OneOfSeveral):
    """Predict the tokens of a text that a masking has chosen, from all others.

    The targets are the token ids themselves, so the data needs no labels. The masking chooses other
    tokens in every epoch; in evaluation it always chooses the same. Outputs of an evaluation are
    the loss of each masked token, and whether the most probable token is the right one, `Ragged`
    [examples, (tokens), 2]: logits of a whole vocabulary would fill the memory.

    Args:
        labels: the name of the output.
        masking: the spec of the masking.
    """

    kind = "masked language model"
    head = "masked_lm"
    loss = "cross_entropy"
    losses = ("cross_entropy",)
    loss_arguments: ClassVar = {"label_smoothing": "the perplexity is that of the plain loss"}
    regularizers: ClassVar = dict.fromkeys(
        DISTILLATIONS, "a teacher would answer with a vocabulary for each token"
    )
    metric = "loss"
    measures = (
        LOSS,
        Measure("accuracy"),
        Measure("perplexity", lower_is_better=True, limits=(1.0, math.inf)),
    )
    columns = ("loss", "accuracy", "perplexity")
    reported: ClassVar = {"accuracy": "acc", "perplexity": "ppl"}
    output, unit = "losses", "a loss"
    explains = False
    reads = "tokens"
    needs_both_sides = True
    truncation = "windows(overlap=0)"
    exporters: ClassVar = dict.fromkeys(("saved_model", "onnx", "litert"), _NOT_EXPORTED)
    huggingface_class = "masked_lm"
    pipeline = "fill-mask"
    hub_metrics: ClassVar = {n: n for n in ("accuracy", "perplexity")}

    def __init__(self, *, labels: Sequence[str] = ("token",), masking: str = "tokens"):
        self.names, self.masking = tuple(labels), masking

    def state(self) -> dict:
        return {"problem": "masked_lm", "masking": self.masking}

    def restore_state(self, state: dict) -> None:
        self.masking = state["masking"]

    def epoch_metrics(self) -> "list[keras.metrics.Metric]":
        import keras
        from keras import ops

        from ftkeras.losses.cross_entropy import CrossEntropy

        class Perplexity(keras.metrics.MeanMetricWrapper):
            def result(self) -> Tensor:
                return ops.exp(super().result())

        def losses(targets: Tensor, outputs: Tensor) -> Tensor:
            return CrossEntropy().call(targets, ops.cast(outputs, "float32"))

        # In float64 the sums are exact, so a resumed run has the same mean.
        return [*super().epoch_metrics(), Perplexity(losses, name="perplexity", dtype="float64")]

    def condense(self, targets: Tensor, outputs: Tensor) -> Tensor:
        """Return the loss of each masked token, and 1 if it is the most probable one, else 0."""
        from keras import ops

        from ftkeras.losses.cross_entropy import CrossEntropy

        hits = ops.equal(ops.argmax(outputs, axis=-1), ops.cast(targets, "int32"))
        losses = CrossEntropy().call(targets, outputs)
        return ops.stack([losses, ops.cast(hits, losses.dtype)], axis=-1)

    def are_finite(self, outputs: Ragged) -> np.ndarray:
        return np.array([np.isfinite(values).all() for values in outputs])

    def shortcoming(self, targets: np.ndarray) -> str | None:
        return None

    def summarize(self, targets: np.ndarray) -> dict:
        return {"examples": len(targets)}

    def metrics(self, targets: np.ndarray, outputs: Ragged, loss: Loss) -> dict:
        """Return the means over all masked tokens: loss, accuracy, and perplexity = exp(loss)."""
        values = outputs.flat()
        mean, accuracy = values.mean(axis=0, dtype=np.float64) if len(values) else (0.0, 0.0)
        perplexity = math.exp(min(float(mean), 700.0))
        return {
            "loss": float(mean),
            "accuracy": float(accuracy),
            "perplexity": perplexity,
            "masked": len(values),
        }

    def decode(self, targets: np.ndarray, outputs: Ragged) -> list[dict]:
        """Return how many tokens of each text were masked and found, and their summed loss."""
        return [
            {
                "masked": len(values),
                "found": int(values[:, HITS].sum()),
                "loss": round(float(values[:, LOSSES].sum(dtype=np.float64)), 6),
            }
            for values in outputs
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> TokenPredictions:
        columns = ("masked", "found", "loss")
        return TokenPredictions(*(np.array([row[name] for row in rows]) for name in columns))

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"masked": row["masked"]}

    def report(self, metrics: Mapping[str, Any], split: str, file: str) -> list[str]:
        masked = metrics[split]["masked"]
        return ["", f"means over {masked:,} masked tokens of {split}; perplexity = exp(loss)"]

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return None

    def huggingface_config(self) -> dict:
        return {"tie_word_embeddings": True}

    def describe(self) -> str:
        return "predicts tokens that are masked"

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        lines = ["| split | texts | masked tokens | accuracy | perplexity |", f"|{'---|' * 5}"]
        for split in splits:
            measured = metrics[split]
            counts = f"{measured['examples']:,} | {measured['masked']:,}"
            shown = f"{measured['accuracy']:.4f} | {measured['perplexity']:.2f}"
            lines.append(f"| {split} | {counts} | {shown} |")
        return "\n".join([*lines, "", f"Tokens were masked by `{self.masking}`."])
