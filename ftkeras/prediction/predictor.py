"""Answer texts with an exported model in this process."""

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ftkeras.data.tables.texts import encode
from ftkeras.errors import UserError
from ftkeras.prediction import _c_session, _python_session
from ftkeras.runs import exported, signatures


class Session(Protocol):
    """A loaded SavedModel."""

    def run(self, inputs: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        """Return the outputs of the default signature for a batch of strings."""
        ...


class Predictor:
    """An exported model that answers texts or pairs of texts; loaded when it is first used.

    Args:
        folder: a SavedModel that ftkeras exported.

    Attributes:
        takes_pairs: whether the model takes pairs of texts.
        problem: what the model was trained for.

    Raises:
        UserError: if the folder cannot be loaded or its inputs are not texts.
    """

    def __init__(self, folder: pathlib.Path):
        try:
            signature = signatures.read_signatures(folder)["serving_default"]
        except (OSError, ValueError, KeyError) as error:
            raise _unloadable(folder, error) from error
        if set(signature.inputs) not in ({"text"}, {"text", "pair"}):
            raise UserError(
                f"model={folder} takes {', '.join(sorted(signature.inputs))}; exports of ftkeras "
                "take text."
            )
        self.takes_pairs = "pair" in signature.inputs
        self._folder, self._signature = folder, signature
        self.problem = exported.read_problem(folder)

    @functools.cached_property
    def _session(self) -> Session:
        try:
            if _c_session.is_available():
                return _c_session.Session(self._folder, self._signature)
            return _python_session.Session(self._folder)
        except ValueError as error:
            raise _unloadable(self._folder, error) from error

    def predict(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, *, batch_size: int = 32
    ) -> list[dict[str, Any]]:
        """Answer each text; texts of similar length share a batch.

        Args:
            texts: to answer.
            pairs: the second text of each, if the model takes pairs.
            batch_size: the most texts in a batch; positive.

        Returns:
            The problem's `answer` to each text, in the order of `texts`.

        Raises:
            UserError: if a model of pairs gets single texts, or the reverse, or it can't be loaded.
        """
        if self.takes_pairs != (pairs is not None):
            inputs = "pairs of texts" if self.takes_pairs else "single texts, not pairs"
            raise UserError(f"`model` takes {inputs}.")
        columns = {"text": texts} if pairs is None else {"text": texts, "pair": pairs}
        sizes = [sum(map(len, row)) for row in zip(*columns.values(), strict=True)]
        order = sorted(range(len(texts)), key=sizes.__getitem__)
        answers: dict[int, dict[str, Any]] = {}
        for start in range(0, len(order), batch_size):
            positions = order[start : start + batch_size]
            batch = {name: [encode(found[n]) for n in positions] for name, found in columns.items()}
            answers.update(zip(positions, self._run(batch), strict=True))
        return [answers[position] for position in range(len(texts))]

    def _run(self, batch: dict[str, list[bytes]]) -> list[dict[str, Any]]:
        outputs = self._session.run(batch)
        rows = zip(*outputs.values(), strict=True)
        return [self.problem.answer(dict(zip(outputs, row, strict=True))) for row in rows]


def _unloadable(folder: pathlib.Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"model={folder} can't be loaded: {reason}")
