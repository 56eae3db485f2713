"""The Large Movie Review Dataset as its authors publish it."""

import pathlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any, cast

import tensorflow as tf

from ftkeras.data.sources.stream import Example, stream
from ftkeras.errors import UserError
from ftkeras.support import files

# The folders of a split's texts, and their labels; texts without one get -1.
_LABELS = {"neg": 0, "pos": 1}
_FOLDERS = {
    **{
        f"{split}/{name}": (split, label)
        for split in ("train", "test")
        for name, label in _LABELS.items()
    },
    "train/unsup": ("unsupervised", -1),
}
_MEMBER = re.compile(r"(?:.*/)?((?:train|test)/(?:neg|pos|unsup))/[^/]+\.txt")


class AclImdb:
    """One split of `aclImdb_v1.tar.gz`, or of the folder `aclImdb/` that it unpacks to.

    Files in `<split>/neg/` have label 0, those in `<split>/pos/` label 1. Those in `train/unsup/`
    are the split "unsupervised", and have -1 instead. A folder is read in the order of its file
    names, which mixes the classes; an archive in its own order.

    Source: Maas et al., 2011, http://ai.stanford.edu/~amaas/data/sentiment/.

    Args:
        path: the archive or the folder.
        split: "train", "test" or "unsupervised".

    Raises:
        ValueError: if an argument is wrong. The message names it and the value.
    """

    def __init__(self, *, path: str, split: str):
        if split not in ("train", "test", "unsupervised"):
            raise ValueError(
                f"`split` must be 'train', 'test' or 'unsupervised'. Received: {split!r}"
            )
        self._path = pathlib.Path(path)
        self._split = split

    @staticmethod
    def find(folder: str) -> str | None:
        """Return the archive or the `aclImdb` folder that `folder` is or contains, if any."""
        path = pathlib.Path(folder).expanduser()
        if path.is_file():
            return str(path)
        for tree in (path, path / "aclImdb"):
            if (tree / "train" / "pos").is_dir():
                return str(tree)
        archive = path / "aclImdb_v1.tar.gz"
        return str(archive) if archive.is_file() else None

    def read(self) -> tf.data.Dataset:
        """Return the split's examples; only the file names are read before the first pass.

        Raises:
            UserError: if the path is neither an archive nor a folder with both classes.
        """
        if self._path.is_dir():
            return self._read_folder()
        try:
            readable = tarfile.is_tarfile(self._path)
        except OSError as error:
            raise self._error(str(error.strerror)) from error
        if not readable:
            raise self._error("not a tar archive")
        return stream(self._members)

    def files(self) -> list[pathlib.Path]:
        """Return the archive, or the texts of the split in the folder."""
        if not self._path.is_dir():
            return [self._path]
        return [path for name in self._folders for path in files.within(self._path / name)]

    @property
    def _folders(self) -> dict[str, int]:
        """The label of each folder of the split."""
        return {n: label for n, (split, label) in _FOLDERS.items() if split == self._split}

    def _read_folder(self) -> tf.data.Dataset:
        texts = [
            (path.name, label, str(path))
            for folder, label in self._folders.items()
            for path in (self._path / folder).glob("*.txt")
        ]
        if len({label for _, label, _ in texts}) < len(self._folders):
            raise self._error(f"needs .txt files in {' and '.join(self._folders)}")
        _, labels, paths = zip(*sorted(texts), strict=True)
        columns: Any = {"text": list(paths), "label": tf.constant(labels, tf.int64)}
        examples = tf.data.Dataset.from_tensor_slices(columns)
        return examples.map(
            lambda example: example | {"text": tf.io.read_file(example["text"])},
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def _members(self) -> Iterator[Example]:
        empty = True
        try:
            with tarfile.open(self._path) as archive:
                for member in archive:
                    # tarfile remembers every member that it has passed, all 100,000 of them.
                    cast(Any, archive).members.clear()
                    match = _MEMBER.fullmatch(member.name)
                    if match and match[1] in self._folders and member.isfile():
                        empty = False
                        file = archive.extractfile(member)
                        assert file is not None, "it is a regular file"
                        text = file.read()
                        yield {"text": text, "label": self._folders[match[1]]}
        except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
            raise self._error(f"broken archive: {error}") from error
        if empty:
            expected = " or ".join(f"{folder}/*.txt" for folder in self._folders)
            raise self._error(f"holds no {expected}")

    def _error(self, reason: str) -> UserError:
        return UserError(
            f"`data_dir`: cannot read IMDb from {str(self._path)!r} ({reason}). Point it at"
            " aclImdb_v1.tar.gz, at the aclImdb folder, or at a folder that TensorFlow Datasets"
            " prepared."
        )
