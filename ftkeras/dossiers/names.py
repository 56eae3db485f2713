"""Find names of people with a spaCy model, if one is installed."""

from collections.abc import Iterable, Iterator

from ftkeras.dossiers.detection import Found

KIND = "name of a person"
# What models call people: PERSON after OntoNotes, PER after WikiNER and CoNLL.
LABELS = ("PERSON", "PER")
MISSING = (
    "patterns don't find them, and no model of spaCy is installed; pip install spacy, then "
    "python -m spacy download en_core_web_sm, or the model of another language."
)


class NameFinder:
    """A spaCy model that marks people.

    Args:
        model: the name of an installed model.
    """

    def __init__(self, model: str):
        import spacy  # pyright: ignore[reportMissingImports]

        self.model = model
        self._pipeline = spacy.load(model)

    def find(self, texts: Iterable[str]) -> Iterator[tuple[str, list[Found]]]:
        """Yield each text, cut where the model's limit is, with the names in it."""
        limit = self._pipeline.max_length
        for read in self._pipeline.pipe(text[:limit] for text in texts):
            people = [one for one in read.ents if one.label_ in LABELS]
            yield read.text, [Found(KIND, one.start_char, one.end_char) for one in people]


def installed() -> NameFinder | None:
    """Return the first installed model by name; None without spaCy or a model."""
    try:
        from spacy.util import get_installed_models  # pyright: ignore[reportMissingImports]
    except ImportError:
        return None
    return NameFinder(min(models)) if (models := get_installed_models()) else None
