"""The lengths that served batches are padded to."""

import numpy as np
import pytest
import tensorflow as tf

from ftkeras.exporters._lengths import lengths, pad


def test_lengths_up_to_512_are_these_16():
    assert lengths(512) == [
        *(16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512)
    ]


@pytest.mark.parametrize("longest", [3, 16, 17, 40, 64, 100, 256, 300, 511, 512, 4096])
def test_last_length_is_the_longest_text(longest):
    found = lengths(longest)
    assert found[-1] == longest
    assert found == sorted(set(found))


def test_batch_is_at_most_a_quarter_longer_than_its_longest_text():
    found = np.array(lengths(2048))
    for text in range(64, 2049):
        assert found[found >= text][0] <= 1.25 * text


@pytest.mark.parametrize(
    ("rows", "length"), [([[1], [2] * 7], 16), ([[5] * 17], 32), ([[5] * 33], 40), ([], 16)]
)
def test_batch_is_padded_to_the_first_length_that_holds_it(rows, length):
    ids = tf.ragged.constant(rows, dtype=tf.int32, ragged_rank=1)
    dense = pad({"token_ids": ids}, sizes=lengths(40), fill={"token_ids": 9})["token_ids"]
    assert dense.shape == (len(rows), length)
    for row, given in zip(dense.numpy(), rows, strict=True):
        assert row.tolist() == given + [9] * (length - len(given))
