"""The texts that were selected, as a table: what is written or shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftkeras.prediction import answers
from ftkeras.prediction.inputs import Inputs, Item


@dataclass(frozen=True)
class Table:
    """Selected texts.

    Attributes:
        inputs: where they are from; says the columns of an item's row.
        items: the texts, in the order of their selection.
        columns: what is known about each: types by name, "reason" among them.
        rows: the values of these columns, for each item.
    """

    inputs: Inputs
    items: Sequence[Item]
    columns: Mapping[str, type]
    rows: Sequence[Mapping[str, Any]]

    def lines(self) -> list[str]:
        """Return a line for each text: the reason, a tab, and the text."""
        pairs = zip(self.rows, self.items, strict=True)
        return [f"{row['reason']}\t{' '.join(item.shown.split())}" for row, item in pairs]

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each text: the columns of the input, and those of the selection."""
        pairs = zip(self.items, self.rows, strict=True)
        return [{**dict(zip(self.inputs.columns, i.row, strict=True)), **row} for i, row in pairs]

    def write(self, output: str) -> None:
        """Write the columns of the input, and those of the selection.

        Raises:
            UserError: if the file can't be written.
        """
        with answers.open_answers(output, self.inputs, self.columns) as draft:
            for first in range(0, len(self.items), answers.CHUNK):
                part = slice(first, first + answers.CHUNK)
                values = [tuple(row[name] for name in self.columns) for row in self.rows[part]]
                items = self.items[part]
                whole = [(*i.row, *v) for i, v in zip(items, values, strict=True)]
                draft.write(items, whole)


def decision(names: Sequence[str], probabilities: Any) -> str:
    """Return the least certain decision about a text, in words.

    Args:
        names: of the alternatives if there is one decision; or of the decisions, each of which is
            no or yes.
        probabilities: [decisions, alternatives].

    >>> decision(("bad", "good", "so-so"), [[0.2, 0.5, 0.3]])
    'good 0.50, so-so 0.30'
    >>> decision(("joy", "fear"), [[0.1, 0.9], [0.6, 0.4]])
    'fear 0.40'
    """
    if len(probabilities) == 1 and len(probabilities[0]) == len(names):
        ranked = sorted(zip(probabilities[0], names, strict=True), key=lambda pair: -pair[0])
        return ", ".join(f"{name} {p:.2f}" for p, name in ranked[:2])
    number = min(range(len(names)), key=lambda n: abs(probabilities[n][1] - 0.5))
    return f"{names[number]} {probabilities[number][1]:.2f}"
