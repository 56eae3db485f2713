"""Datasets of generators: readable as long as anything reads them, and freed then."""

import gc
import weakref

import pytest
import tensorflow as tf

from ftkeras.data.batching.padded import Padded
from ftkeras.data.feed import OrderedFeed, TrainingFeed
from ftkeras.data.generated import from_generator
from tests.data.batching.making import examples_of

SIGNATURE = tf.TensorSpec((), tf.int64)


class Numbers:
    """An object that a generator refers to."""

    def __iter__(self):
        yield from range(6)


def _numbers() -> tuple[tf.data.Dataset, weakref.ref]:
    numbers = Numbers()
    return from_generator(lambda: iter(numbers), SIGNATURE), weakref.ref(numbers)


def _unchanged(dataset):
    return dataset


def _is_number(number):
    return number >= 0


def _second(_, number):
    return number


def _derived(dataset):
    return (
        dataset.map(tf.identity)
        .filter(_is_number)
        .enumerate()
        .map(_second)
        .batch(2)
        .unbatch()
        .prefetch(2)
    )


def _chosen(dataset):
    return tf.data.Dataset.choose_from_datasets([dataset], tf.data.Dataset.range(1).repeat())


def _concatenated(dataset):
    return dataset.take(3).concatenate(dataset.skip(3))


def _distributed(dataset):
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    return strategy.distribute_datasets_from_function(lambda context: dataset)


@pytest.mark.parametrize("derive", [_unchanged, _derived, _chosen, _concatenated, _distributed])
def test_generator_lives_as_long_as_what_is_derived_from_its_dataset(derive):
    dataset, reference = _numbers()
    dataset = derive(dataset)
    gc.collect()
    for _ in range(2):
        assert [int(n) for n in dataset] == list(range(6))
    iterator = iter(dataset)
    del dataset
    gc.collect()
    assert [int(n) for n in iterator] == list(range(6))
    del iterator
    gc.collect()
    assert reference() is None


def test_generator_lives_in_a_function_that_reads_its_dataset():
    dataset, reference = _numbers()

    @tf.function
    def total():
        return dataset.reduce(tf.constant(0, tf.int64), lambda so_far, n: so_far + n)

    assert int(total()) == 15
    gc.collect()
    assert reference() is not None
    assert int(total()) == 15


def test_an_iterator_that_is_left_early_frees_the_generator():
    dataset, reference = _numbers()
    assert int(next(iter(dataset))) == 0
    del dataset
    gc.collect()
    assert reference() is None


def test_feeds_are_freed_with_their_examples():
    examples = examples_of([3, 5, 2, 4])
    batching = Padded(batch_size=2, pad_id=0)
    training = TrainingFeed(examples, batching, seed=0)
    ordered = OrderedFeed(examples, batching)
    for dataset in (training.dataset(0), training.dataset(1), ordered.dataset()):
        assert len(list(dataset)) == 2
    references = [weakref.ref(one) for one in (examples, training, ordered)]
    del examples, training, ordered, dataset
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]
