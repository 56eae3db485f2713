"""The names of a family of encoders in Hugging Face's files: settings, tensors and classes."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Rule:
    """A variable and the tensors that form it, concatenated along its last axis.

    Args:
        variable: path within the encoder.
        tensors: Hugging Face names, without the family's prefix.
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


def linear(variable: str, *modules: str) -> tuple[Rule, Rule]:
    """Return the rules of PyTorch linear modules, which form one kernel and one bias."""
    return (
        Rule(f"{variable}kernel", tuple(f"{module}.weight" for module in modules), transposed=True),
        Rule(f"{variable}bias", tuple(f"{module}.bias" for module in modules)),
    )


def norm(variable: str, module: str) -> tuple[Rule, Rule]:
    """Return the rules of a PyTorch LayerNorm."""
    return (
        Rule(f"{variable}_scale", (f"{module}.weight",)),
        Rule(f"{variable}_bias", (f"{module}.bias",)),
    )


@dataclasses.dataclass(frozen=True)
class MaskedLmHead:
    """The names of the head of a family's class for masked language modelling.

    Args:
        transform: the module of the dense layer.
        norm: the module of the normalization.
        bias: the tensor that is added to the logits.
        activation: between both; None for that of the encoder.
    """

    transform: str
    norm: str
    bias: str
    activation: str | None = None

    def rules(self, *, biases: bool) -> tuple[Rule, ...]:
        """Return the rules of the head's variables.

        Args:
            biases: whether the dense layer and the normalization have one.
        """
        kept = slice(None if biases else 1)
        dense, scale = linear("transform_", self.transform), norm("norm", self.norm)
        return (*dense[kept], *scale[kept], Rule("bias", (self.bias,)))


Field = tuple[str, str, Any]
# The last module of classes with another head than a sequence's; in all families it is the same.
CLASSIFIERS = {
    "token_classification": "classifier",
    "question_answering": "qa_outputs",
    "multiple_choice": "classifier",
}


_ACRONYMS = {"lm": "LM"}


def with_defaults(fields: tuple[Field, ...], **defaults: Any) -> tuple[Field, ...]:
    """Return a family's fields with other defaults, by the field's name in config.json.

    >>> with_defaults((("vocab_size", "vocabulary_size", 30522),), vocab_size=50265)
    (('vocab_size', 'vocabulary_size', 50265),)
    """
    return tuple((theirs, ours, defaults.get(theirs, value)) for theirs, ours, value in fields)


@dataclasses.dataclass(frozen=True)
class Family:
    """The names that Hugging Face's files use for one family of encoders.

    Rules of variables that an encoder does not have, such as a projection of its embeddings or the
    normalization that only the last layer has, are ignored.

    Args:
        model_type: of config.json.
        classes: the classes of transformers that compute this network, by what is on top of it:
            "encoder" for nothing, "sequence_classification". See `class_name`.
        prefix: of the encoder's tensors in the classes with a head.
        fields: fields of config.json, each with the constructor's argument and the default that
            transformers gives to the field.
        fixed: fields of config.json that must have this value if they are there.
        classifier_fixed: fields of config.json that must have this value, if they are there, if
            the checkpoint's classifier is used.
        written: further fields to write to config.json.
        embeddings: rules of the embeddings.
        layer: rules of a Transformer layer; "#" stands for its number.
        pooler: rules of the pooler, the dense layer and its activation before the classifier.
        pooler_in_head: whether the pooler belongs to the sequence classifier, without the prefix,
            instead of to the encoder.
        classifier: the last module of the sequence classifier.
        final_bias: the plain name of the tensor that is added to the last states, if that module
            has no bias; else None. An export adds the head's bias to this tensor instead.
        no_class: what can be on top of the encoder here, but has no class of transformers.
        masked_lm: the head of the class for masked language modelling, whose kernel is the token
            embedding; None if there is no such class.
        vocabulary: the kind of a vocabulary that is trained for it, see `ftkeras.text.training`.
        layers_of_tokens: whether the classes that answer tokens have layers below their last
            module, which our heads lack.
        ignored: plain names of tensors that are not needed, such as heads of pretraining.
    """

    model_type: str
    classes: Mapping[str, str]
    prefix: str
    fields: tuple[Field, ...]
    embeddings: tuple[Rule, ...]
    layer: tuple[Rule, ...]
    pooler: tuple[Rule, ...]
    ignored: re.Pattern[str]
    fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    classifier_fixed: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    written: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pooler_in_head: bool = False
    classifier: str = "classifier"
    final_bias: str | None = None
    no_class: tuple[str, ...] = ()
    masked_lm: MaskedLmHead | None = None
    vocabulary: str = "word_piece"
    layers_of_tokens: bool = False

    def class_name(self, head: str) -> str:
        """Return the class of transformers with a head, such as "token_classification".

        A class that `classes` does not name is called as all families call theirs.

        >>> from ftkeras.encoders.bert import Bert
        >>> Bert.family.class_name("token_classification")
        'BertForTokenClassification'
        >>> Bert.family.class_name("masked_lm")
        'BertForMaskedLM'
        """
        name = self.classes["encoder"].removesuffix("Model")
        named = "".join(_ACRONYMS.get(word, word.capitalize()) for word in head.split("_"))
        return self.classes.get(head, f"{name}For{named}")

    def classifier_name(self, head: str) -> str:
        """Return the name of the last module of the class of transformers with a head.

        >>> from ftkeras.encoders.roberta import Roberta
        >>> Roberta.family.classifier_name("sequence_classification")
        'classifier.out_proj'
        >>> Roberta.family.classifier_name("token_classification")
        'classifier'
        """
        return CLASSIFIERS.get(head, self.classifier)

    def has_bias(self, head: str) -> bool:
        """Return whether the last module of the class of transformers with a head has a bias.

        >>> from ftkeras.encoders.gpt2 import Gpt2
        >>> Gpt2.family.has_bias("sequence_classification")
        False
        """
        return self.final_bias is None or head in CLASSIFIERS

    def pools_for(self, head: str) -> bool:
        """Return whether the class of transformers with a head pools as the sequence classifier.

        >>> from ftkeras.encoders.roberta import Roberta
        >>> Roberta.family.pools_for("multiple_choice")
        False
        """
        return not self.pooler_in_head or self.classifier_name(head) == self.classifier

    def rules(self, layers: int) -> Iterator[Rule]:
        """Yield the rules of an encoder with this number of layers, in network order."""
        yield from self.embeddings
        for number in range(layers):
            for rule in self.layer:
                names = tuple(name.replace("#", str(number)) for name in rule.tensors)
                variable = rule.variable.replace("#", str(number))
                yield dataclasses.replace(rule, variable=variable, tensors=names)
        yield from self.pooler

    @property
    def pooler_tensors(self) -> frozenset[str]:
        """The plain names of the pooler's tensors."""
        return frozenset(name for rule in self.pooler for name in rule.tensors)

    def plain_name(self, name: str) -> str:
        """Return a tensor's name without the prefix, as today's transformers spell it.

        >>> from ftkeras.encoders.bert import Bert
        >>> Bert.family.plain_name("bert.embeddings.LayerNorm.gamma")
        'embeddings.LayerNorm.weight'
        """
        name = name.removeprefix(f"{self.prefix}.")
        name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
        return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)

    def belongs_to_head(self, name: str) -> bool:
        """Return whether a tensor of this plain name is part of the sequence classifier."""
        return self.pooler_in_head and name in self.pooler_tensors

    def name_below_head(self, name: str) -> str:
        """Return a tensor's name in the sequence classifier, from its plain name."""
        return name if self.belongs_to_head(name) else f"{self.prefix}.{name}"

    def is_inside(self, name: str) -> bool:
        """Return whether a tensor seems to belong to the encoder, not to something on top of it."""
        rules = (*self.embeddings, *self.layer, *self.pooler)
        parts = {tensor.partition(".")[0] for rule in rules for tensor in rule.tensors}
        return name.partition(".")[0] in {self.prefix, *parts}
