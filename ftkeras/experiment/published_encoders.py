"""Well-known encoders: their sizes and languages, and figures that were published of them.

They are in `published_encoders.tsv`, a line for each source of an encoder's figures. The figures
are quotations, in per cent: settings differ between papers.
"""

import csv
import dataclasses
import functools
import pathlib

MANY = "many"  # about 100 languages


@dataclasses.dataclass(frozen=True)
class Published:
    """An encoder on the Hugging Face Hub.

    Attributes:
        checkpoint: its id there.
        layers: number of Transformer layers.
        hidden: width of the states.
        millions: of parameters.
        languages: codes of ISO 639-1 of those it was pretrained on, or `MANY`.
        figures: published figures, and the source of each.
    """

    checkpoint: str
    layers: int
    hidden: int
    millions: float
    languages: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]

    @property
    def megabytes(self) -> float:
        """The megabytes that the weights take in float32."""
        return self.millions * 4

    def reads(self, language: str | None) -> bool:
        """Return whether it was pretrained on a language; None is any.

        >>> [e.checkpoint for e in published() if e.reads("fr") and not e.reads("de")]
        ['almanach/camembert-base']
        """
        return language is None or language in self.languages or MANY in self.languages


@functools.cache
def published() -> tuple[Published, ...]:
    """Return the encoders in the order of the file, each once.

    >>> [e.figures[0][0] for e in published() if e.checkpoint == "google-bert/bert-base-uncased"]
    ['MNLI 84.6, SST-2 93.5 (test)']
    """
    by_name: dict[str, Published] = {}
    path = pathlib.Path(__file__).with_suffix(".tsv")
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            name = row["checkpoint"]
            figures = ((row["figures"], row["source"]),) if row["figures"] else ()
            before = by_name[name].figures if name in by_name else ()
            by_name[name] = Published(
                checkpoint=name,
                layers=int(row["layers"]),
                hidden=int(row["hidden"]),
                millions=float(row["millions"]),
                languages=tuple(row["languages"].split(",")),
                figures=before + figures,
            )
    return tuple(by_name.values())
