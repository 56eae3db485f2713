"""Requests that are run together."""

import threading
from concurrent.futures import wait

import numpy as np
import pytest

from ftkeras.serving.batcher import Batcher
from ftkeras.serving.refused import Refused
from ftkeras.serving.settings import Batching

LONG = 60_000_000  # microseconds; no test waits so long


def _numbers(*values: int) -> dict[str, np.ndarray]:
    return {"x": np.array(values)}


class Doubling:
    """Doubles, and writes down what it was given; 13 is more than it can take."""

    def __init__(self):
        self.batches: list[list[int]] = []
        self.may_go = threading.Event()
        self.may_go.set()

    def __call__(self, inputs):
        self.may_go.wait()
        self.batches.append(inputs["x"].tolist())
        if 13 in inputs["x"]:
            raise Refused("INVALID_ARGUMENT", "13")
        return {"y": inputs["x"] * 2}


@pytest.fixture
def batcher(request):
    made = []

    def make(*, most_bytes: float = float("inf"), **settings) -> Batcher:
        given = Batching(**{"num_batch_threads": 1, **settings})
        made.append(Batcher(given, most_bytes=most_bytes))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_requests_are_run_together_and_each_gets_its_own(batcher):
    run, together = Doubling(), batcher(max_batch_size=4, batch_timeout_micros=LONG)
    futures = [together.submit(("m",), run, _numbers(n, n + 1), 2) for n in (1, 5)]
    assert [future.result(10)["y"].tolist() for future in futures] == [[2, 4], [10, 12]]
    assert run.batches == [[1, 2, 5, 6]]


def test_request_goes_alone_when_its_time_is_over(batcher):
    run, together = Doubling(), batcher(max_batch_size=4, batch_timeout_micros=1)
    assert together.submit(("m",), run, _numbers(3), 1).result(10)["y"].tolist() == [6]


def test_batch_is_filled_up_to_an_allowed_size(batcher):
    run = Doubling()
    together = batcher(max_batch_size=8, allowed_batch_sizes=(4, 8), batch_timeout_micros=1)
    assert together.submit(("m",), run, _numbers(3, 4), 2).result(10)["y"].tolist() == [6, 8]
    assert run.batches == [[3, 4, 3, 3]]


def test_request_larger_than_a_batch_is_taken_apart_and_put_together(batcher):
    run, together = Doubling(), batcher(max_batch_size=2, batch_timeout_micros=0)
    outputs = together.submit(("m",), run, _numbers(*range(5)), 5).result(10)
    assert outputs["y"].tolist() == [0, 2, 4, 6, 8]
    assert max(map(len, run.batches)) == 2


def test_parts_of_other_widths_are_filled_up(batcher):
    def widening(inputs):
        width = int(inputs["x"].max())
        return {"text": np.full((len(inputs["x"]), width), b"a", object)}

    together = batcher(max_batch_size=1, batch_timeout_micros=0)
    outputs = together.submit(("m",), widening, _numbers(1, 3), 2).result(10)
    assert outputs["text"].tolist() == [[b"a", b"", b""], [b"a"] * 3]


def test_request_larger_than_a_batch_is_refused_where_that_is_said(batcher):
    together = batcher(max_batch_size=2, enable_large_batch_splitting=False)
    with pytest.raises(Refused, match="Task size 3 is larger than maximum input batch size 2"):
        together.submit(("m",), Doubling(), _numbers(1, 2, 3), 3)


def test_what_is_of_two_kinds_is_never_one_batch(batcher):
    run, together = Doubling(), batcher(max_batch_size=2, batch_timeout_micros=1)
    wide = {"x": np.array([[7, 8]])}
    run.may_go.clear()
    futures = [
        together.submit(("m",), run, _numbers(1), 1),
        together.submit(("n",), run, _numbers(2), 1),
        together.submit(("m",), run, wide, 1),
    ]
    run.may_go.set()
    wait(futures, 10)
    assert run.batches == [[1], [2], [[7, 8]]]


def test_who_sends_what_fails_fails_alone(batcher):
    run, together = Doubling(), batcher(max_batch_size=3, batch_timeout_micros=LONG)
    good, bad, other = (together.submit(("m",), run, _numbers(n), 1) for n in (1, 13, 2))
    assert good.result(10)["y"].tolist() == [2]
    assert other.result(10)["y"].tolist() == [4]
    with pytest.raises(Refused, match="13"):
        bad.result(10)


def test_queue_that_is_full_refuses(batcher):
    run, together = Doubling(), batcher(max_batch_size=1, max_enqueued_batches=2)
    run.may_go.clear()
    with pytest.raises(Refused, match="queue") as refused:
        for n in range(10):
            together.submit(("m",), run, _numbers(n), 1)
    assert refused.value.http_status == 503
    run.may_go.set()


def test_who_has_gone_is_not_run(batcher):
    run, together = Doubling(), batcher(max_batch_size=1)
    run.may_go.clear()
    first = together.submit(("m",), run, _numbers(1), 1)
    gone, last = (together.submit(("m",), run, _numbers(n), 1) for n in (2, 3))
    gone.cancel()
    run.may_go.set()
    wait([first, last], 10)
    assert run.batches == [[1], [3]]


@pytest.mark.parametrize(
    ("most_bytes", "then"),
    [(float("inf"), [[10, 12], [500, 480]]), (600, [[10, 12], [500], [480]])],
)
def test_batch_is_of_texts_of_like_length(batcher, most_bytes, then):
    run = Doubling()
    together = batcher(most_bytes=most_bytes, max_batch_size=2, batch_timeout_micros=1)

    def lengths(inputs):
        run.batches.append([len(text) for text in inputs["text"]])
        return {"n": np.array(run.batches[-1])}

    def submit(length):
        return together.submit(("t",), lengths, {"text": np.array([b"a" * length], object)}, 1)

    run.may_go.clear()
    blocked = together.submit(("m",), run, _numbers(1, 2), 2)
    futures = [submit(length) for length in (10, 500, 480, 12)]
    run.may_go.set()
    wait([blocked, *futures], 10)
    assert run.batches[1:] == then


def test_closing_answers_what_waits():
    run = Doubling()
    together = Batcher(Batching(batch_timeout_micros=LONG, num_batch_threads=1))
    future = together.submit(("m",), run, _numbers(4), 1)
    together.close()
    assert future.result(0)["y"].tolist() == [8]
    with pytest.raises(Refused):
        together.submit(("m",), run, _numbers(4), 1)
