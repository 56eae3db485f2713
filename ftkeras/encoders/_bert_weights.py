"""Map a Hugging Face BERT checkpoint's tensors to the encoder's variables, and back."""

import dataclasses
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

import keras
import numpy as np

from ftkeras.errors import UserError

log = logging.getLogger(__name__)

# Heads of pretraining or of another task, and an index that is not a weight.
IGNORED = re.compile(r"(cls|classifier|qa_outputs)\.|embeddings\.position_ids$")
# The parts of the encoder; a tensor elsewhere belongs to something on top of it.
INSIDE = re.compile(r"bert\.|(embeddings|encoder|pooler)\.")
VOCABULARY = "embeddings.word_embeddings.weight"


@dataclasses.dataclass(frozen=True)
class Rule:
    """A variable and the tensors that form it, concatenated along its last axis.

    Args:
        variable: path within the encoder.
        tensors: Hugging Face names, without the `bert.` prefix.
        transposed: whether the tensors are transposed, as PyTorch's linear kernels are
            ([outputs, inputs]).

    >>> rule = Rule("kernel", ("a", "b"), transposed=True)
    >>> rule.tensor_shape((8, 6))
    (3, 8)
    """

    variable: str
    tensors: tuple[str, ...]
    transposed: bool = False

    def join(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return the variable's value from its tensors."""
        arrays = [array.T if self.transposed else array for array in arrays]
        return np.concatenate(arrays, axis=-1) if len(arrays) > 1 else arrays[0]

    def split(self, value: np.ndarray) -> dict[str, np.ndarray]:
        """Return the tensors, by name, from the variable's value."""
        parts = np.split(value, len(self.tensors), axis=-1)
        parts = [np.ascontiguousarray(part.T if self.transposed else part) for part in parts]
        return dict(zip(self.tensors, parts, strict=True))

    def tensor_shape(self, variable_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of each tensor, from the variable's shape."""
        *rest, last = variable_shape
        shape = (*rest, last // len(self.tensors))
        return shape[::-1] if self.transposed else shape


def _linear(variable: str, *modules: str) -> tuple[Rule, Rule]:
    return (
        Rule(f"{variable}kernel", tuple(f"{module}.weight" for module in modules), transposed=True),
        Rule(f"{variable}bias", tuple(f"{module}.bias" for module in modules)),
    )


def _norm(variable: str, module: str) -> tuple[Rule, Rule]:
    return (
        Rule(f"{variable}_scale", (f"{module}.weight",)),
        Rule(f"{variable}_bias", (f"{module}.bias",)),
    )


EMBEDDINGS = (
    Rule("embeddings/token_embedding", (VOCABULARY,)),
    Rule("embeddings/position_embedding", ("embeddings.position_embeddings.weight",)),
    Rule("embeddings/segment_embedding", ("embeddings.token_type_embeddings.weight",)),
    *_norm("embeddings/norm", "embeddings.LayerNorm"),
)
# "#" stands for the layer's number.
LAYER = (
    *_linear(
        "layer_#/attention_qkv_",
        "encoder.layer.#.attention.self.query",
        "encoder.layer.#.attention.self.key",
        "encoder.layer.#.attention.self.value",
    ),
    *_linear("layer_#/attention_output_", "encoder.layer.#.attention.output.dense"),
    *_norm("layer_#/attention_norm", "encoder.layer.#.attention.output.LayerNorm"),
    *_linear("layer_#/intermediate_", "encoder.layer.#.intermediate.dense"),
    *_linear("layer_#/output_", "encoder.layer.#.output.dense"),
    *_norm("layer_#/output_norm", "encoder.layer.#.output.LayerNorm"),
)
POOLER = _linear("pooler/", "pooler.dense")
POOLER_TENSORS = frozenset(name for rule in POOLER for name in rule.tensors)


def rules(layers: int, pooler: bool) -> Iterator[Rule]:
    """Yield the rules of an encoder in network order.

    Args:
        layers: number of Transformer layers.
        pooler: whether the encoder has a pooler.
    """
    yield from EMBEDDINGS
    for number in range(layers):
        for rule in LAYER:
            names = tuple(name.replace("#", str(number)) for name in rule.tensors)
            yield dataclasses.replace(
                rule, variable=rule.variable.replace("#", str(number)), tensors=names
            )
    if pooler:
        yield from POOLER


def plain_name(name: str) -> str:
    """Return a tensor's name as today's BertModel spells it.

    >>> plain_name("bert.embeddings.LayerNorm.gamma")
    'embeddings.LayerNorm.weight'
    """
    name = name.removeprefix("bert.")
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def load(
    variables: Mapping[str, keras.Variable],
    table: list[Rule],
    tensors: Mapping[str, np.ndarray],
    *,
    source: str,
    start: Callable[[str], None],
) -> list[str]:
    """Assign the checkpoint's tensors to the variables, one variable at a time.

    Args:
        variables: the encoder's variables by their path within it.
        table: the encoder's rules.
        tensors: arrays by their Hugging Face name.
        source: where the tensors come from, for messages.
        start: initializes the variable at a path; called if the checkpoint has no pooler.

    Returns:
        Names of the tensors that the checkpoint lacks: the pooler's, or none.

    Raises:
        UserError: tensors are missing, unexpected inside the encoder or there twice, or a shape
            differs.
    """
    found = _found(tensors, source)
    new = _compare(found, table, source)
    for rule in table:
        variable = variables[rule.variable]
        if rule.tensors[0] in new:
            start(rule.variable)
            continue
        arrays = [tensors[found[name]] for name in rule.tensors]
        _check_shapes(rule, arrays, tuple(variable.shape), source)
        variable.assign(np.asarray(rule.join(arrays), dtype="float32"))
    return new


def _found(tensors: Iterable[str], source: str) -> dict[str, str]:
    """Return the names of tensors by their plain names."""
    found = {}
    for name in tensors:
        if (other := found.setdefault(plain_name(name), name)) != name:
            raise UserError(
                f"`encoder`: {source} has the same tensor twice, as {other} and {name}; use a "
                "complete checkpoint of a BERT model"
            )
    return found


def _compare(found: Mapping[str, str], table: list[Rule], source: str) -> list[str]:
    """Return the names of a missing pooler's tensors.

    Tensors beside the encoder of an otherwise complete checkpoint are logged and ignored.

    Raises:
        UserError: there is any other difference.
    """
    expected = [name for rule in table for name in rule.tensors]
    missing = [name for name in expected if name not in found]
    known = POOLER_TENSORS.union(expected)
    unexpected = [found[n] for n in found if n not in known and not IGNORED.match(n)]
    without_pooler = POOLER_TENSORS.issubset(missing)
    new = [name for name in missing if name in POOLER_TENSORS] if without_pooler else []
    missing = [name for name in missing if name not in new]
    if not missing and not any(map(INSIDE.match, unexpected)):
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
        f"{' and '.join(problems)}; use a complete checkpoint of a BERT model"
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
        if name == VOCABULARY and array.ndim == 2 and array.shape[1] == wanted[1]:
            raise UserError(
                f"`encoder`: the weights of {source} have a vocabulary of {array.shape[0]} tokens, "
                f"but its config.json has vocab_size={wanted[0]}; use files of the same checkpoint"
            )
        raise UserError(
            f"`encoder`: tensor {name} of {source} has shape {array.shape}, but its config.json "
            f"requires {wanted}; use files of the same checkpoint"
        )
