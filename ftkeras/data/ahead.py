"""Make elements in a thread, before they are needed."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Element = TypeVar("Element")


def made_ahead(
    make: Callable[[Item], Element], items: Iterable[Item], *, count: int
) -> Iterator[Element]:
    """Yield `make(item)` for each item, in order, made up to `count` items ahead.

    `Dataset.prefetch` has no effect on a Python generator under
    `tf.config.experimental.enable_op_determinism`: TensorFlow cannot know that its elements do not
    depend on when they are made.

    Args:
        make: called in one thread, for one item after the other. What it raises is raised here.
        items: what the elements are made of.
        count: the number of elements to have ready, at least 1.

    >>> list(made_ahead(str.upper, "abc", count=2))
    ['A', 'B', 'C']
    """
    pending: collections.deque[Future[Element]] = collections.deque()
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        for item in items:
            pending.append(thread.submit(make, item))
            if len(pending) > count:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        # Without waiting: the garbage collector may be what closes this generator, in any thread.
        thread.shutdown(wait=False, cancel_futures=True)
