"""The interfaces of an encoder, a head, a loss, and a model made of them.

Policies and regularizers are built on these too; their own interfaces are
`ftkeras.policies.Policy` and `ftkeras.regularizers.Regularizer`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import keras

from ftkeras.support.layer_hooks import LayerHooks

Tensor = Any


@runtime_checkable
class EncoderPart(Protocol):
    """The embeddings or one layer of an encoder, a Keras layer.

    Attributes:
        name: unique within the encoder.
        path: prefix of its variables' paths.
        trainable: whether its variables train; may be set.
        is_fixed: whether it computes the same function in every training step.
    """

    trainable: bool

    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def weights(self) -> list[keras.Variable]: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    @property
    def is_fixed(self) -> bool: ...

    def disable_dropout(self) -> None:
        """Compute in training what inference computes."""


@runtime_checkable
class EncoderLayer(EncoderPart, Protocol):
    """A Transformer layer.

    Attributes:
        structure: equal for layers of an encoder that differ in their weights only.
        kernels: its matrices, by the names of the equal parts of their columns, left to right.
        is_changed: whether hooks change its kernels or sub-layers.
        seeds_per_call: the number of dropout seeds that a call in training takes.
        seeds: the generator that these come from.

    Call: x [batch, length, hidden]; attention, what it depends on besides x; queries
        [batch, positions, hidden], the rows of x to compute, or None for all.
    """

    @property
    def structure(self) -> Any: ...

    @property
    def kernels(self) -> Mapping[tuple[str, ...], keras.Variable]: ...

    @property
    def is_changed(self) -> bool: ...

    @property
    def seeds_per_call(self) -> int: ...

    @property
    def seeds(self) -> keras.random.SeedGenerator: ...

    def __call__(
        self, x: Tensor, attention: Any = ..., queries: Tensor = None, training: bool = False
    ) -> Tensor: ...


@runtime_checkable
class Encoder(Protocol):
    """Token ids to hidden states, a Keras layer.

    Attributes:
        hidden: width of the states.
        intermediate: width of the feed-forward networks.
        positions: the most tokens in a row.
        segments: how many segment ids it knows; 0 if it ignores them.
        embedding: width of the embeddings.
        family: the names of its settings and tensors in Hugging Face's files.
        embeddings: the lowest part.
        blocks: the Transformer layers, the lowest first; each once.
        stack: the layers in the order in which they run; a shared one is there several times.
        pool: the pooler, [batch, hidden] -> [batch, hidden], or None.
        token_embedding: of the vocabulary, [vocabulary, embedding].
        causal: whether tokens attend only to those before them. The last token then stands for a
            text, instead of the first.
        hooks: where policies and regularizers act inside it.
        is_fixed: whether everything below the pooler computes the same function in every step.

    Call: token_ids [B, L] integers; padding_mask [B, L], 1 for tokens; segment_ids [B, L];
        embedding_offset [B, L, embedding]; starts [B, T], where the texts of packed rows start;
        every_token, whether the states of all tokens are needed; training -> a dict of features:
        "first" [texts, hidden], the states of first tokens, or of last ones if `causal`; "pooled"
        [texts, hidden] if there is a pooler; "sequence" [B, L, hidden] if every token is needed;
        "membership" [B, T, L], true for a text's tokens, if rows are packed.
    """

    trainable: bool

    @property
    def hidden(self) -> int: ...

    @property
    def intermediate(self) -> int: ...

    @property
    def positions(self) -> int: ...

    @property
    def segments(self) -> int: ...

    @property
    def embedding(self) -> int: ...

    @property
    def family(self) -> Any: ...

    @property
    def embeddings(self) -> EncoderPart: ...

    @property
    def blocks(self) -> Sequence[EncoderLayer]: ...

    @property
    def stack(self) -> Sequence[EncoderLayer]: ...

    @property
    def pool(self) -> keras.layers.Layer | None: ...

    @property
    def token_embedding(self) -> keras.Variable: ...

    @property
    def causal(self) -> bool: ...

    @property
    def hooks(self) -> LayerHooks: ...

    @property
    def is_fixed(self) -> bool: ...

    @property
    def dtype_policy(self) -> Any: ...

    @property
    def weights(self) -> list[keras.Variable]: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    def pooled(self, states: Tensor, training: bool = False) -> Tensor:
        """Return the pooler's output for the states of tokens, [texts, hidden]."""
        ...

    def __call__(
        self,
        token_ids: Tensor,
        padding_mask: Tensor = None,
        segment_ids: Tensor = None,
        embedding_offset: Tensor = None,
        starts: Tensor = None,
        every_token: bool = True,
        training: bool = False,
    ) -> dict[str, Tensor]: ...


@runtime_checkable
class Head(Protocol):
    """An encoder's features to logits, a Keras layer.

    Attributes:
        needs_pooler: whether it reads "pooled".
        needs_every_token: whether it reads "sequence".
        per_token: whether it answers tokens, not texts.
        needs_vocabulary: whether it reads "vocabulary", the encoder's token embedding, and answers
            the tokens at "places" only. It then has `match(encoder)`, which is called first.
        whole_texts: whether the logits of a text's tokens are one answer, so that a loss needs all
            of them together.
        losses: the names of the losses that fit, the default first; empty for those of the problem.
        regularizers: the names of regularizers that do not fit, and why.
        multipliers: pairs of a regular expression on variable paths, and a factor on the learning
            rate of the variables that match.
        own_part: what the classes of transformers lack of it, such as "a conditional random field";
            or None.
        transitions: scores of answers to words that follow each other, [classes + 1, classes + 1],
            see `ftkeras.support.chain`; or None.
    """

    per_token: bool
    whole_texts: bool
    losses: ClassVar[tuple[str, ...]]
    regularizers: ClassVar[Mapping[str, str]]
    own_part: str | None
    transitions: Any
    needs_vocabulary: bool

    @property
    def needs_pooler(self) -> bool: ...

    @property
    def needs_every_token(self) -> bool: ...

    @property
    def multipliers(self) -> Sequence[tuple[str, float]]: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    def __call__(
        self, features: Mapping[str, Tensor], padding_mask: Tensor, training: bool = False
    ) -> Tensor:
        """Return logits [texts, classes], or [batch, length, classes] if `per_token`.

        If `whole_texts`, they are [texts, length, outputs], also of packed rows.
        """


@runtime_checkable
class Loss(Protocol):
    """The interface of a loss: that of a `keras.losses.Loss`."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return one number for each example, [batch].

        Args:
            y_true: integer labels [batch].
            y_pred: logits [batch, classes].
        """


class Model(Protocol):
    """An encoder with a head, as policies and regularizers see it.

    Attributes:
        encoder: below the head.
        head: on the encoder.
        trainable_variables: of both, and of what policies added.
        added: a Keras layer; what a policy hangs on it stays part of the finished model.
        scaffold: a Keras layer; what a policy hangs on it is folded into the encoder in the end.
    """

    added: Any
    scaffold: Any

    @property
    def encoder(self) -> Encoder: ...

    @property
    def head(self) -> Head: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...
