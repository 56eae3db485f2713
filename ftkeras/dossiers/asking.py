"""Ask a run's model about changed texts."""

import pathlib
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ftkeras.data.examples import Examples
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.experiment import evaluation, other_texts

# Problems whose answers are about whole texts.
READS = ("texts", "each_text")
Texts = Sequence[dict[str, str]]
# Texts that an interval needs.
LEAST = 2


class Answers(NamedTuple):
    """The answers to some texts.

    Attributes:
        rows: the lines of predictions.
        tokens: the token ids that the model read of each text, as bytes.
    """

    rows: list[dict[str, Any]]
    tokens: list[bytes]


def require_whole_texts(subject: Subject) -> None:
    """Raise UserError if the problem answers words, whose places a change would move."""
    problem = subject.view.problem
    if problem.reads not in READS:
        raise UserError(
            f"a {problem.kind} answers words, spans or options, which the changes would move"
        )


def require_several(examples: Examples) -> None:
    """Raise UserError if there are too few examples for an interval."""
    if len(examples) < LEAST:
        raise UserError(f"{examples.name} has {len(examples)} text, and an interval needs {LEAST}")


def answers(subject: Subject, versions: Sequence[Texts], targets: np.ndarray) -> list[Answers]:
    """Return the answers to each version of the first few examples.

    All are tokenized and answered at once, as each new graph takes a second.

    Args:
        subject: the run.
        versions: the texts of each version.
        targets: of the examples.

    Raises:
        UserError: if the data can't be read, or the run kept no weights.
    """
    trained = subject.trained
    known = [targets[: len(texts)] for texts in versions]
    with tempfile.TemporaryDirectory(prefix="ftkeras-") as name:
        joined = [text for texts in versions for text in texts]
        folder = pathlib.Path(name)
        examples = other_texts.tokenize(trained, joined, np.concatenate(known), folder)
        logits = evaluation.predict_logits(trained, examples)
        tokens = [examples.ids(position).tobytes() for position in range(len(joined))]
    ends = np.cumsum([len(texts) for texts in versions]).tolist()
    found = []
    for own, start, end in zip(known, [0, *ends], ends, strict=False):
        rows = enumerate(trained.problem.decode(own, logits[start:end]))
        lines = [{"id": f"{subject.view.split}-{n}", **one} for n, one in rows]
        found.append(Answers(lines, tokens[start:end]))
    return found


def without_truth(subject: Subject, answer: dict[str, Any]) -> dict[str, Any]:
    """Return a line of predictions without the true answer and the id."""
    truth = subject.view.problem.truth(answer)
    return {name: v for name, v in answer.items() if name not in truth and name != "id"}


def numbers(rows: Sequence[dict[str, Any]]) -> np.ndarray | None:
    """Return the probabilities or values of answers, [texts, outputs]; None if they have none."""
    name = next((n for n in ("probabilities", "values") if all(n in row for row in rows)), None)
    return None if name is None else np.array([row[name] for row in rows], float)


def chosen(rows: Sequence[dict[str, Any]]) -> list[Any] | None:
    """Return the answer to each text; None if answers are numbers."""
    if not all("predicted" in row for row in rows):
        return None
    return [tuple(a) if isinstance(a := row["predicted"], list) else a for row in rows]
