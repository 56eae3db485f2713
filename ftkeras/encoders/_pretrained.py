"""Build an encoder from a checkpoint in Hugging Face's files."""

import functools
import logging
import os
import pathlib
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import keras

from ftkeras.checkpoints import huggingface
from ftkeras.encoders._family import Family
from ftkeras.errors import UserError
from ftkeras.support import lazy
from ftkeras.support.layer_hooks import LayerHooks

if TYPE_CHECKING:
    from ftkeras.encoders._encoder import TransformerEncoder

log = logging.getLogger(__name__)

PACKAGE = __name__.rpartition(".")[0]


def from_pretrained(
    encoder: str | os.PathLike[str],
    *,
    pooler: bool = True,
    dropout: float | None = None,
    attention_dropout: float | None = None,
    seed: int | None = None,
    hooks: LayerHooks | None = None,
    name: str | None = None,
    dtype: Any = None,
    trainable: bool = True,
) -> "TransformerEncoder":
    """Return an encoder with the weights of a checkpoint, a layer for any Keras model.

    Args:
        encoder: a folder with config.json and weights, or a Hugging Face Hub id such as
            `roberta-base`, which is downloaded unless it is in the cache.
        pooler: whether the encoder has a pooler. If the checkpoint has none, its weights are
            random.
        dropout: rate on embeddings and sub-layers' outputs, in [0, 1); None for the checkpoint's.
        attention_dropout: rate on attention probabilities, in [0, 1); None for the checkpoint's.
        seed: integer that determines new weights and dropout, or None.
        hooks: where policies and regularizers act inside the encoder; None for a new one.
        name: of the layer; None for one that Keras chooses.
        dtype: its dtype or dtype policy, such as "mixed_bfloat16"; None for Keras's global one.
        trainable: whether its weights train.

    Returns:
        A layer that turns token ids into a dict: "sequence" [batch, length, hidden], "first" and,
        with a pooler, "pooled" [batch, hidden]. Its class is the family's, such as
        `ftkeras.encoders.Roberta`. `ftkeras.text.from_pretrained` returns the layer that turns
        texts into its inputs.

    Raises:
        UserError: there is no such checkpoint, or this package does not implement its model.
    """
    of_layer = {"name": name, "dtype": dtype, "trainable": trainable}
    keras.layers.Layer(**of_layer)  # refuses a wrong one by its name
    folder = huggingface.resolve(os.fspath(encoder))
    rates = {"dropout": dropout, "attention_dropout": attention_dropout}
    given = {name: rate for name, rate in rates.items() if rate is not None}
    built = build(folder, **given, pooler=pooler, seed=seed, hooks=hooks, **of_layer)
    load_weights(built, folder)
    return built


def build(
    folder: pathlib.Path, *, family: str | None = None, **arguments: Any
) -> "TransformerEncoder":
    """Return the encoder that a folder's config.json describes, with all weights 0.

    Args:
        folder: the checkpoint's.
        family: the name of its family, if `family_name` has found it already.
        **arguments: of the family's class, instead of those that config.json gives.

    Raises:
        UserError: config.json is missing, or this package does not implement its model.
    """
    config = huggingface.read_config(folder)
    cls = _class(family or family_name(config, folder))
    try:
        return cls(**{**cls.settings(config), **arguments}, initial="zeros")
    except (ValueError, TypeError) as error:
        named = re.match(r"`(\w+)`", str(error))
        if named and named[1] in arguments:
            raise UserError(str(error)) from error
        raise UserError(f"`encoder`: {folder}/config.json: {_in_theirs(error, cls)}") from error


def _in_theirs(error: Exception, cls: "type[TransformerEncoder]") -> str:
    """Return the message of an error, with the names that config.json has for the arguments."""
    theirs = {ours: theirs for theirs, ours, _ in cls.family.fields}
    return re.sub(r"`(\w+)`", lambda match: f"`{theirs.get(match[1], match[1])}`", str(error))


def require_padding(encoder: "TransformerEncoder", in_texts: Collection[int], source: str) -> None:
    """Raise UserError if config.json takes a token of every text for the padding token.

    In RoBERTa and its relatives, the first token is in the row behind that of the padding token,
    as the model was trained. The tokenizer may pad with another token, which has no position.

    Args:
        encoder: the encoder.
        in_texts: the special tokens of a text, which are no padding.
        source: the folder or the name of the checkpoint.
    """
    if encoder.first_position and encoder.pad_id in in_texts:
        raise UserError(
            f"`encoder`: config.json of {source} has pad_token_id={encoder.pad_id}, but that token "
            "is in every text. Positions are counted from pad_token_id, so set it to the id of the "
            "padding token that the model was trained with, such as 1 for roberta-base."
        )


def load_weights(encoder: "TransformerEncoder", folder: pathlib.Path) -> None:
    """Assign a checkpoint's weights; report those that it does not have.

    Raises:
        UserError: tensors are missing or unexpected, or a shape differs.
    """
    if choice := huggingface.describe_choice(folder):
        log.info("%s", choice)
    for fresh in encoder.load(huggingface.read_tensors(folder), source=str(folder)):
        log.info(f"randomly initialized, because the checkpoint does not have it: {fresh}")


def family_name(config: Mapping[str, Any], folder: pathlib.Path, default: str = "") -> str:
    """Return the name of the family's file, such as `xlm_roberta`.

    Args:
        config: the content of config.json.
        folder: the checkpoint's, for messages.
        default: the family of a config.json that names none.

    Raises:
        UserError: there is no such family.
    """
    known = sorted(_modules().values())
    named = config.get("model_type") or _named_by_architecture(config, folder) or default
    name = str(named).replace("-", "_")  # "xlm-roberta" is the file xlm_roberta.py
    if not name:
        raise UserError(
            f"`encoder`: {folder}/config.json has no model_type; name the family, as in "
            f"encoder=bert(checkpoint='{folder}')."
        )
    if name not in known:
        raise UserError(
            f"`encoder`: {folder} has a {named!r} model; available are: {', '.join(known)}."
        )
    return name


def family(name: str) -> Family:
    """Return the names of the family in a file, such as `xlm_roberta`."""
    return _class(name).family


def _class(family: str) -> "type[TransformerEncoder]":
    class_name = next(cls for cls, module in _modules().items() if module == family)
    family_class: Any = lazy.find_class(PACKAGE, class_name)
    return family_class


def _named_by_architecture(config: Mapping[str, Any], folder: pathlib.Path) -> str:
    """Return the family that a config.json without a model_type names by its architectures."""
    names = {module.replace("_", ""): module for module in _modules().values()}
    architectures = config.get("architectures")
    for architecture in architectures if isinstance(architectures, list) else ():
        match = re.fullmatch(r"([A-Z]\w*?)(Model|For[A-Z]\w*|LMHeadModel)", str(architecture))
        if match and match[1].lower() in names:
            name = names[match[1].lower()]
            log.info(f"{folder}/config.json has no model_type; {architecture} says {name}")
            return name
    return ""


@functools.cache
def _modules() -> dict[str, str]:
    """Return the module of each family, by the name of its class."""
    return lazy.class_names([str(pathlib.Path(__file__).parent)])
