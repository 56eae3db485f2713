"""The answers of a teacher to the examples that a student is trained on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class TeacherAnswers:
    """A teacher's answers, and to which stored texts, or tokens, they belong.

    Attributes:
        values: float32 [answers, outputs], as the problem's `soft_loss` takes them.
        index: integer [stored], the row of `values` for each stored text, window or token; below 0
            if the teacher has no answer.
        labelled: bool [stored], whether the data have an answer too.
        teacher: what identifies the teacher: another one has another text here.
        weights: float32 [stored], of the answers; None if all are 1.
        of_places: whether the answer to a window has a row for each of its tokens, one after the
            other: a probability that the answer is there. `index` then has the first of them.
    """

    values: np.ndarray
    index: np.ndarray
    labelled: np.ndarray
    teacher: str
    weights: np.ndarray | None = None
    of_places: bool = False

    def of_rows(self, texts: np.ndarray) -> "TeacherAnswers":
        """Return the answers for rows, given the stored text that each is of."""
        return replace(self, index=self.index[texts], labelled=self.labelled[texts])

    def add_to(
        self,
        answers: Mapping[str, np.ndarray],
        stored: np.ndarray,
        places: np.ndarray | None = None,
    ) -> dict[str, np.ndarray]:
        """Return a batch's answers with those of the teacher.

        Args:
            answers: "targets", and "example_mask" bool [positions].
            stored: integer [positions], the stored texts, windows or tokens; below 0 for none.
            places: if the answers are `of_places`, integer [positions, length], which token of its
                window is at each place; below 0 for padding.

        Returns:
            The same, with "labelled" bool [positions], "teacher" float32 [positions, outputs] or
            [positions, length, outputs], 1 if there is no answer, and its weight "taught" float32
            [positions]. "example_mask" is true for what has a label, a teacher's answer, or both.
        """
        numbers = np.where(stored >= 0, self.index[stored], -1)
        weights = np.float32(1) if self.weights is None else self.weights[stored]
        labelled = answers["example_mask"] & (stored >= 0) & self.labelled[stored]
        is_taught = numbers >= 0
        values = self.values[numbers] if places is None else self._at(numbers, places)
        has_values = is_taught.reshape(*is_taught.shape, *[1] * (values.ndim - is_taught.ndim))
        return {
            **answers,
            "example_mask": labelled | is_taught,
            "labelled": labelled,
            "teacher": np.where(has_values, values, np.float32(1)),
            "taught": np.where(is_taught, weights, np.float32(0)),
        }

    def _at(self, firsts: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the probabilities at each place, which are 0 for padding."""
        is_place = (firsts[..., None] >= 0) & (places >= 0)
        rows = np.where(is_place, firsts[..., None] + places, 0)
        return np.where(is_place[..., None], self.values[rows], np.float32(0))
