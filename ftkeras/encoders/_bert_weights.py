"""How a Hugging Face BERT checkpoint's tensors map to the encoder's variables, both ways."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ftkeras.errors import UserError

# Heads of the pretraining or of another task, and an index that is not a weight.
IGNORED = re.compile(r"(cls|classifier|qa_outputs)\.|embeddings\.position_ids$")
VOCABULARY = "embeddings.word_embeddings.weight"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One variable and the tensors it is made of, joined along its last axis.

    Args:
        variable: path within the encoder.
        tensors: Hugging Face names, without the `bert.` prefix.
        transposed: PyTorch keeps a linear layer's kernel as [outputs, inputs].
    """

    variable: str
    tensors: tuple[str, ...]
    transposed: bool = False

    def join(self, arrays: list[np.ndarray]) -> np.ndarray:
        arrays = [array.T if self.transposed else array for array in arrays]
        return np.concatenate(arrays, axis=-1) if len(arrays) > 1 else arrays[0]

    def split(self, value: np.ndarray) -> dict[str, np.ndarray]:
        parts = np.split(value, len(self.tensors), axis=-1)
        parts = [np.ascontiguousarray(part.T if self.transposed else part) for part in parts]
        return dict(zip(self.tensors, parts, strict=True))

    def tensor_shape(self, variable_shape: tuple[int, ...]) -> tuple[int, ...]:
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
    """The rules of an encoder with so many layers, in the order of the network."""
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
    """A tensor's name as BertModel has it today: no prefix, LayerNorm.weight and .bias."""
    name = name.removeprefix("bert.")
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def load(
    variables: Mapping[str, object],
    table: list[Rule],
    tensors: Mapping[str, np.ndarray],
    *,
    source: str,
    start: Callable[[str], None],
) -> list[str]:
    """Assign the checkpoint's tensors to the variables, one variable at a time.

    Args:
        variables: path within the encoder -> Keras variable.
        table: the encoder's rules.
        tensors: Hugging Face names -> arrays.
        source: what the tensors came from, for messages.
        start: called with the path of each variable that the checkpoint does not have.

    Returns: names of the tensors that were newly started instead (a pooler's, or none).

    Raises:
        UserError: naming missing or unexpected tensors, or a shape that does not fit.
    """
    found = {plain_name(name): name for name in tensors}
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


def _compare(found: Mapping[str, str], table: list[Rule], source: str) -> list[str]:
    """Names of tensors to start afresh; an error where names do not fit."""
    expected = [name for rule in table for name in rule.tensors]
    missing = [name for name in expected if name not in found]
    known = POOLER_TENSORS.union(expected)
    unexpected = [found[n] for n in found if n not in known and not IGNORED.match(n)]
    without_pooler = POOLER_TENSORS.issubset(missing)
    new = [name for name in missing if name in POOLER_TENSORS] if without_pooler else []
    problems = [
        f"{len(names)} {kind} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in (
            ("missing", [name for name in missing if name not in new]),
            ("unexpected", unexpected),
        )
        if names
    ]
    if problems:
        raise UserError(
            f"`encoder`: the tensors of {source} do not fit its config.json: "
            f"{' and '.join(problems)}; use a complete checkpoint of a BERT model"
        )
    return new


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
                f"its config.json says vocab_size={wanted[0]}; both must come from one checkpoint"
            )
        raise UserError(
            f"`encoder`: tensor {name} of {source} has shape {array.shape}, its config.json asks "
            f"for {wanted}; both must come from one checkpoint"
        )
