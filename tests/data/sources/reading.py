"""Reads a dataset whole, and writes what a source reads."""

import io
import pathlib
import tarfile

import tensorflow as tf

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
    """Every element as (text, label) or (text, pair, label)."""
    return [
        tuple(row[name] for name in ("text", "pair", "label") if name in row)
        for row in dataset.as_numpy_iterator()
    ]


def write_tree(folder: pathlib.Path) -> pathlib.Path:
    """An `aclImdb` tree of a few reviews."""
    for name, text in REVIEWS.items():
        path = folder / "aclImdb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return folder / "aclImdb"


def write_archive(folder: pathlib.Path) -> pathlib.Path:
    """The same as `aclImdb_v1.tar.gz`."""
    path = folder / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in REVIEWS.items():
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return path
