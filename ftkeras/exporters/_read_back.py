"""Read a Hugging Face folder back as a model, to verify what was written."""

import pathlib
from collections.abc import Mapping

import numpy as np

from ftkeras import encoders
from ftkeras.checkpoints import huggingface
from ftkeras.errors import UserError
from ftkeras.training.finetuner import FineTuner

Tensors = Mapping[str, np.ndarray]


def read(folder: pathlib.Path, like: FineTuner, wanted: str | None) -> FineTuner:
    """Return the model that a folder holds, which computes in float32.

    Args:
        folder: written for transformers.
        like: the model that was written. What the folder lacks, the head and its pooler, is taken
            from there.
        wanted: the key of the family's class of transformers; None for an encoder without a head.

    Raises:
        UserError: the files do not fit each other.
    """
    family, tensors = like.encoder.family, huggingface.read_tensors(folder)
    head = type(like.head).from_config({**like.head.get_config(), "dtype": "float32"})
    encoder = encoders.build(folder, pooler=like.encoder.pooler, dtype="float32")
    model = FineTuner(encoder=encoder, head=head, pad_id=like.pad_id)
    if wanted is None:
        values = {variable.name: variable.numpy() for variable in like.head.weights}
    elif head.needs_vocabulary:
        rules = family.masked_lm.rules(biases=head.biases)
        values = {rule.variable: rule.join([tensors[n] for n in rule.tensors]) for rule in rules}
        tensors = _without(tensors, [name for rule in rules for name in rule.tensors])
    else:
        name = family.classifier_name(wanted)
        weight, bias = f"{name}.weight", f"{name}.bias"
        values = {"kernel": tensors[weight].T}
        # Without one, the head's bias is in the encoder; see `Family.final_bias`.
        values["bias"] = tensors[bias] if family.has_bias(wanted) else np.zeros(head.outputs)
        tensors = _without(tensors, [weight, bias])
    for variable in head.weights:
        variable.assign(values[variable.name])
    if encoder.load(tensors, source=str(folder)):
        assert encoder.pool is not None, "its tensors are missing"
        for variable, own in zip(encoder.pool.weights, like.encoder.pool.weights, strict=True):
            variable.assign(own)
    return model


def require_equal(model: FineTuner, like: FineTuner) -> None:
    """Raise UserError unless two models have the same weights."""
    for read, own in zip(model.saved_variables, like.saved_variables, strict=True):
        if not np.array_equal(read.numpy(), own.numpy()):
            raise UserError(
                f"export=huggingface: {own.path} is not what it is in the run when it is read back."
            )


def _without(tensors: Tensors, names: list[str]) -> Tensors:
    return {name: value for name, value in tensors.items() if name not in names}
