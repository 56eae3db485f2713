"""Explain the answers of an exported model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftkeras.errors import UserError
from ftkeras.prediction.predictor import DEFAULT, Predictor

EXPLAIN = "explain"
Texts = Mapping[str, str]


class ExportedModel:
    """An exported model; fulfils `explaining.Explainable`.

    Args:
        predictor: the model.
        batch_size: the most texts, or occluded texts, in a batch; positive.

    Attributes:
        problem: what the model was trained for.
        explains_any: False, as the signature `explain` explains the largest output.
    """

    explains_any = False

    def __init__(self, predictor: Predictor, *, batch_size: int = 32):
        self._predictor, self._batch_size = predictor, batch_size
        self.problem = predictor.problem

    def answer(self, texts: Sequence[Texts]) -> list[dict[str, Any]]:
        """Return the outputs of `serving_default` for each text."""
        return self._outputs(texts, DEFAULT)

    def attribute(self, texts: Sequence[Texts], chosen: Sequence[int]) -> list[dict[str, Any]]:
        """Return "tokens", "attributions" and "gap" of the largest output for each text.

        Raises:
            UserError: if the model was exported without `explain`.
        """
        if EXPLAIN not in self._predictor.signatures:
            raise UserError(
                f"model={self._predictor.folder} has no signature {EXPLAIN}; use "
                f"`method`=occlusion, `run_dir` instead of `model`, or export the run again with "
                f"export=saved_model({EXPLAIN}=True)."
            )
        return self._outputs(texts, EXPLAIN)

    def attribute_spans(self, texts: Sequence[Texts]) -> list[dict[str, Any]]:
        """Raise UserError: exports have no gradients of spans."""
        raise UserError(
            f"an exported {self.problem.kind} can't be explained; use `run_dir` instead of `model`."
        )

    def _outputs(self, texts: Sequence[Texts], signature: str) -> list[dict[str, Any]]:
        columns = [[text[name] for text in texts] for name in texts[0]] if texts else [[]]
        rows = self._predictor.outputs(*columns, signature=signature, batch_size=self._batch_size)
        return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    """Return Python lists and numbers instead of NumPy's."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
