"""Sentiment of generated film reviews that come with the package."""

import pathlib

import tensorflow as tf

from ftkeras import corpora
from ftkeras.data.task import Task
from ftkeras.tasks.classification import Classification

_FOLDER = pathlib.Path(corpora.__file__).parent / "reviews"


class Quickstart(Task):
    """Classify 12,000 short, generated film reviews as negative or positive. No download is needed.

    Source: `python -m ftkeras.corpora.make_reviews` writes the reviews.

    Args:
        data_dir: the folder of another corpus with the same three files; None for the bundled one.
    """

    labels = ("negative", "positive")
    language = "en"

    def __init__(self, *, data_dir: str | None = None):
        folder = str(_FOLDER if data_dir is None else data_dir)
        self._files = Classification(
            train="train.tsv",
            validation="validation.tsv",
            test="test.tsv",
            text="text",
            label="label",
            labels=self.labels,
            data_dir=folder,
        )
        self.license = "Apache-2.0" if data_dir is None else None

    def files(self) -> dict[str, list[pathlib.Path]]:
        return self._files.files()

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return train, validation and test.

        Raises:
            UserError: if a file is missing, is empty or lacks a column.
        """
        return self._files.splits()
