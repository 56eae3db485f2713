"""IMDb from folders that TensorFlow Datasets prepared, or that are missing."""

import hashlib
import shutil

import pytest
import requests

from ftkeras.data.sources.tfds import Tfds
from ftkeras.errors import UserError
from tests.data.sources.reading import elements

HOST = "http://example.invalid/"


def write_prepared(folder):
    """Write a tiny `imdb_reviews` in the format of TensorFlow Datasets."""
    tfds = pytest.importorskip("tensorflow_datasets")
    version = folder / "imdb_reviews" / "plain_text" / "1.0.0"
    version.mkdir(parents=True)
    features = tfds.features.FeaturesDict(
        {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(names=["neg", "pos"])}
    )
    splits = []
    for split in ("train", "test"):
        rows = [{"text": f"{split} {index}", "label": index % 2} for index in range(5)]
        name = f"imdb_reviews-{split}.tfrecord-00000-of-00001"
        import tensorflow as tf

        with tf.io.TFRecordWriter(str(version / name)) as writer:
            for row in rows:
                writer.write(features.serialize_example(features.encode_example(row)))
        splits.append(
            tfds.core.SplitInfo(
                name=split,
                shard_lengths=[len(rows)],
                num_bytes=0,
                filename_template=tfds.core.ShardedFileTemplate(
                    dataset_name="imdb_reviews",
                    data_dir=version,
                    split=split,
                    filetype_suffix="tfrecord",
                ),
            )
        )
    tfds.folder_dataset.write_metadata(
        data_dir=version, features=features, split_infos=splits, check_data=False
    )
    return version


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    return folder, write_prepared(folder)


@pytest.fixture
def no_network(monkeypatch):
    def head(*_, **__):
        raise requests.ConnectionError("no network here")

    monkeypatch.setattr(requests, "head", head)


def test_every_folder_on_the_path_to_the_version_is_accepted(prepared):
    folder, version = prepared
    expected = [(b"test %d" % index, index % 2) for index in range(5)]
    for data_dir in (folder, folder / "imdb_reviews", version.parent, version):
        source = Tfds(data_dir=str(data_dir), split="test")
        assert source.prepared == version
        assert elements(source.read()) == expected


def test_missing_network_is_reported_at_once_and_leaves_nothing(tmp_path, no_network):
    with pytest.raises(UserError) as raised:
        Tfds(data_dir=str(tmp_path), host=HOST, hint=", or elsewhere").read()
    message = str(raised.value)
    assert "\n" not in message
    for part in ("`data_dir`", str(tmp_path), HOST, "prepared, or elsewhere."):
        assert part in message
    assert not list(tmp_path.iterdir())


def test_missing_file_other_data_set_and_unknown_split_are_reported(prepared, tmp_path):
    folder, version = prepared
    copy = tmp_path / "imdb_reviews" / "plain_text" / "1.0.0"
    shutil.copytree(version, copy)
    (copy / "imdb_reviews-train.tfrecord-00000-of-00001").unlink()
    with pytest.raises(UserError, match="tfrecord-00000-of-00001 is missing"):
        Tfds(data_dir=str(tmp_path)).read()
    with pytest.raises(UserError, match="holds 'imdb_reviews', not 'glue'"):
        Tfds(builder="glue/sst2", data_dir=str(version)).read()
    with pytest.raises(UserError, match="no split 'dev'"):
        Tfds(data_dir=str(folder), split="dev").read()


@pytest.mark.real_data
def test_real_imdb_is_complete_and_in_the_same_order_twice(shared_data):
    digests = []
    for _ in range(2):
        digest, labels = hashlib.sha256(), []
        for batch in (
            Tfds(data_dir=str(shared_data / "tfds")).read().batch(1000).as_numpy_iterator()
        ):
            digest.update(b"\n".join(batch["text"]))
            labels += batch["label"].tolist()
        digests.append(digest.hexdigest())
        assert len(labels) == 25_000
        assert sum(labels) == 12_500
    assert digests[0] == digests[1]


def test_files_are_those_of_the_split_and_the_description(tmp_path):
    write_prepared(tmp_path)
    found = Tfds(split="test", data_dir=str(tmp_path), host=HOST).files()
    assert [path.name for path in found] == [
        "dataset_info.json",
        "features.json",
        "imdb_reviews-test.tfrecord-00000-of-00001",
    ]
    assert all(path.is_file() for path in found)
