"""Answer texts with an exported model in this process."""

import functools
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ftkeras.data.tables.texts import encode
from ftkeras.errors import UserError
from ftkeras.prediction import _c_session, _python_session
from ftkeras.runs import exported, signatures
from ftkeras.serving import graph_errors
from ftkeras.support import bounds

DEFAULT = "serving_default"


class Session(Protocol):
    """A loaded SavedModel."""

    def run(self, inputs: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        """Return the outputs of its signature for a batch of strings."""
        ...


class Predictor:
    """An exported model that answers texts or pairs of texts; loaded when it is first used.

    Args:
        folder: a SavedModel that ftkeras exported.

    Attributes:
        folder: that folder.
        takes_pairs: whether the model takes pairs of texts.
        problem: what the model was trained for.

    Raises:
        UserError: if the folder cannot be loaded or its inputs are not texts.
    """

    def __init__(self, folder: pathlib.Path):
        try:
            self._signatures = signatures.read_signatures(folder)
            signature = self._signatures[DEFAULT]
        except (OSError, ValueError, KeyError) as error:
            raise _unloadable(folder, error) from error
        if set(signature.inputs) not in ({"text"}, {"text", "pair"}):
            raise UserError(
                f"model={folder} takes {', '.join(sorted(signature.inputs))}; exports of ftkeras "
                "take text."
            )
        self.takes_pairs = "pair" in signature.inputs
        self.folder = folder
        self.problem = exported.read_problem(folder)
        # A cache of this predictor's own, so that it does not outlive the predictor.
        self._session = functools.cache(self._load)

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of what the model can be asked for."""
        return tuple(self._signatures)

    def load(self) -> None:
        """Load the model now.

        Raises:
            UserError: if it can't be loaded.
        """
        self._session(DEFAULT)

    def predict(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        batch_size: int = 32,
        on_batch: Callable[[int], None] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the problem's `answer` to each text; see `outputs`."""
        outputs = self.outputs(texts, pairs, batch_size=batch_size, on_batch=on_batch)
        return [self.problem.answer(row) for row in outputs]

    def outputs(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        signature: str = DEFAULT,
        batch_size: int = 32,
        on_batch: Callable[[int], None] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the outputs of a signature for each text; texts of similar length share a batch.

        Args:
            texts: what to ask about.
            pairs: the second text of each, if the model takes pairs.
            signature: one of `signatures` that takes texts.
            batch_size: the most texts in a batch; positive.
            on_batch: called after each batch with the number of its texts.

        Returns:
            The outputs by name, in the order of `texts`.

        Raises:
            UserError: if a model of pairs gets single texts, or the reverse, it can't be loaded, it
                refuses a text, or `batch_size` is wrong.
        """
        try:
            bounds.integer(1, batch_size=batch_size)
        except ValueError as error:
            raise UserError(str(error)) from None
        takes_pairs = "pair" in self._signatures[signature].inputs
        if takes_pairs != (pairs is not None):
            pairs_of = "pairs of texts: the first ones, and as many second ones as `pairs`"
            inputs = pairs_of if takes_pairs else "single texts, not pairs"
            raise UserError(f"`model` takes {inputs}.")
        columns = {"text": texts} if pairs is None else {"text": texts, "pair": pairs}
        sizes = [sum(map(len, row)) for row in zip(*columns.values(), strict=True)]
        order = sorted(range(len(texts)), key=sizes.__getitem__)
        by_position: dict[int, dict[str, Any]] = {}
        for start in range(0, len(order), batch_size):
            positions = order[start : start + batch_size]
            batch = {
                name: [encode(column[n]) for n in positions] for name, column in columns.items()
            }
            outputs = self._run(signature, batch)
            rows = zip(*outputs.values(), strict=True)
            by_position.update(
                (n, dict(zip(outputs, row, strict=True)))
                for n, row in zip(positions, rows, strict=True)
            )
            if on_batch is not None:
                on_batch(len(positions))
        return [by_position[position] for position in range(len(texts))]

    def _run(self, signature: str, batch: Mapping[str, list[bytes]]) -> dict[str, Any]:
        session = self._session(signature)
        try:
            return session.run(batch)
        except ValueError as error:
            reason = graph_errors.reason(str(error))
            reason = reason.removeprefix(graph_errors.FAILED).strip("[]")
            raise UserError(f"model={self.folder} can't answer: {reason[:200]}.") from error

    def _load(self, signature: str) -> Session:
        try:
            if _c_session.is_available():
                return _c_session.Session(self.folder, self._signatures[signature])
            return _python_session.Session(self.folder, signature)
        except ValueError as error:
            raise _unloadable(self.folder, error) from error


def _unloadable(folder: pathlib.Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split())[:200]
    return UserError(f"model={folder} can't be loaded: {reason}")
