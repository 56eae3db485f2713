"""Functions on an encoder's parts that several policies use."""

import re
from typing import Any

from ftkeras.support.in_keras import encoders_of
from ftkeras.support.protocols import Encoder, EncoderPart

# The names of layers and embeddings in models of other packages.
_LAYER = re.compile(r"(?:^|/)(?P<kind>\w*layer_)(?P<number>\d+)/")
_EMBEDDINGS = "embed"
# The adapters of a layer have a path of their own: adapters/layer_0_attention_down_kernel.
ADAPTERS = "adapters/"


def body(encoder: Encoder) -> list[EncoderPart]:
    """Return the embeddings and the layers, the lowest first, without the pooler."""
    return [encoder.embeddings, *encoder.blocks]


def pooler_weights(encoder: Encoder) -> list[Any]:
    """Return the pooler's variables; none if there is no pooler."""
    return [] if encoder.pool is None else encoder.pool.weights


def freeze(encoder: Encoder, *, pooler: bool) -> None:
    """Freeze the embeddings and the layers.

    Args:
        encoder: is changed.
        pooler: whether the pooler, if there is one, still trains.
    """
    for part in body(encoder):
        part.trainable = False
    if encoder.pool is not None and not pooler:
        encoder.pool.trainable = False


def check_count(encoder: Encoder, layers: int) -> None:
    """Raise ValueError if the encoder has fewer layers than a policy asks for."""
    if layers > len(encoder.blocks):
        raise ValueError(
            f"`layers` must be at most {len(encoder.blocks)}, the encoder's number of layers. "
            f"Received: {layers}."
        )


def falling_rates(model: Any, decay: float) -> list[tuple[str, float]]:
    """Return the multipliers decay^depth, with depth 0 for the top layer, for parts that train.

    Adapters learn at the rate of their layer.

    Args:
        model: has an `encoder`, or is any Keras model. One without an encoder of ours has layers
            whose names end in `layer_` and a number, as those of KerasHub, and may have embeddings,
            whose paths have `embed`.
        decay: above 0, at most 1.

    Raises:
        ValueError: the model has no such layers, or of two kinds.
    """
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, Encoder):
        encoders = encoders_of(model)
        if len(encoders) != 1:
            return _falling_by_path(model, decay)
        (encoder,) = encoders
    falling = [(part, decay**depth) for depth, part in enumerate(reversed(body(encoder)))]
    rates = [(f"^{re.escape(part.path)}/", r) for part, r in falling if part.trainable_variables]
    if any(variable.path.startswith(ADAPTERS) for variable in _trainable(model)):
        rates += [(f"^{ADAPTERS}{part.name}_", r) for part, r in falling[:-1]]
    return rates


def _trainable(model: Any) -> list[Any]:
    return getattr(model, "trainable_variables", [])


def _falling_by_path(model: Any, decay: float) -> list[tuple[str, float]]:
    """Return the multipliers of a model whose layers are known by the paths of their variables."""
    paths = [variable.path for variable in model.trainable_variables]
    named = [match for match in map(_LAYER.search, paths) if match]
    kinds = sorted({match["kind"] for match in named})
    if len(kinds) != 1:
        example = f", such as {paths[0]!r}" if paths else ""
        raise ValueError(
            "`model` must have layers of one kind, named like 'layer_0' or 'transformer_layer_0'. "
            f"Received: {', '.join(kinds) or 'none'} in {len(paths)} paths of variables{example}. "
            "Pass `multipliers` of your own to the optimizer."
        )
    numbers = sorted({int(match["number"]) for match in named}, reverse=True)
    rates = [
        (f"(?:^|/){re.escape(kinds[0])}{number}/", decay**depth)
        for depth, number in enumerate(numbers)
    ]
    rest = [path for path in paths if not _LAYER.search(path)]
    if any(_EMBEDDINGS in path for path in rest):
        rates.append((_EMBEDDINGS, decay ** len(numbers)))
    return rates


def check_any_trains(encoder: Encoder) -> None:
    """Raise ValueError if the embeddings and all layers are frozen."""
    if not any(part.trainable_variables for part in body(encoder)):
        raise ValueError(
            "sets the learning rates of the encoder's layers, but another policy freezes all of "
            "them."
        )
