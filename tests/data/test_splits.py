import pathlib

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.data.task import Task
from ftkeras.data.token_cache import cache_folder
from ftkeras.errors import UserError
from ftkeras.reports import training
from tests.matrix import matrix


class Colors(Task):
    """100 texts to train on and 20 to test on; text 7 is in both."""

    labels = ("red", "green", "blue")

    def __init__(self, *, own_validation: bool = False):
        self.own_validation = own_validation

    def splits(self):
        splits = {"train": self._texts(range(100)), "test": self._texts([7, *range(200, 219)])}
        return splits | (
            {"validation": self._texts(range(300, 310))} if self.own_validation else {}
        )

    def _texts(self, numbers):
        numbers = list(numbers)
        labels = [0 if n % 10 < 6 else 1 if n % 10 < 9 else 2 for n in numbers]
        texts = [f"text {n}" for n in numbers]
        return tf.data.Dataset.from_tensor_slices({"text": texts, "label": np.int64(labels)})


def _one_token(texts, pairs=None):
    """Stand in for a text layer; it has no identity, so it can't be used with a cache."""
    return {"token_ids": tf.RaggedTensor.from_tensor(tf.ones([tf.size(texts), 1], tf.int32))}


def _config(**settings) -> Config:
    return Config(cache_dir="none", **settings)


def _rows(**settings) -> dict:
    own = settings.pop("own_validation", False)
    task = Colors(own_validation=own)
    with open_splits(_config(**settings), task, _one_token) as splits:
        names = ("train", "validation", "test")
        return {name: getattr(splits, name).rows.tolist() for name in names}


def test_validation_is_a_stratified_tenth_of_train():
    with open_splits(_config(), Colors(), _one_token) as splits:
        assert np.bincount(splits.validation.targets).tolist() == [6, 3, 1]
        assert np.bincount(splits.train.targets).tolist() == [54, 27, 9]
        assert sorted([*splits.train.rows, *splits.validation.rows]) == list(range(100))


def test_own_validation_leaves_train_complete():
    rows = _rows(own_validation=True)
    assert (len(rows["train"]), len(rows["validation"])) == (100, 10)


def test_limits_keep_the_balance_of_the_whole():
    settings = {"train_examples": 20, "validation_examples": 5, "test_examples": 10}
    with open_splits(_config(**settings), Colors(), _one_token) as splits:
        assert np.bincount(splits.train.targets).tolist() == [12, 6, 2]
        assert len(splits.validation) == 5
        assert len(splits.test) == 10
        assert not set(splits.train.rows) & set(splits.validation.rows)


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"train_examples": 45}, 5),
        ({"train_examples": 3}, 3),  # one of each class
        ({"train_examples": 90}, 10),
        ({"train_examples": 45, "validation_examples": 8}, 8),
        ({"train_examples": 45, "own_validation": True}, 10),
    ],
)
def test_held_out_validation_shrinks_with_train(settings, size):
    assert len(_rows(**settings)["validation"]) == size


def test_choice_depends_on_the_data_seed_alone():
    first = _rows(train_examples=20)
    assert _rows(train_examples=20, seed=9, epochs=7) == first
    assert _rows(train_examples=20, data_seed=1) != first


@pytest.mark.parametrize("count", matrix([88, 89, 90, 10_000], default=[89, 10_000]))
def test_as_many_as_there_are_can_be_asked_for(count):
    assert len(_rows(train_examples=count)["train"]) == min(count, 90)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train_examples": 2}, "train_examples=2 selects 2 of 90 examples, .* at least 3, one of"),
        (
            {"validation_share": 0.02},
            "validation_share=0.02 selects 2 of 100 .* at least 3, one",
        ),
        ({"validation_share": 0.98}, "validation_share=0.98 leaves 2 of 100 examples to train"),
    ],
)
def test_fewer_examples_than_classes_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        _rows(**settings)


def test_single_class_is_refused():
    class OneColor(Colors):
        def _texts(self, numbers):
            return super()._texts(numbers).filter(lambda row: row["label"] == 2)

    with (
        open_splits(_config(), OneColor(), _one_token) as splits,
        pytest.raises(
            UserError, match=r"all examples of the train split \(9\) are 'blue'.*classifier\.$"
        ),
    ):
        splits.train  # noqa: B018


def test_texts_in_train_and_test_are_counted():
    with open_splits(_config(), Colors(), _one_token) as splits:
        assert splits.counts() == {
            "train": 90,
            "validation": 10,
            "test": 20,
            "in_train_and_validation": 0,
            "in_train_and_test": 1,
        }


def test_texts_in_train_and_validation_are_counted_and_reported():
    class Repeating(Colors):
        def splits(self):
            train = super().splits()["train"].take(30)
            return {**super().splits(), "train": train, "validation": train.take(8)}

    with open_splits(_config(), Repeating(), _one_token) as splits:
        counts = splits.counts()
        assert counts["in_train_and_validation"] == 8
        assert "8 texts of validation are in train too" in training.examples(splits, counts)


class Named:
    """A text layer with any identity."""

    def __init__(self, **identity):
        self.identity = lambda: identity

    def __call__(self, texts, pairs=None):
        return _one_token(texts, pairs)


def _tokenize_all(config, layer) -> list[str]:
    """Tokenize all splits and return the entries that are in the cache now."""
    with open_splits(config, Colors(), layer) as splits:
        splits.counts()
    return sorted(str(path) for path in pathlib.Path(config.cache_dir).glob("token_ids/*/*"))


def test_token_ids_are_cached_by_split_and_settings(tmp_path, capsys):
    config = Config(cache_dir=str(tmp_path / "cache"))
    entries = _tokenize_all(config, Named(length=8))
    assert len(entries) == 2
    assert "from the cache" not in capsys.readouterr().out
    assert _tokenize_all(config, Named(length=8)) == entries
    assert "train: token ids of 100 texts from the cache" in capsys.readouterr().out
    assert len(_tokenize_all(config, Named(length=9))) == 4


def test_default_cache_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(Config()) == tmp_path / "ftkeras"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder(Config()) == tmp_path / "home" / ".cache" / "ftkeras"


def test_cache_can_be_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with open_splits(Config(cache_dir="none"), Colors(), Named()) as splits:
        assert len(splits.train) == 90
    assert list(tmp_path.iterdir()) == []


def test_cache_that_can_not_be_written_is_reported(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cache_dir=.*can't be written"):
        cache_folder(Config(cache_dir=str(tmp_path / "file" / "cache")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with open_splits(Config(), Colors(), Named()) as splits:
        assert len(splits.train) == 90
    assert "note: token ids are not cached for the next run" in capsys.readouterr().out


class Flaky(Colors):
    """A source that breaks off in the middle, the first `failures` times."""

    def __init__(self, failures: int):
        super().__init__()
        self.failures = failures

    def _texts(self, numbers):
        def rows():
            for number, row in enumerate(whole.as_numpy_iterator()):
                if number == 5 and self.failures:
                    self.failures -= 1
                    raise ConnectionError("the line is dead")
                yield row

        whole = super()._texts(numbers)
        return tf.data.Dataset.from_generator(rows, output_signature=whole.element_spec)


@pytest.mark.parametrize("cache_dir", matrix(["cache", "none"], default=["cache"]))
def test_source_that_fails_is_read_again(monkeypatch, tmp_path, capsys, cache_dir):
    monkeypatch.setattr("ftkeras.data.reading.SECONDS_BEFORE_RETRY", (0, 0))
    monkeypatch.chdir(tmp_path)
    with open_splits(Config(cache_dir=cache_dir), Flaky(2), Named()) as splits:
        assert len(splits.train) == 90
        assert splits.train.rows.tolist() == _rows()["train"]
    warnings = capsys.readouterr().err
    assert warnings.count("warning: --task=imdb: the train split can't be read: Conn") == 2
    assert warnings.count("the line is dead; trying again in 0 s") == 2


def test_source_that_keeps_failing_is_reported(monkeypatch):
    monkeypatch.setattr("ftkeras.data.reading.SECONDS_BEFORE_RETRY", (0, 0))
    with (
        open_splits(_config(), Flaky(100), _one_token) as splits,
        pytest.raises(UserError, match="task=imdb: the train split .*read: Conn.*dead"),
    ):
        splits.train  # noqa: B018


class OneFile(Colors):
    """The training texts of Colors alone."""

    def splits(self):
        return {"train": super().splits()["train"]}


def _own_rows(**settings) -> dict[str, list[int]]:
    settings = {"group_by": None, **settings}
    with open_splits(_config(**settings), OneFile(), _varied_tokens) as splits:
        parts = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        return {name: part.rows.tolist() for name, part in parts.items()}


def _varied_tokens(texts, pairs=None):
    """Stand in for a text layer: each text is a token of its own, so none are alike."""
    token_ids = tf.cast(tf.strings.to_hash_bucket_fast(texts, 2**30), tf.int32)
    return {"token_ids": tf.RaggedTensor.from_tensor(token_ids[:, None])}


def test_without_test_data_a_tenth_each_is_held_out_for_validation_and_test():
    rows = _own_rows()
    assert {name: len(part) for name, part in rows.items()} == {
        "train": 80,
        "validation": 10,
        "test": 10,
    }
    assert sorted(row for part in rows.values() for row in part) == list(range(100))
    for name in ("validation", "test"):
        labels = [0 if n % 10 < 6 else 1 if n % 10 < 9 else 2 for n in rows[name]]
        assert np.bincount(labels).tolist() == [6, 3, 1]


def test_what_is_held_out_depends_on_the_seed_of_the_data():
    assert _own_rows() == _own_rows(seed=5)
    assert _own_rows()["test"] != _own_rows(data_seed=1)["test"]


def test_held_out_test_is_in_no_fold():
    test = set(_own_rows()["test"])
    for fold in range(3):
        rows = _own_rows(folds=3, fold=fold, group_by="none")
        assert test.isdisjoint([*rows["train"], *rows["validation"]])
        assert len(rows["train"]) + len(rows["validation"]) == 90


class Alike(Colors):
    """Texts that are near-duplicates of each other, without test data."""

    def splits(self):
        words = " ".join(f"word{n}" for n in range(40))
        texts = [f"{words} {n}" for n in range(20)]
        labels = np.int64(np.arange(20) % 3)
        return {"train": tf.data.Dataset.from_tensor_slices({"text": texts, "label": labels})}


def test_near_duplicates_that_leave_nothing_to_hold_out_are_refused():
    with (
        open_splits(_config(), Alike(), _one_token) as splits,
        pytest.raises(UserError, match="nothing is left for the .* split; .* `validation_data`"),
    ):
        splits.counts()


class Few(Colors):
    """So few texts that one is held out, without test data."""

    def splits(self):
        return {"train": self._texts(range(10))}


def test_held_out_example_alone_is_refused_with_a_remedy():
    remedy = r"Increase `validation_share` \(now 0.1\), name `validation_data`, or use `cross"
    with (
        open_splits(_config(), Few(), _varied_tokens) as splits,
        pytest.raises(UserError, match=rf"validation split \(1\) are 'red'.*classifier. {remedy}"),
    ):
        splits.counts()
