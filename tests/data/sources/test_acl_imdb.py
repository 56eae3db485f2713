"""IMDb as its authors publish it: as a folder and as an archive."""

import io
import tarfile

import pytest

from ftkeras.data.sources.acl_imdb import AclImdb
from ftkeras.errors import UserError
from tests.data.sources.reading import REVIEWS, elements, write_archive, write_tree


def test_folder_mixes_the_classes_and_omits_unsup(tmp_path):
    tree = str(write_tree(tmp_path))
    names = ["neg/0_3", "pos/0_9", "neg/1_1", "pos/1_10"]
    expected = [(REVIEWS[f"train/{n}.txt"], int(n.startswith("pos"))) for n in names]
    assert elements(AclImdb(path=tree, split="train").read()) == sorted(
        expected, key=lambda row: [REVIEWS[f"train/{n}.txt"] for n in names].index(row[0])
    )
    assert elements(AclImdb(path=tree, split="test").read()) == [(b"Weak.", 0), (b"Fine.", 1)]


def test_archive_has_the_examples_of_the_folder(tmp_path):
    tree, archive = str(write_tree(tmp_path)), str(write_archive(tmp_path))
    for split in ("train", "test"):
        from_tree = elements(AclImdb(path=tree, split=split).read())
        dataset = AclImdb(path=archive, split=split).read()
        assert sorted(elements(dataset)) == sorted(from_tree)
        assert elements(dataset) == elements(dataset)


def test_find_accepts_the_folder_the_archive_and_what_contains_them(tmp_path):
    assert AclImdb.find(str(tmp_path)) is None
    archive = write_archive(tmp_path)
    assert AclImdb.find(str(tmp_path)) == AclImdb.find(str(archive)) == str(archive)
    tree = write_tree(tmp_path)
    assert AclImdb.find(str(tmp_path)) == AclImdb.find(str(tree)) == str(tree)


def test_file_that_is_not_an_archive_is_refused_at_once(tmp_path):
    path = tmp_path / "reviews.txt"
    path.write_text("not an archive")
    with pytest.raises(UserError, match=r"`data_dir`.*not a tar archive"):
        AclImdb(path=str(path), split="train").read()


def test_folder_without_a_class_is_refused_at_once(tmp_path):
    tree = write_tree(tmp_path)
    (tree / "test" / "pos" / "0_7.txt").unlink()
    with pytest.raises(UserError, match="test/pos"):
        AclImdb(path=str(tree), split="test").read()


def test_broken_or_foreign_archive_is_reported(tmp_path):
    whole = write_archive(tmp_path).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as archive:
        archive.addfile(tarfile.TarInfo("a/b.txt"), io.BytesIO())
    for path, message in ((cut, "broken archive"), (other, "holds no train/neg")):
        with pytest.raises(UserError, match=message):
            elements(AclImdb(path=str(path), split="train").read())


def test_unknown_split_is_refused():
    with pytest.raises(ValueError, match=r"`split`.*Received: 'dev'"):
        AclImdb(path="x", split="dev")


def test_files_are_those_of_the_split(tmp_path):
    tree, archive = write_tree(tmp_path), write_archive(tmp_path)
    found = AclImdb(path=str(tree), split="train").files()
    assert {path.relative_to(tree).as_posix() for path in found} == {
        "train/neg/0_3.txt",
        "train/neg/1_1.txt",
        "train/pos/0_9.txt",
        "train/pos/1_10.txt",
    }
    assert AclImdb(path=str(archive), split="train").files() == [archive]
