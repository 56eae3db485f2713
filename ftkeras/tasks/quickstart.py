"""Sentiment of generated film reviews that come with the package."""

import pathlib

import tensorflow as tf

from ftkeras import corpora
from ftkeras.data.sources.delimited import Delimited
from ftkeras.data.task import Task

_FOLDER = pathlib.Path(corpora.__file__).parent / "reviews"


class Quickstart(Task):
    """Classify short film reviews as negative or positive; 12,000 generated ones, no download.

    Source: `python -m ftkeras.corpora.make_reviews` writes the reviews.

    Args:
        data_dir: the folder of another corpus with the same three files; None for the bundled
            one.
    """

    labels = ("negative", "positive")
    language = "en"

    def __init__(self, *, data_dir: str | None = None):
        self._folder = _FOLDER if data_dir is None else pathlib.Path(data_dir)
        self.license = "Apache-2.0" if data_dir is None else None

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return train, validation and test.

        Raises:
            UserError: if a file is missing, is empty or lacks a column.
        """
        return {
            split: Delimited(path=str(self._folder / f"{split}.tsv"), labels=self.labels).read()
            for split in ("train", "validation", "test")
        }
