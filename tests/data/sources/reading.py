"""Read whole datasets, and write files for sources to read."""

import io
import pathlib
import tarfile

import tensorflow as tf

from ftkeras.data.sources.stream import reraise_user_errors

REVIEWS = {
    "train/neg/0_3.txt": b"Dull.",
    "train/neg/1_1.txt": b"A waste of time.",
    "train/pos/0_9.txt": "Très good.".encode(),
    "train/pos/1_10.txt": b"Worth every minute. \xff\x00",
    "train/unsup/0_0.txt": b"Nobody knows.",
    "train/urls_pos.txt": b"http://example.com",
    "test/neg/0_2.txt": b"Weak.",
    "test/pos/0_7.txt": b"Fine.",
}


def elements(dataset: tf.data.Dataset) -> list[tuple]:
    """Return every element as (text, label) or (text, pair, label).

    Raises:
        UserError: if the dataset's source raises one.
    """
    rows: list[tuple] = []
    with reraise_user_errors():
        for batch in dataset.batch(512).as_numpy_iterator():
            columns = [batch[name] for name in ("text", "pair", "label") if name in batch]
            rows.extend(zip(*columns, strict=True))
    return rows


def write_tree(folder: pathlib.Path) -> pathlib.Path:
    """Write an `aclImdb` folder of a few reviews."""
    for name, text in REVIEWS.items():
        path = folder / "aclImdb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return folder / "aclImdb"


def write_archive(folder: pathlib.Path) -> pathlib.Path:
    """Write the same reviews as `aclImdb_v1.tar.gz`."""
    path = folder / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in REVIEWS.items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return path
