"""Distillation of what a teacher's encoder computes within."""

from typing import TYPE_CHECKING, Any

from keras import ops

from ftkeras.regularizers._base import Regularizer, Step
from ftkeras.support.bounds import choice, not_negative

if TYPE_CHECKING:
    from ftkeras.support.protocols import Model

Tensor = Any
# Below any probability of a token that is attended to.
LEAST = 1e-12


class DistillStates(Regularizer):
    """Learn from the layers of the run's `teacher`, in addition to the labels.

    loss = L + weight * D

    L is the task's loss, or that of `distill` if it is used too. D depends on `match`:

    - hidden: the mean squared difference of the hidden states. Of S layers of the student and T of
      the teacher, layer m follows layer m T / S, m = 0 … S; 0 are the embeddings. Both encoders
      need the same width, and T must be a multiple of S. This is TinyBERT's loss of embeddings and
      layers without its projections (Jiao et al., 2020, section 3.1,
      https://arxiv.org/abs/1909.10351), and a mean over layers instead of a sum.
    - attention: KL(A || B) + KL(softmax(V V' / sqrt(d)) || softmax(W W' / sqrt(e))), of the last
      layers, where A are the teacher's attention probabilities and V its values, [tokens, d], of a
      head; B and W are the student's. Both need the same number of heads. It is MiniLM's loss
      (Wang et al., 2020, section 3, https://arxiv.org/abs/2002.10957).

    Each is the mean over a row's tokens (and heads), then over the rows of a batch. Both encoders
    read the same token ids, so they need the same vocabulary. Each step also computes the teacher,
    and the student a second time without dropout.

    Args:
        match: hidden or attention.
        weight: weight of D; at least 0.

    Raises:
        ValueError: if an argument is out of bounds. The message names it, its bound and the value.
            When called: if the run has no teacher.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from ftkeras.encoders.bert import Bert
    >>> settings = {"vocabulary_size": 9, "hidden": 8, "heads": 2, "dropout": 0.0}
    >>> student, teacher = (Bert(**settings, layers=n, seed=n) for n in (1, 2))
    >>> term = DistillStates(match="attention")
    >>> term.attach(SimpleNamespace(encoder=student))
    >>> term.use_teacher(teacher)
    >>> ids = np.array([[2, 5, 3]])
    >>> step = SimpleNamespace(inputs={"token_ids": ids}, padding_mask=ids > 0)
    >>> 0 < float(term(step)) < 1e-2
    True
    """

    by_row = True
    reads_teacher = True

    def __init__(self, *, match: str = "hidden", weight: float = 1.0):
        choice(tuple(_DISTANCES), match=match)
        not_negative(weight=weight)
        self.match, self.weight = match, weight
        self._student: Any = None
        self._teacher: Any = None

    def attach(self, model: "Model") -> None:
        self._student = model.encoder

    def use_teacher(self, encoder: Any) -> None:
        student = self._student
        if self.match == "attention":
            _require_equal("heads", encoder.heads, student.heads)
            for one, whose in ((encoder, "the teacher"), (student, "the encoder")):
                if one.stack[-1].window:
                    raise ValueError(
                        f"`match`=attention: the last layer of {whose} attends to a window of "
                        f"{one.stack[-1].window} tokens only; use match='hidden'."
                    )
        else:
            _require_equal("hidden", encoder.hidden, student.hidden)
            if len(encoder.stack) % len(student.stack):
                raise ValueError(
                    f"`match`=hidden: the teacher has {len(encoder.stack)} layers, which is no "
                    f"multiple of the encoder's {len(student.stack)}; use match='attention'."
                )
        self._teacher = encoder

    def __call__(self, step: Step) -> Tensor:
        if self._teacher is None:
            raise ValueError("distill_states needs `teacher`, a run to learn from.")
        mask, inputs = step.padding_mask, step.inputs
        read = inputs["token_ids"], mask, inputs.get("segment_ids")
        distances = _DISTANCES[self.match](self._student, self._teacher, read)
        return self.weight * _mean_over_rows(distances, mask)


def _require_equal(name: str, teachers: int, own: int) -> None:
    if teachers != own:
        raise ValueError(
            f"the teacher has {name}={teachers}, but the encoder has {name}={own}; both need the "
            "same."
        )


def _of_hidden_states(student: Any, teacher: Any, read: tuple[Tensor, ...]) -> Tensor:
    """Return how far the states of each token are apart, [batch, length]."""
    own, all_others = student.hidden_states(*read), teacher.hidden_states(*read)
    others = all_others[:: (len(all_others) - 1) // (len(own) - 1)]
    squares = [
        ops.mean(ops.square(_wide(x) - ops.stop_gradient(_wide(y))), axis=-1)
        for x, y in zip(own, others, strict=True)
    ]
    return sum(squares[1:], squares[0]) / len(squares)


def _of_attention(student: Any, teacher: Any, read: tuple[Tensor, ...]) -> Tensor:
    """Return how much the attention from each token differs, [batch, length]."""
    mask = read[1]
    own, others = student.last_attention(*read), teacher.last_attention(*read)
    pairs = [(own[0], others[0]), tuple(_relations(values, mask) for values in (own[1], others[1]))]
    return sum(ops.mean(_divergence(ops.stop_gradient(q), p), axis=1) for p, q in pairs)


def _relations(values: Tensor, mask: Tensor) -> Tensor:
    """Return softmax(V V' / sqrt(size)) over tokens, [batch, heads, length, length]."""
    values = _wide(values)
    scores = ops.matmul(values, ops.swapaxes(values, -1, -2)) * values.shape[-1] ** -0.5
    return ops.softmax(ops.where(mask[:, None, None], scores, -1e9), axis=-1)


def _divergence(teacher: Tensor, student: Tensor) -> Tensor:
    """Return KL(teacher || student) over the last axis."""
    q, p = _wide(teacher), _wide(student)
    logs = ops.log(ops.maximum(q, LEAST)) - ops.log(ops.maximum(p, LEAST))
    return ops.sum(q * logs, axis=-1)


def _mean_over_rows(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over rows with tokens of the mean over their tokens, ()."""
    mask = ops.cast(mask, values.dtype)
    counts = ops.sum(mask, axis=-1)
    means = ops.sum(values * mask, axis=-1) / ops.maximum(counts, 1)
    return ops.sum(means) / ops.maximum(ops.sum(ops.minimum(counts, 1)), 1)


def _wide(values: Tensor) -> Tensor:
    return ops.cast(values, "float32")


_DISTANCES = {"hidden": _of_hidden_states, "attention": _of_attention}
