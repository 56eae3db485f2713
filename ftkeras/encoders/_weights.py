"""Map a Hugging Face checkpoint's tensors to an encoder's variables, and back."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import keras
import numpy as np

from ftkeras.encoders._family import Family, Rule
from ftkeras.errors import UserError

log = logging.getLogger(__name__)

VOCABULARY = "embeddings/token_embedding"


def load(
    family: Family,
    variables: Mapping[str, keras.Variable],
    table: Sequence[Rule],
    tensors: Mapping[str, np.ndarray],
    *,
    source: str,
    initialize: Callable[[str], None],
) -> list[str]:
    """Assign the checkpoint's tensors to the variables, one variable at a time.

    Args:
        family: the encoder's.
        variables: the encoder's variables by their path within it.
        table: the encoder's rules.
        tensors: arrays by their Hugging Face name.
        source: where the tensors come from, for messages.
        initialize: starts the variable at a path from new values; called for a missing pooler.

    Returns:
        Names of the tensors that the checkpoint lacks: the pooler's, or none.

    Raises:
        UserError: tensors are missing, unexpected inside the encoder or there twice, a shape
            differs, or a value is no finite floating-point number.
    """
    stored = _names_by_plain_name(family, tensors, source)
    new = _compare(family, stored, table, source)
    for rule in table:
        variable = variables[rule.variable]
        if rule.tensors[0] in new:
            initialize(rule.variable)
            continue
        arrays = [tensors[stored[name]] for name in rule.tensors]
        _check_shapes(rule, arrays, tuple(variable.shape), source)
        _check_values(rule, arrays, source)
        variable.assign(np.asarray(rule.join(arrays), dtype="float32"))
    return new


def _names_by_plain_name(family: Family, tensors: Iterable[str], source: str) -> dict[str, str]:
    """Return the names of tensors by their plain names."""
    stored = {}
    for name in tensors:
        if (other := stored.setdefault(family.plain_name(name), name)) != name:
            raise UserError(
                f"`encoder`: {source} has the same tensor twice, as {other} and {name}; use a "
                f"complete checkpoint of a {family.classes['encoder']}"
            )
    return stored


def _compare(
    family: Family, stored: Mapping[str, str], table: Sequence[Rule], source: str
) -> list[str]:
    """Return the names of a missing pooler's tensors.

    Tensors beside the encoder of an otherwise complete checkpoint are logged and ignored.

    Raises:
        UserError: there is any other difference.
    """
    expected = [name for rule in table for name in rule.tensors]
    missing = [name for name in expected if name not in stored]
    known = family.pooler_tensors.union(expected)
    unexpected = [stored[n] for n in stored if n not in known and not family.ignored.match(n)]
    without_pooler = family.pooler_tensors.issubset(missing)
    new = [name for name in missing if name in family.pooler_tensors] if without_pooler else []
    missing = [name for name in missing if name not in new]
    if not missing and not any(map(family.is_inside, unexpected)):
        if unexpected:
            log.info(
                "not used, because the encoder has no such weights: %s", _enumerate(unexpected)
            )
        return new
    problems = [
        f"{len(names)} {kind} ({_enumerate(names)})"
        for kind, names in (("missing", missing), ("unexpected", unexpected))
        if names
    ]
    raise UserError(
        f"`encoder`: the tensors of {source} do not match its config.json: "
        f"{' and '.join(problems)}; use a complete checkpoint of a {family.classes['encoder']}"
    )


def _enumerate(names: list[str]) -> str:
    return f"{', '.join(names[:3])}{', …' if len(names) > 3 else ''}"


def _check_shapes(
    rule: Rule, arrays: list[np.ndarray], variable_shape: tuple[int, ...], source: str
) -> None:
    wanted = rule.tensor_shape(variable_shape)
    for name, array in zip(rule.tensors, arrays, strict=True):
        if array.shape == wanted:
            continue
        if rule.variable == VOCABULARY and array.ndim == 2 and array.shape[1] == wanted[1]:
            raise UserError(
                f"`encoder`: the weights of {source} have a vocabulary of {array.shape[0]} tokens, "
                f"but its config.json has vocab_size={wanted[0]}; use files of the same checkpoint"
            )
        raise UserError(
            f"`encoder`: tensor {name} of {source} has shape {array.shape}, but its config.json "
            f"requires {wanted}; use files of the same checkpoint"
        )


def _check_values(rule: Rule, arrays: list[np.ndarray], source: str) -> None:
    for name, array in zip(rule.tensors, arrays, strict=True):
        if array.dtype.kind != "f":
            raise UserError(
                f"`encoder`: tensor {name} of {source} has numbers of type {array.dtype}; fetch "
                "weights that are not quantized"
            )
        if count := array.size - np.count_nonzero(np.isfinite(array)):
            raise UserError(
                f"`encoder`: tensor {name} of {source} has {count:,} values that are not finite; "
                "fetch it again, or use another checkpoint"
            )
