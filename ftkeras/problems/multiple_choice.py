"""Multiple choice: which of several options answers a question."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ftkeras.problems import _digits
from ftkeras.problems._base import LOSS, Loss, Measure
from ftkeras.problems._choices_page import ChoicesPage
from ftkeras.problems._comparison import Comparison, compare_choices
from ftkeras.problems._one_of_several import OneOfSeveral, doubt, softmax
from ftkeras.problems._ranks import middle_ranks
from ftkeras.statistics.choice_predictions import ChoicePredictions
from ftkeras.statistics.significance import wilson
from ftkeras.support.absent import LEAST_LOGIT

Tensor = Any
# What the scores of options may differ by that the model can't tell: rounding errors of float32, as
# a share of the largest score, or of 1 if that is larger.
ROUNDING = 1e-6


class MultipleChoice(ChoicesPage, OneOfSeveral):
    """Choose one of the options of a question; their number may vary from question to question.

    An answer is the number of an option, from 0. The outputs are a score for each option,
    [examples, options], whose softmax gives the probabilities. A question with fewer options than
    others has outputs of less than -5,000 for those that it lacks.

    Args:
        labels: the names of the options of the question with the most; what they are does not
            matter, as each option is scored by its text.
    """

    kind = "multiple-choice model"
    head = "multiple_choice"
    loss = "cross_entropy"
    losses = ("cross_entropy",)
    loss_arguments: ClassVar = {
        "label_smoothing": "options that a question lacks would get a share"
    }
    metric = "accuracy"
    measures = (Measure("accuracy"), LOSS, Measure("mrr"))
    columns = ("accuracy", "loss", "mrr")
    reported: ClassVar = {"accuracy": "acc"}
    output, unit = "probabilities", "a probability"
    explains = False
    reads = "options"
    exporters: ClassVar = {
        "onnx": "its graph would take the rows of options, which this version does not write",
        "litert": "its graph would take the rows of options, which this version does not write",
    }
    batchings: ClassVar = {"packed": "all options of a question are in one batch, each in a row"}
    huggingface_class = "multiple_choice"
    pipeline = "multiple-choice"
    hub_metrics: ClassVar = {"accuracy": "accuracy"}
    caveat = "Its probabilities are not calibrated"

    def __init__(self, *, labels: Sequence[str]):
        self.names = tuple(labels)
        self.loss_settings = {"classes": len(self.names)}

    def state(self) -> dict:
        return {"problem": "multiple_choice"}

    def columns_of_teacher(self, names: Sequence[str]) -> list[int] | None:
        """Return all in their order if there are as many, as names of options do not matter."""
        return list(range(len(names))) if len(names) == len(self.names) else None

    def shortcoming(self, targets: np.ndarray) -> str | None:
        """Return None: options are scored by their texts, so answers may all be the first."""
        return None

    def summarize(self, targets: np.ndarray) -> dict:
        """Return how many questions there are, and how many answers are the first option, …."""
        counts = np.bincount(targets, minlength=len(self.names)).tolist()
        return {"examples": len(targets), "answers": counts}

    def metrics(self, targets: np.ndarray, outputs: np.ndarray, loss: Loss) -> dict:
        """Return the accuracy, the loss, and the mean of 1 / rank of the right option.

        `guessing` is the accuracy of choosing an option at random.
        """
        import keras

        chosen = np.arange(outputs.shape[1]) == targets[:, None]
        scale = float(np.abs(outputs[outputs > LEAST_LOGIT]).max(initial=1.0))
        ranks = middle_ranks(outputs, outputs[chosen], chosen, rounding=ROUNDING * scale)
        return {
            "accuracy": float((outputs.argmax(axis=1) == targets).mean()),
            "loss": float(keras.ops.convert_to_numpy(loss(targets, outputs))),
            "mrr": float((1 / ranks).mean()),
            "guessing": float((1 / _counts(outputs)).mean()),
        }

    def distributions(self, answers: np.ndarray) -> np.ndarray:
        return answers[:, None]

    def decode(self, targets: np.ndarray, outputs: np.ndarray) -> list[dict]:
        """Return each question's answer, the chosen option and the probability of each option."""
        rows = zip(targets, softmax(outputs), _counts(outputs), strict=True)
        return [
            {
                "answer": int(answer),
                "predicted": int(probabilities.argmax()),
                "probabilities": [_digits.nine(p) for p in probabilities[:count]],
            }
            for answer, probabilities, count in rows
        ]

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> ChoicePredictions:
        return ChoicePredictions(
            np.array([row["answer"] for row in rows]),
            np.array([row["predicted"] for row in rows]),
            np.array([row["probabilities"][row["answer"]] for row in rows]),
        )

    def truth(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {"answer": row["answer"]}

    def activate(self, outputs: Tensor) -> Tensor:
        import tensorflow as tf

        return tf.nn.softmax(tf.cast(outputs, tf.float32))

    def served_options(self, outputs: Tensor, options: Tensor) -> dict[str, Tensor]:
        """Return the chosen option of each question, and the probabilities of all.

        `label` string [batch], the text of the chosen option; `answer` int32 [batch], its number
        from 0; `score` float32 [batch], its probability; `options` string and `probabilities`
        float32 [batch, options], of all, "" and 0 where a question has no further option.
        """
        import tensorflow as tf

        probabilities = self.activate(outputs)
        best = tf.argmax(outputs, axis=-1, output_type=tf.int32)
        return {
            "label": tf.gather(options, best, batch_dims=1),
            "answer": best,
            "score": tf.reduce_max(probabilities, axis=-1),
            "options": options,
            "probabilities": probabilities,
        }

    def compare(self, samples: Sequence[dict], outputs: np.ndarray) -> Comparison:
        """Compare an export's probabilities with the run's; see `compare_choices`."""
        width = outputs.shape[1]
        lists = [sample["probabilities"] for sample in samples]
        measured = np.array([row + [0.0] * (width - len(row)) for row in lists])
        present = np.arange(width) < np.array([[len(row)] for row in lists])
        truth = np.array([sample["answer"] for sample in samples])
        return compare_choices(measured, outputs, truth, unit="answer", present=present)

    def answer(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the chosen option, its number from 0 and its probability, and those of all."""
        options = [option.decode("utf-8", "replace") for option in outputs["options"]]
        count = max(1, sum(map(bool, options)))
        return {
            "label": outputs["label"].decode("utf-8", "replace"),
            "answer": outputs["answer"],
            "score": outputs["score"],
            "options": options[:count],
            "probabilities": list(outputs["probabilities"][:count]),
        }

    def line(self, answer: Mapping[str, Any]) -> str:
        """Return the chosen option and its probability."""
        return f"{' '.join(answer['label'].split())}\t{answer['score']:.4f}"

    def answer_columns(self) -> dict[str, type]:
        """Return the columns; none is called as those of questions with their answers often are."""
        number = {"predicted_answer": int}
        return {"predicted": str, **number, "score": float, "probabilities": str}

    def answer_cells(self, answer: Mapping[str, Any]) -> tuple:
        """Return the option, its number and probability, and the probabilities of all as JSON."""
        score, *probabilities = map(_digits.seven, (answer["score"], *answer["probabilities"]))
        return answer["label"], int(answer["answer"]), score, json.dumps(probabilities)

    def advice(self, metrics: Mapping[str, Any]) -> list[str]:
        """Return a note if the model's choices are no better than random ones."""
        split = metrics.get("test", metrics.get("validation"))
        if split is None or split["accuracy"] > split["guessing"]:
            return []
        return ["the model chooses no better than at random"]

    def doubt(self, metrics: Mapping[str, Any]) -> str | None:
        return doubt(metrics)

    def misfit(self, config: Mapping[str, Any]) -> str | None:
        return None

    def huggingface_config(self) -> dict:
        return {}

    def describe(self) -> str:
        return (
            f"chooses one of up to {len(self.names)} options. Its second text holds the options, "
            "one in each line"
        )

    def card_metrics(self, metrics: Mapping[str, Any], splits: Sequence[str]) -> str:
        heads = ("split", "questions", "accuracy (95 % interval)", "guessing", "loss")
        lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for split in splits:
            measured = metrics[split]
            low, high = wilson(measured["accuracy"], measured["examples"])
            lines.append(
                f"| {split} | {measured['examples']:,} | {measured['accuracy']:.4f} ({low:.4f} to "
                f"{high:.4f}) | {measured['guessing']:.4f} | {measured['loss']:.4f} |"
            )
        note = "The interval is Wilson's; guessing is the accuracy of random choices."
        return "\n".join([*lines, "", note])


def _counts(outputs: np.ndarray) -> np.ndarray:
    """Return how many options each question has, [examples]."""
    return (~(outputs <= LEAST_LOGIT)).sum(axis=1)  # NaN is an option's output, too
