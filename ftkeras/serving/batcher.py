"""Requests brought together into batches, as TensorFlow Serving's SharedBatchScheduler does.

Two things are done otherwise. A batch takes the request that has waited longest, and then those
nearest to it in length, up to so many bytes of text, padding counted: on a CPU padding is as much
work as words are, and long texts are faster one by one, in its caches. And where a batch fails,
each of its requests is tried alone: nobody is refused for what another has sent.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ftkeras.serving.refused import Refused, invalid
from ftkeras.serving.settings import Batching

Tensors = dict[str, np.ndarray]
Run = Callable[[Tensors], Tensors]


class Unbatched:
    """Runs each request alone, in one of some threads."""

    def __init__(self, threads: int):
        self._pool = ThreadPoolExecutor(threads, "run")

    def submit(self, key, run: Run, inputs: Tensors, rows: int) -> Future:
        """Has the request run; the future holds its outputs."""
        return self._pool.submit(run, inputs)

    def close(self) -> None:
        """Ends when what was submitted has run."""
        self._pool.shutdown()


@dataclass
class _Task:
    key: tuple
    run: Run
    inputs: Tensors
    rows: int
    length: float
    arrived: float = field(default_factory=time.monotonic)
    future: Future = field(default_factory=Future)


class Batcher:
    """Runs requests of one kind together.

    Args:
        settings: sizes and times.
        most_bytes: of text in a batch, each row counted as long as the longest.
        waited: is told how long each request waited, in seconds.
    """

    def __init__(
        self,
        settings: Batching,
        *,
        most_bytes: float = float("inf"),
        waited: Callable[[float], None] = lambda seconds: None,
    ):
        self._settings, self._most_bytes, self._waited = settings, most_bytes, waited
        self._tasks: list[_Task] = []  # by arrival
        self._changed = threading.Condition()
        self._closed = False
        names = (f"batch-{number}" for number in range(settings.num_batch_threads))
        self._threads = [threading.Thread(target=self._work, name=name) for name in names]
        for thread in self._threads:
            thread.start()

    def submit(self, key: tuple, run: Run, inputs: Tensors, rows: int) -> Future:
        """Has the request run with others of its kind; the future holds its outputs.

        Args:
            key: what is of one kind: the model's version and the signature.
            run: tensors [batch, …] to tensors [batch, …].
            inputs: the request's, each [rows, …].
            rows: examples in it.

        Raises:
            Refused: where it has too many rows for a batch, or too many wait already.
        """
        most = self._settings.max_batch_size
        parts = [slice(start, start + most) for start in range(0, rows, most)] or [slice(0, 0)]
        if len(parts) > 1 and not self._settings.enable_large_batch_splitting:
            raise invalid(f"Task size {rows} is larger than maximum input batch size {most}")
        tasks = [self._task(key, run, {n: a[part] for n, a in inputs.items()}) for part in parts]
        with self._changed:
            waiting = sum(task.rows for task in self._tasks)
            if self._closed or waiting + rows > most * self._settings.max_enqueued_batches:
                raise Refused(
                    "UNAVAILABLE",
                    "The batch scheduling queue to which this task was submitted is full",
                )
            self._tasks += tasks
            self._changed.notify_all()
        return tasks[0].future if len(tasks) == 1 else _joined([task.future for task in tasks])

    def close(self) -> None:
        """Ends when what was submitted has run."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _task(self, key: tuple, run: Run, inputs: Tensors) -> _Task:
        # Tensors of other shapes can't be one batch: token ids of another length, say.
        shapes = tuple((name, array.shape[1:]) for name, array in inputs.items())
        rows = len(next(iter(inputs.values())))
        return _Task((*key, shapes), run, inputs, rows, _length(inputs))

    def _work(self) -> None:
        while batch := self._next():
            now = time.monotonic()
            for task in batch:
                self._waited(now - task.arrived)
            _run(batch, self._settings.allowed_batch_sizes)

    def _next(self) -> list[_Task]:
        """Waits for the next batch; empty when there will be none any more."""
        with self._changed:
            while not (self._closed and not self._tasks):
                if not self._tasks:
                    self._changed.wait()
                    continue
                oldest = self._tasks[0]
                left = self._settings.batch_timeout_micros / 1e6 - (
                    time.monotonic() - oldest.arrived
                )
                batch, full = self._nearest(oldest)
                if full or left <= 0 or self._closed:
                    taken = set(map(id, batch))
                    self._tasks = [task for task in self._tasks if id(task) not in taken]
                    return batch
                self._changed.wait(left)
            return []

    def _nearest(self, oldest: _Task) -> tuple[list[_Task], bool]:
        """The batch that the oldest task would go in, and whether nothing more would fit."""
        batch, rows, longest = [], 0, 0
        alike = [task for task in self._tasks if task.key == oldest.key]
        # The sort is stable, so the oldest, at no distance from itself, is the first.
        for task in sorted(alike, key=lambda task: abs(task.length - oldest.length)):
            wide, deep = max(longest, task.length), rows + task.rows
            fits = deep <= self._settings.max_batch_size and wide * deep <= self._most_bytes
            if fits or task is oldest:
                batch.append(task)
                rows, longest = deep, wide
        full = rows >= self._settings.max_batch_size or (rows + 1) * longest > self._most_bytes
        return batch, full


def _run(batch: list[_Task], allowed_sizes: tuple[int, ...]) -> None:
    """Runs tasks as one batch and gives each its rows; who has been cancelled is left out."""
    tasks = [task for task in batch if task.future.set_running_or_notify_cancel()]
    if not tasks:
        return
    rows = sum(task.rows for task in tasks)
    size = next((size for size in allowed_sizes if size >= rows), rows)
    try:
        outputs = tasks[0].run(_merged([task.inputs for task in tasks], size - rows))
        start = 0
        for task in tasks:
            part = slice(start, start + task.rows)
            task.future.set_result({name: array[part] for name, array in outputs.items()})
            start += task.rows
    except Exception as error:
        if len(tasks) == 1:
            tasks[0].future.set_exception(error)
        else:
            _run_alone(tasks)


def _run_alone(tasks: list[_Task]) -> None:
    for task in tasks:
        try:
            task.future.set_result(task.run(task.inputs))
        except Exception as error:
            task.future.set_exception(error)


def _merged(inputs: list[Tensors], filling: int) -> Tensors:
    """One batch of several; filled up with the first row, where rows are lacking."""
    if len(inputs) == 1 and not filling:
        return inputs[0]
    return {
        name: np.concatenate([part[name] for part in inputs] + [array[:1]] * filling)
        for name, array in inputs[0].items()
    }


def _joined(futures: list[Future]) -> Future:
    """The outputs of the parts of one request, put together when the last is there."""
    joined: Future = Future()
    left = threading.Semaphore(len(futures) - 1)

    def done(_: Future) -> None:
        if left.acquire(blocking=False) or not joined.set_running_or_notify_cancel():
            return
        try:
            parts = [future.result() for future in futures]
            joined.set_result({name: _stacked([p[name] for p in parts]) for name in parts[0]})
        except Exception as error:
            joined.set_exception(error)

    for future in futures:
        future.add_done_callback(done)
    return joined


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    """Rows one below the other; the narrower are filled up, as one batch would have had them."""
    widest = np.max([array.shape[1:] for array in arrays], axis=0)
    filling = b"" if arrays[0].dtype == object else 0
    return np.concatenate(
        [
            np.pad(
                array,
                [
                    (0, 0),
                    *((0, wide - own) for wide, own in zip(widest, array.shape[1:], strict=True)),
                ],
                constant_values=filling,
            )
            for array in arrays
        ]
    )


def _length(inputs: Tensors) -> float:
    """What a task's padded length hangs on: the bytes of its longest row of text."""
    strings = [array.ravel() for array in inputs.values() if array.dtype == object]
    return max((len(value) for array in strings for value in array), default=0)
