"""Progress of `predict`: lines in a log file, every half minute."""

import io
import itertools

from ftkeras.prediction.progress import show_progress


def _lines(total, done=0) -> list[str]:
    clock = itertools.count(0, 20)
    stream = io.StringIO()
    with show_progress(total, done, stream=stream, clock=lambda: next(clock)) as progress:
        for _ in range(4):
            progress.update(1000)
    return stream.getvalue().splitlines()


def test_a_line_every_half_minute_has_rate_and_remaining_time():
    assert _lines(10_000) == [
        "answering: 2,000 of 10,000 texts, 50 per second, 2 min 40 s left",
        "answering: 4,000 of 10,000 texts, 50 per second, 2 min 00 s left",
    ]


def test_rate_of_a_resumed_prediction_is_of_what_it_answered_itself():
    assert _lines(10_000, 4_000)[0] == (
        "answering: 6,000 of 10,000 texts, 50 per second, 1 min 20 s left"
    )


def test_input_of_unknown_length_has_no_remaining_time():
    assert _lines(None)[0] == "answering: 2,000 texts, 50 per second"
