import tracemalloc
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from ftkeras.config.run import Config
from ftkeras.data import folds
from ftkeras.data.splits import open_splits
from ftkeras.data.task import Task
from ftkeras.errors import UserError
from ftkeras.experiment import checks
from ftkeras.tasks.classification import Classification
from tests.matrix import examples, matrix

FOLDS = 5


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=200))
def test_no_group_is_split(examples):
    labels, groups = np.array(examples).T
    fold_of = folds.assign_folds(labels, groups, folds=FOLDS, seed=0)
    assert len(fold_of) == len(labels)
    assert set(fold_of) <= set(range(FOLDS))
    for group in np.unique(groups):
        assert len(np.unique(fold_of[groups == group])) == 1


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.integers(2, 7), st.integers(0, 9))
def test_class_has_the_same_share_in_every_fold(labels, count, seed):
    labels = np.array(labels)
    fold_of = folds.assign_folds(labels, np.arange(len(labels)), folds=count, seed=seed)
    for label in np.unique(labels):
        counts = np.bincount(fold_of[labels == label], minlength=count)
        assert counts.max() - counts.min() <= 1
    sizes = np.bincount(fold_of, minlength=count)
    assert sizes.max() - sizes.min() <= len(np.unique(labels))


def test_class_counts_are_those_of_scikit_learn():
    labels = np.random.default_rng(0).choice(3, 600, p=[0.7, 0.2, 0.1])
    ours = folds.assign_folds(labels, np.arange(600), folds=FOLDS, seed=0)
    theirs = np.zeros(600, int)
    for fold, (_, held) in enumerate(StratifiedKFold(FOLDS).split(labels, labels)):
        theirs[held] = fold
    for label in range(3):
        counts = [np.bincount(fold_of[labels == label]) for fold_of in (ours, theirs)]
        assert sorted(counts[0]) == sorted(counts[1])


def test_groups_of_different_sizes_leave_class_shares_even():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(300), rng.integers(1, 9, 300))
    labels = rng.choice(3, len(groups), p=[0.6, 0.3, 0.1])
    fold_of = folds.assign_folds(labels, groups, folds=FOLDS, seed=0)
    for label in range(3):
        counts = np.bincount(fold_of[labels == label])
        assert counts.max() - counts.min() <= 0.05 * counts.mean() + 2


def test_folds_are_at_least_as_even_as_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    labels, groups = rng.choice(3, 600, p=[0.6, 0.3, 0.1]), rng.integers(0, 150, 600)
    theirs = np.zeros(600, int)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
        theirs[held_out] = fold
    ours = folds.assign_folds(labels, groups, folds=FOLDS, seed=0)

    def spread(fold_of):
        return max(np.ptp(np.bincount(fold_of[labels == label])) for label in range(3))

    assert spread(ours) <= spread(theirs)


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [2, 2], [30, 1], [3]])
def test_classes_with_fewer_examples_than_folds_are_spread(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    fold_of = folds.assign_folds(labels, np.arange(len(labels)), folds=FOLDS, seed=0)
    for label, size in enumerate(sizes):
        assert len(np.unique(fold_of[labels == label])) == min(size, FOLDS)


def test_folds_of_a_seed_stay_the_same():
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 40, 2000), rng.integers(0, 300, 2000)
    fold_of = folds.assign_folds(labels, groups, folds=FOLDS, seed=0)
    assert zlib.crc32(fold_of.astype(np.uint8)) == 1031240475


def test_groups_of_many_classes_need_no_table_of_both():
    numbers = np.arange(2000)
    tracemalloc.start()
    fold_of = folds.assign_folds(numbers, numbers, folds=FOLDS, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(numbers) ** 2  # bytes
    assert np.bincount(fold_of).tolist() == [400] * FOLDS


def test_folds_depend_on_the_seed():
    labels = np.arange(100) % 2
    first = folds.assign_folds(labels, np.arange(100), folds=FOLDS, seed=(3, 0))
    assert np.array_equal(
        folds.assign_folds(labels, np.arange(100), folds=FOLDS, seed=(3, 0)), first
    )
    assert not np.array_equal(
        folds.assign_folds(labels, np.arange(100), folds=FOLDS, seed=(3, 1)), first
    )


class Numbers(Task):
    """60 texts of ten words to train on, 20 to validate, 4 to test; the first two are equal."""

    labels = ("even", "odd")

    def __init__(self, *, own_validation: bool = False):
        self.own_validation = own_validation

    def splits(self):
        splits = {"train": self._texts(0, 60), "test": self._texts(500, 504)}
        return splits | ({"validation": self._texts(60, 80)} if self.own_validation else {})

    def _texts(self, first, last):
        numbers = [max(1, number) for number in range(first, last)]
        labels = np.arange(last - first, dtype=np.int64) % 2
        return tf.data.Dataset.from_tensor_slices(
            {"text": list(map(str, numbers)), "label": labels}
        )


def _ten_words(texts, pairs=None):
    """Return token ids that two texts share only if they are equal."""
    first = 10 * tf.strings.to_number(texts, tf.int32)[:, None]
    return {"token_ids": tf.RaggedTensor.from_tensor(first + tf.range(10)[None])}


def _held_out(task, **settings) -> list[tuple[list, list]]:
    """Return the rows of train and of validation, fold by fold."""
    rows = []
    for fold in range(settings["folds"]):
        config = Config(fold=fold, cache_dir="none", **settings)
        with open_splits(config, task, _ten_words) as splits:
            rows.append((splits.train.rows.tolist(), splits.validation.rows.tolist()))
    return rows


@pytest.mark.parametrize("own_validation", matrix([False, True], default=[True]))
def test_every_example_is_validated_once(own_validation):
    rows = _held_out(Numbers(own_validation=own_validation), folds=4)
    count = 80 if own_validation else 60
    assert sorted(row for _, validation in rows for row in validation) == list(range(count))
    for train, validation in rows:
        assert sorted(train + validation) == list(range(count))


def test_train_examples_limits_the_pool():
    rows = _held_out(Numbers(), folds=3, train_examples=30)
    assert {len(train) + len(validation) for train, validation in rows} == {30}
    assert len({tuple(sorted(train + validation)) for train, validation in rows}) == 1


def test_repeat_assigns_other_folds_of_the_same_pool():
    first, again, other = (
        _held_out(Numbers(), folds=3, train_examples=30, fold_repeat=repeat) for repeat in (0, 0, 1)
    )
    assert first == again != other
    assert sorted([*first[0][0], *first[0][1]]) == sorted([*other[0][0], *other[0][1]])


@pytest.mark.parametrize(
    "group_by", [pytest.param(None, marks=pytest.mark.matrix), "near_duplicates(similarity=0.9)"]
)
def test_equal_texts_are_in_the_same_fold(group_by):
    for seed in range(5):
        for _, validation in _held_out(Numbers(), folds=2, data_seed=seed, group_by=group_by):
            assert (0 in validation) == (1 in validation)


@pytest.mark.matrix
def test_equal_texts_may_be_in_different_folds_without_grouping():
    sides = [
        (0 in validation) == (1 in validation)
        for seed in range(8)
        for _, validation in _held_out(Numbers(), folds=2, data_seed=seed, group_by="none")
    ]
    assert not all(sides)


def _file(path, authors):
    lines = [f"{n}\t{'ab'[n % 2]}\t{author}" for n, author in enumerate(authors)]
    path.write_text("\n".join(["text\tlabel\tauthor", *lines]) + "\n")
    return str(path)


def test_examples_with_the_same_value_in_a_column_stay_together(tmp_path):
    authors = [f"author {n % 7}" for n in range(40)]
    files = {name: _file(tmp_path / f"{name}.tsv", authors) for name in ("train", "validation")}
    task = Classification(**files, test=files["train"])
    seen = []
    for _, validation in _held_out(task, folds=3, group_by="column(name='author')"):
        seen.append({(authors * 2)[row] for row in validation})
        assert len(validation) == sum((authors * 2).count(author) for author in seen[-1])
    assert sorted(set.union(*seen)) == sorted(author for one in seen for author in one)


def test_missing_column_is_reported_with_its_line(tmp_path):
    path = _file(tmp_path / "train.tsv", ["me", "", "you"])
    task = Classification(train=path, test=path)
    with pytest.raises(UserError, match="line 3 of .* has no value in column 'author'"):
        _held_out(task, folds=2, group_by="column(name='author')")
    with pytest.raises(
        UserError, match="no column 'writer'.*Its columns are: 'text', 'label', 'author'"
    ):
        _held_out(task, folds=2, group_by="column(name='writer')")


def test_task_without_columns_says_so():
    with pytest.raises(UserError, match="`group_by`: the task has no columns, so no 'author'"):
        _held_out(Numbers(), folds=2, group_by="column(name='author')")


def test_fold_that_would_be_empty_is_reported(tmp_path):
    path = _file(tmp_path / "train.tsv", ["me"] * 20)
    message = "folds=2 leaves a fold empty: 20 of 20 examples are in one group"
    with pytest.raises(UserError, match=message):
        _held_out(Classification(train=path, test=path), folds=2, group_by="column(name='author')")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fold": 0}, "fold=0 needs `folds`"),
        ({"group_by": "none"}, "group_by=none needs `folds`"),
        ({"fold_repeat": 1}, "fold_repeat=1 needs `folds`"),
        ({"folds": 1}, "`folds` must be at least 2"),
        ({"folds": 3, "fold": 3}, "`fold` must be below folds=3"),
        ({"folds": 3, "fold": -1}, "`fold` must be at least 0"),
    ],
)
def test_inconsistent_fold_settings_are_reported(settings, message):
    with pytest.raises(UserError, match=message):
        Config(**settings)


def test_missing_fold_is_reported_before_anything_starts():
    with pytest.raises(UserError, match="folds=5 needs `fold`"):
        checks.check(Config(task="quickstart", folds=5))
    with pytest.raises(UserError, match="group_by=column: needs name"):
        checks.check(Config(task="quickstart", folds=5, fold=0, group_by="column"))


@examples(50)
@given(data=st.data(), size=st.integers(10, 80))
def test_shares_split_no_group_and_leave_every_class_to_train_on(data, size):
    draw = data.draw
    labels = np.array(draw(st.lists(st.integers(0, 4), min_size=size, max_size=size)))
    groups = np.array(draw(st.lists(st.integers(0, size), min_size=size, max_size=size)))
    found = folds.hold_out_shares(labels, groups, [0.1, 0.1], seed=draw(st.integers(0, 9)))
    assert set(np.unique(found)) <= {-1, 0, 1}
    assert all(len(np.unique(found[groups == group])) == 1 for group in groups)
    assert set(labels[found == -1]) == set(labels)


def test_a_group_that_is_larger_than_a_share_is_trained_on():
    groups = np.r_[np.zeros(300, int), np.arange(1, 701)]
    found = folds.hold_out_shares(np.arange(1000) % 2, groups, [0.1, 0.1], seed=0)
    assert set(found[:300]) == {-1}
    assert np.unique(found, return_counts=True)[1].tolist() == [844, 78, 78]


@pytest.mark.parametrize("share", [0.15, 0.35, 0.45])
def test_share_is_held_out_beside_a_group_that_is_larger_than_a_fold(share):
    groups = np.r_[np.zeros(40, int), np.arange(1, 61)]
    found = folds.hold_out_shares(np.arange(100) % 2, groups, [share], seed=0)
    assert (found == 0).mean() == pytest.approx(share, abs=0.011)


@examples(60)
@given(
    labels=st.lists(st.integers(0, 3), min_size=10, max_size=200),
    share=st.sampled_from([0.1, 0.15, 0.3, 0.35, 0.4, 0.45, 0.6, 0.7, 0.8, 0.123]),
    seed=st.integers(0, 9),
)
def test_each_class_has_its_share_held_out(labels, share, seed):
    labels = np.array(labels)
    found = folds.hold_out_shares(labels, np.arange(len(labels)), [share], seed=seed)
    for size, held in ((np.sum(labels == c), np.sum(found[labels == c] == 0)) for c in range(4)):
        is_kept = held == 0 and size * (1 - share) <= 1  # or nothing would be left to train on
        assert is_kept or abs(held - share * size) <= 1


def test_several_shares_are_those_of_all_examples():
    found = folds.hold_out_shares(np.arange(1000) % 2, np.arange(1000), [0.35, 0.15], seed=0)
    assert np.unique(found, return_counts=True)[1].tolist() == [500, 350, 150]


def test_shares_of_one_fold_stay_what_they_were():
    """A resumed run has the same examples, so those of a seed must never change."""
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 5, 900), rng.integers(0, 400, 900)
    found = folds.hold_out_shares(labels, groups, [0.1, 0.1], seed=0)
    assert zlib.crc32(found.astype(np.int8)) == 3107222265
