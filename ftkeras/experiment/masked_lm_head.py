"""Start the head that predicts tokens from a checkpoint's own, if it has one."""

import logging
import pathlib
from typing import Any

import numpy as np

from ftkeras.checkpoints import huggingface
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import head_start
from ftkeras.support.protocols import Encoder
from ftkeras.training.finetuner import FineTuner

log = logging.getLogger(__name__)


def check(encoder: Encoder) -> None:
    """Raise UserError if no encoder of this family is pretrained by masked tokens."""
    if encoder.family.masked_lm is None:
        raise UserError(
            f"`encoder`: a {encoder.family.model_type} model can't be pretrained by masked tokens; "
            "use another family, such as bert or roberta."
        )


def start(config: Config, model: FineTuner, folder: pathlib.Path | None) -> None:
    """Assign the checkpoint's own head to the model's, and log what was done.

    Args:
        config: its `head` may demand the checkpoint's head, or a new one.
        model: its encoder has the checkpoint's weights.
        folder: the checkpoint's; None if the encoder starts with random weights.

    Raises:
        UserError: the checkpoint's head is demanded, but it has none.
    """
    wanted = head_start.wanted(config)
    if wanted == "new":
        log.info("head     new, as asked for")
        return
    tensors, reason = {}, _obstacle(folder)
    if folder is not None and reason is None:
        tensors, reason = _tensors(model, folder), f"{folder} has none that predicts tokens"
    if not tensors:
        if wanted == "checkpoint":
            raise UserError(f"head=checkpoint: {reason}; use new.")
        log.info("head     new, because %s", reason)
        return
    for variable in model.head.weights:
        variable.assign(tensors[variable.name])
    log.info("head     the checkpoint's own, for predicting tokens")


def _obstacle(folder: pathlib.Path | None) -> str | None:
    """Return a reason not to read the tensors of a checkpoint's head, or None."""
    if folder is None:
        return "an encoder with random weights has none that predicts tokens"
    if huggingface.read_config(folder).get("tie_word_embeddings", True):
        return None
    return (
        f"{folder} has one whose output embedding is not the token embedding "
        "(tie_word_embeddings is false), which can't be used in this version"
    )


def _tensors(model: FineTuner, folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Return the values of the head's variables by their names; none if a tensor is missing."""
    head, family = model.head, model.encoder.family
    tensors: Any = huggingface.read_tensors(folder)
    names = {family.plain_name(name): name for name in tensors}
    shapes = {variable.name: tuple(variable.shape) for variable in head.weights}
    by_variable = {}
    for rule in family.masked_lm.rules(biases=head.biases):
        arrays = [tensors[names[name]] for name in rule.tensors if name in names]
        if len(arrays) < len(rule.tensors):
            return {}
        by_variable[rule.variable] = np.asarray(rule.join(arrays), "float32")
        if (shape := by_variable[rule.variable].shape) != shapes[rule.variable]:
            raise UserError(
                f"`encoder`: tensor {rule.tensors[0]} of {folder} has shape {shape}, but its "
                f"config.json requires {shapes[rule.variable]}; use files of the same checkpoint."
            )
    return by_variable
