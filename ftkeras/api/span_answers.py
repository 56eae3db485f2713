"""The layers that turn the scores of tokens into answers to questions."""

from typing import Any

import keras
from keras import ops

from ftkeras.api.string_model import activation_of
from ftkeras.support.absent import ABSENT_LOGIT

Tensor = Any


class SpanAnswers(keras.layers.Layer):
    """Give the probability of each token to be the answer's first, and to be its last.

    Args:
        length: the number of tokens of a row that there is room for.
        activation: of the scores.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: scores [batch, length of the batch, 2] -> float32 [batch, 2, length].

    >>> import numpy as np
    >>> SpanAnswers(3, activation="softmax")(np.zeros((1, 2, 2), "float32")).numpy()[0].tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]
    """

    def __init__(self, length: int, *, activation: str, **kwargs: Any):
        # In float32 also under mixed precision.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.length, self.activation = length, activation_of(activation)

    def call(self, scores: Tensor) -> Tensor:
        missing = self.length - ops.shape(scores)[1]
        padded = ops.pad(scores, [[0, 0], [0, missing], [0, 0]], constant_values=ABSENT_LOGIT)
        return self.activation(ops.transpose(padded, [0, 2, 1]))

    def compute_output_spec(self, scores: Tensor) -> keras.KerasTensor:
        return keras.KerasTensor((scores.shape[0], 2, self.length), "float32")


class BestSpans(keras.layers.Layer):
    """Find the best answers in contexts, as a problem does.

    Args:
        problem: says which spans are answers, by its `served_contexts`.
        **kwargs: other arguments of `keras.layers.Layer`.

    Call: scores [batch, length, 2]; contexts, string [batch]; the outputs of a `Preprocessor` that
        reads contexts -> a dict of tensors, whose first axis is [batch].
    """

    def __init__(self, problem: Any, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.problem = problem

    def call(self, scores: Tensor, contexts: Tensor, tokens: dict[str, Tensor]) -> dict:
        return self.problem.served_contexts(scores, contexts, tokens)

    def compute_output_spec(self, scores: Tensor, contexts: Tensor, tokens: dict) -> dict:
        one, several = (None,), (None, self.problem.n_best)
        shapes = {
            "string": {"answer": one, "answers": several},
            "int32": {"start": one, "end": one, "count": one, "starts": several, "ends": several},
            "float32": {"score": one, "null_score_diff": one, "scores": several},
        }
        return {
            name: keras.KerasTensor(shape, dtype)
            for dtype, named in shapes.items()
            for name, shape in named.items()
        }
