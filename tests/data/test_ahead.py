"""Elements that are made in a thread, before they are needed."""

import threading

import pytest

from ftkeras.data.ahead import made_ahead


def test_elements_keep_their_order():
    assert list(made_ahead(lambda n: n * n, range(100), count=3)) == [n * n for n in range(100)]
    assert list(made_ahead(str, [], count=3)) == []


def test_elements_are_made_before_they_are_needed_but_not_all():
    made, third = [], threading.Event()

    def make(number):
        made.append(number)
        if number == 2:
            third.set()
        return number

    elements = made_ahead(make, range(100), count=2)
    assert next(elements) == 0
    assert third.wait(timeout=60)
    assert made == [0, 1, 2]


def test_failure_is_raised_where_its_element_is_read():
    elements = made_ahead(lambda n: 1 // (2 - n), range(4), count=4)
    assert [next(elements), next(elements)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(elements)


def test_thread_ends_with_the_elements():
    before = set(threading.enumerate())
    elements = made_ahead(str, range(100), count=4)
    next(elements)
    (thread,) = set(threading.enumerate()) - before
    elements.close()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_closing_does_not_wait_for_an_element():
    started, may_end, ended = (threading.Event() for _ in range(3))

    def make(number):
        if number:
            started.set()
            may_end.wait(timeout=60)
            ended.set()
        return number

    elements = made_ahead(make, range(4), count=2)
    assert next(elements) == 0
    assert started.wait(timeout=60)
    elements.close()
    assert not ended.is_set()
    may_end.set()
