"""The batcher runs requests together."""

import threading
from concurrent.futures import wait

import numpy as np
import pytest

from ftkeras.serving.batcher import Batcher
from ftkeras.serving.errors import RequestError
from ftkeras.serving.settings import Batching

LONG = 60_000_000  # microseconds, longer than any test waits


def _numbers(*values: int) -> dict[str, np.ndarray]:
    return {"x": np.array(values)}


class Doubling:
    """Double the inputs and record the batches; refuse batches that contain 13."""

    def __init__(self):
        self.batches: list[list[int]] = []
        self.allowed = threading.Event()
        self.allowed.set()

    def __call__(self, inputs):
        self.allowed.wait()
        self.batches.append(inputs["x"].tolist())
        if 13 in inputs["x"]:
            raise RequestError("INVALID_ARGUMENT", "13")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def batcher(request):
    created = []

    def create(*, max_bytes: float = float("inf"), **settings) -> Batcher:
        given = Batching(**{"num_batch_threads": 1, **settings})
        created.append(Batcher(given, max_bytes=max_bytes))
        return created[-1]

    yield create
    for each in created:
        each.close()


def test_requests_are_run_together_and_each_gets_its_own_outputs(batcher):
    run, together = Doubling(), batcher(max_batch_size=4, batch_timeout_micros=LONG)
    futures = [together.submit(("m",), run, _numbers(n, n + 1), 2) for n in (1, 5)]
    assert [future.result(10)["y"].tolist() for future in futures] == [[2, 4], [10, 12]]
    assert run.batches == [[1, 2, 5, 6]]


def test_request_runs_alone_after_the_timeout(batcher):
    run, together = Doubling(), batcher(max_batch_size=4, batch_timeout_micros=1)
    assert together.submit(("m",), run, _numbers(3), 1).result(10)["y"].tolist() == [6]


def test_batch_is_padded_to_an_allowed_size(batcher):
    run = Doubling()
    together = batcher(max_batch_size=8, allowed_batch_sizes=(4, 8), batch_timeout_micros=1)
    assert together.submit(("m",), run, _numbers(3, 4), 2).result(10)["y"].tolist() == [6, 8]
    assert run.batches == [[3, 4, 3, 3]]


def test_request_larger_than_a_batch_is_split_and_joined(batcher):
    run, together = Doubling(), batcher(max_batch_size=2, batch_timeout_micros=0)
    outputs = together.submit(("m",), run, _numbers(*range(5)), 5).result(10)
    assert outputs["y"].tolist() == [0, 2, 4, 6, 8]
    assert max(map(len, run.batches)) == 2


def test_parts_of_different_widths_are_padded(batcher):
    def widening(inputs):
        width = int(inputs["x"].max())
        return {"text": np.full((len(inputs["x"]), width), b"a", object)}

    together = batcher(max_batch_size=1, batch_timeout_micros=0)
    outputs = together.submit(("m",), widening, _numbers(1, 3), 2).result(10)
    assert outputs["text"].tolist() == [[b"a", b"", b""], [b"a"] * 3]


def test_request_larger_than_a_batch_is_refused_without_splitting(batcher):
    together = batcher(max_batch_size=2, enable_large_batch_splitting=False)
    with pytest.raises(RequestError, match="Task size 3 is larger than maximum input batch size 2"):
        together.submit(("m",), Doubling(), _numbers(1, 2, 3), 3)


def test_requests_with_different_keys_or_shapes_never_share_a_batch(batcher):
    run, together = Doubling(), batcher(max_batch_size=2, batch_timeout_micros=1)
    wide = {"x": np.array([[7, 8]])}
    run.allowed.clear()
    futures = [
        together.submit(("m",), run, _numbers(1), 1),
        together.submit(("n",), run, _numbers(2), 1),
        together.submit(("m",), run, wide, 1),
    ]
    run.allowed.set()
    wait(futures, 10)
    assert run.batches == [[1], [2], [[7, 8]]]


def test_request_that_fails_does_not_fail_others_in_its_batch(batcher):
    run, together = Doubling(), batcher(max_batch_size=3, batch_timeout_micros=LONG)
    good, bad, other = (together.submit(("m",), run, _numbers(n), 1) for n in (1, 13, 2))
    assert good.result(10)["y"].tolist() == [2]
    assert other.result(10)["y"].tolist() == [4]
    with pytest.raises(RequestError, match="13"):
        bad.result(10)


def test_full_queue_refuses(batcher):
    run, together = Doubling(), batcher(max_batch_size=1, max_enqueued_batches=2)
    run.allowed.clear()
    with pytest.raises(RequestError, match="queue") as refused:
        for n in range(10):
            together.submit(("m",), run, _numbers(n), 1)
    assert refused.value.http_status == 503
    run.allowed.set()


@pytest.mark.parametrize("rows", [3, 100])
def test_request_that_no_queue_can_hold_is_invalid_rather_than_unavailable(batcher, rows):
    together = batcher(max_batch_size=1, max_enqueued_batches=2)
    message = rf"at most 2 rows \(max_batch_size 1 times max_enqueued_batches 2\).*: {rows}\."
    with pytest.raises(RequestError, match=message) as refused:
        together.submit(("m",), Doubling(), _numbers(*range(rows)), rows)
    assert (refused.value.code, refused.value.http_status) == ("INVALID_ARGUMENT", 400)


def test_largest_request_that_a_queue_can_hold_is_run(batcher):
    together = batcher(max_batch_size=2, max_enqueued_batches=2, batch_timeout_micros=0)
    outputs = together.submit(("m",), Doubling(), _numbers(*range(4)), 4).result(10)
    assert outputs["y"].tolist() == [0, 2, 4, 6]


def test_cancelled_request_is_not_run(batcher):
    run, together = Doubling(), batcher(max_batch_size=1)
    run.allowed.clear()
    first = together.submit(("m",), run, _numbers(1), 1)
    gone, last = (together.submit(("m",), run, _numbers(n), 1) for n in (2, 3))
    gone.cancel()
    run.allowed.set()
    wait([first, last], 10)
    assert run.batches == [[1], [3]]


def test_cancelled_requests_take_no_place_of_others(batcher):
    run = Doubling()
    together = batcher(max_batch_size=2, max_enqueued_batches=2, batch_timeout_micros=LONG)
    for n in range(3):
        together.submit(("m",), run, _numbers(n), 1).cancel()
    futures = [together.submit(("m",), run, _numbers(n, n), 2) for n in (5, 6)]
    wait(futures, 10)
    assert run.batches == [[5, 5], [6, 6]]


def test_full_batch_does_not_wait_for_an_older_request_of_another_kind(batcher):
    run, together = Doubling(), batcher(max_batch_size=2, batch_timeout_micros=LONG)
    old = together.submit(("m",), run, _numbers(1), 1)
    full = together.submit(("n",), run, _numbers(2, 3), 2)
    assert full.result(10)["y"].tolist() == [4, 6]
    assert not old.done()


@pytest.mark.parametrize(
    ("max_bytes", "then"),
    [(float("inf"), [[10, 12], [500, 480]]), (600, [[10, 12], [500], [480]])],
)
def test_batch_holds_texts_of_similar_length(batcher, max_bytes, then):
    run = Doubling()
    together = batcher(max_bytes=max_bytes, max_batch_size=2, batch_timeout_micros=1)

    def lengths(inputs):
        run.batches.append([len(text) for text in inputs["text"]])
        return {"n": np.array(run.batches[-1])}

    def submit(length):
        return together.submit(("t",), lengths, {"text": np.array([b"a" * length], object)}, 1)

    run.allowed.clear()
    blocked = together.submit(("m",), run, _numbers(1, 2), 2)
    futures = [submit(length) for length in (10, 500, 480, 12)]
    run.allowed.set()
    wait([blocked, *futures], 10)
    assert run.batches[1:] == then


def test_close_runs_waiting_requests_and_refuses_new_ones():
    run = Doubling()
    together = Batcher(Batching(batch_timeout_micros=LONG, num_batch_threads=1))
    future = together.submit(("m",), run, _numbers(4), 1)
    together.close()
    assert future.result(0)["y"].tolist() == [8]
    with pytest.raises(RequestError, match="shutting down"):
        together.submit(("m",), run, _numbers(4), 1)
