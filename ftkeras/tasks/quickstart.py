"""Sentiment of the bundled corpus of generated reviews."""

import pathlib

import tensorflow as tf

from ftkeras import corpora
from ftkeras.sources.delimited import Delimited

_FOLDER = pathlib.Path(corpora.__file__).parent / "reviews"


class Quickstart:
    """Is a short movie review negative or positive? Thousands of generated ones, no download.

    Source: `python -m ftkeras.corpora.make_reviews` writes them.
    """

    head = "classification"
    labels = ("negative", "positive")
    pairs = False
    homepage = None
    citation = None

    def splits(self, data_dir: str | None) -> dict[str, tf.data.Dataset]:
        """Train, validation and test.

        Args:
            data_dir: folder of another corpus of the same three files, or None for the bundled one.

        Raises:
            UserError: for a file that is missing, empty or lacks a column.
        """
        folder = _FOLDER if data_dir is None else pathlib.Path(data_dir)
        return {
            split: Delimited(path=str(folder / f"{split}.tsv"), labels=self.labels).read()
            for split in ("train", "validation", "test")
        }
