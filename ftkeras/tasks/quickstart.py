"""Sentiment of the bundled corpus of generated reviews."""

import pathlib

import tensorflow as tf

from ftkeras import corpora
from ftkeras.data.sources.delimited import Delimited

_FOLDER = pathlib.Path(corpora.__file__).parent / "reviews"


class Quickstart:
    """Is a short movie review negative or positive? Thousands of generated ones, no download.

    Source: `python -m ftkeras.corpora.make_reviews` writes them.

    Args:
        data_dir: folder of another corpus of the same three files, or None for the bundled one.
    """

    head = "classification"
    labels = ("negative", "positive")
    pairs = False
    homepage = None
    citation = None

    def __init__(self, *, data_dir: str | None = None):
        self._folder = _FOLDER if data_dir is None else pathlib.Path(data_dir)
        self.license = "Apache-2.0" if data_dir is None else None

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Train, validation and test.

        Raises:
            UserError: for a file that is missing, empty or lacks a column.
        """
        return {
            split: Delimited(path=str(self._folder / f"{split}.tsv"), labels=self.labels).read()
            for split in ("train", "validation", "test")
        }
