"""Sentiment of IMDb's film reviews."""

import pathlib

import tensorflow as tf

from ftkeras.data.sources.acl_imdb import AclImdb
from ftkeras.data.sources.tfds import Tfds
from ftkeras.data.task import Task

_HOMEPAGE = "http://ai.stanford.edu/~amaas/data/sentiment/"


class Imdb(Task):
    """Classify film reviews as negative or positive: 25,000 for training and 25,000 for testing.

    Source: Maas et al., Learning Word Vectors for Sentiment Analysis, ACL 2011,
    http://ai.stanford.edu/~amaas/data/sentiment/.

    Args:
        data_dir: a folder that TensorFlow Datasets prepared (or is to download to),
            `aclImdb_v1.tar.gz`, the `aclImdb` folder, a folder that contains either, or None for
            TensorFlow Datasets' default folder.
    """

    labels = ("negative", "positive")
    homepage = _HOMEPAGE
    language = "en"
    hub_dataset = "stanfordnlp/imdb"
    citation = (
        "Maas, Daly, Pham, Huang, Ng and Potts. Learning Word Vectors for Sentiment Analysis."
        " ACL 2011, pages 142-150. http://www.aclweb.org/anthology/P11-1015"
    )

    def __init__(self, *, data_dir: str | None = None):
        self._data_dir = data_dir

    def files(self) -> dict[str, list[pathlib.Path]]:
        return {split: self._source(split).files() for split in ("train", "test")}

    def splits(self) -> dict[str, tf.data.Dataset]:
        """Return train and test, from TensorFlow Datasets or from the authors' own files.

        Raises:
            UserError: if the data is not available.
        """
        return {split: self._source(split).read() for split in ("train", "test")}

    def texts(self) -> dict[str, tf.data.Dataset]:
        """Return the texts of test, and those of train with the 50,000 that nobody has labelled."""
        texts = {
            split: self._source(split).read().map(lambda example: {"text": example["text"]})
            for split in ("train", "test", "unsupervised")
        }
        return {"train": texts["train"].concatenate(texts["unsupervised"]), "test": texts["test"]}

    def _source(self, split: str) -> AclImdb | Tfds:
        tfds = Tfds(
            builder="imdb_reviews/plain_text",
            split=split,
            data_dir=self._data_dir,
            host=_HOMEPAGE,
            hint=", at aclImdb_v1.tar.gz, or at the aclImdb folder it unpacks to",
        )
        if self._data_dir is None or tfds.prepared:
            return tfds
        path = AclImdb.find(self._data_dir)
        return AclImdb(path=path, split=split) if path else tfds
