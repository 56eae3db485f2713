"""Read IMDb from any folder that `data_dir` may name."""

import pytest

from ftkeras.errors import UserError
from ftkeras.tasks.imdb import Imdb
from tests.data.sources.reading import elements, write_archive, write_tree
from tests.data.sources.test_tfds import no_network, prepared  # noqa: F401


def test_tree_archive_and_prepared_folder_are_read(tmp_path, prepared):  # noqa: F811
    for data_dir in (write_tree(tmp_path), tmp_path, write_archive(tmp_path)):
        splits = Imdb(data_dir=str(data_dir)).splits()
        assert set(splits) == {"train", "test"}
        assert sorted(elements(splits["test"])) == [(b"Fine.", 1), (b"Weak.", 0)]
    assert elements(Imdb(data_dir=str(prepared[0])).splits()["train"])[1] == (b"train 1", 1)


def test_prepared_folder_takes_precedence_over_an_archive(tmp_path, prepared):  # noqa: F811
    (tmp_path / "imdb_reviews").symlink_to(prepared[0] / "imdb_reviews")
    write_archive(tmp_path)
    assert elements(Imdb(data_dir=str(tmp_path)).splits()["train"])[0] == (b"train 0", 0)


def test_missing_data_says_what_to_do(tmp_path, no_network):  # noqa: F811
    with pytest.raises(UserError, match=r"`data_dir`.*aclImdb_v1\.tar\.gz.*aclImdb folder"):
        Imdb(data_dir=str(tmp_path)).splits()
    assert not list(tmp_path.iterdir())


@pytest.mark.real_data
def test_real_imdb_starts_with_the_known_review(shared_data):
    test = Imdb(data_dir=str(shared_data / "tfds")).splits()["test"]
    first = next(test.as_numpy_iterator())
    assert first["text"].startswith(b"There are films that make careers.")
    assert Imdb.labels[first["label"]] == "positive"
