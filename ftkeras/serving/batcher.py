"""Combine requests into batches, as TensorFlow Serving's SharedBatchScheduler does.

There are two differences. A batch takes the request that has waited longest, and then those nearest
to it in length, up to a number of bytes of text including padding: on a CPU padding costs as much
as words, and long texts are faster one by one, in its caches. And if a batch fails, each of its
requests is tried alone, so that nobody is refused for what another client has sent.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ftkeras.serving import _columns
from ftkeras.serving.errors import RequestError, invalid_argument
from ftkeras.serving.settings import Batching

Tensors = dict[str, np.ndarray]
Run = Callable[[Tensors], Tensors]


class Unbatched:
    """Run each request alone, in a pool of threads.

    Args:
        threads: Requests that run at the same time.
    """

    def __init__(self, threads: int):
        self._pool = ThreadPoolExecutor(threads, "run")

    def submit(self, key: tuple, run: Run, inputs: Tensors, rows: int) -> Future:
        """Submit a request, and return a future of its outputs."""
        return self._pool.submit(run, inputs)

    def close(self) -> None:
        """Return once all submitted requests have been run."""
        self._pool.shutdown()


@dataclass
class _Task:
    """A request, or a part of one, that waits for its batch.

    Attributes:
        key: Tasks with equal keys can be one batch.
        run: Runs a batch.
        inputs: Tensors [rows, …].
        rows: Examples in it.
        length: Bytes of its longest text.
        arrived: When it was submitted, in seconds.
        future: Receives its outputs.
    """

    key: tuple
    run: Run
    inputs: Tensors
    rows: int
    length: int
    arrived: float = field(default_factory=time.monotonic)
    future: Future = field(default_factory=Future)


class Batcher:
    """Run requests with equal keys together.

    Args:
        settings: Sizes and times.
        max_bytes: The most bytes of text in a batch, each row counted as long as the longest.
        on_wait: Called with the seconds that each request has waited.
    """

    def __init__(
        self,
        settings: Batching,
        *,
        max_bytes: float = float("inf"),
        on_wait: Callable[[float], None] = lambda seconds: None,
    ):
        self._settings, self._max_bytes, self._on_wait = settings, max_bytes, on_wait
        self._tasks: list[_Task] = []  # in order of arrival
        self._changed = threading.Condition()
        self._closed = False
        names = (f"batch-{number}" for number in range(settings.num_batch_threads))
        # `close` waits for them; they must not keep a process alive that ends without it.
        self._threads = [
            threading.Thread(target=self._work, name=name, daemon=True) for name in names
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, key: tuple, run: Run, inputs: Tensors, rows: int) -> Future:
        """Submit a request, and return a future of its outputs.

        Args:
            key: Requests with equal keys may share a batch: the model's version and the signature.
            run: Turns tensors [batch, …] into tensors [batch, …].
            inputs: The request's tensors, each [rows, …].
            rows: Examples in the request.

        Raises:
            RequestError: INVALID_ARGUMENT if it has more rows than can ever be accepted,
                UNAVAILABLE if too many requests are waiting already.
        """
        size = self._settings.max_batch_size
        self._check_rows(rows)
        parts = [slice(start, start + size) for start in range(0, rows, size)] or [slice(0, 0)]
        tasks = [_task(key, run, {n: a[part] for n, a in inputs.items()}) for part in parts]
        with self._changed:
            if self._closed:
                raise RequestError("UNAVAILABLE", "The server is shutting down")
            self._drop_cancelled()
            waiting = sum(task.rows for task in self._tasks)
            if waiting + rows > self._capacity:
                raise RequestError(
                    "UNAVAILABLE",
                    "The batch scheduling queue to which this task was submitted is full",
                )
            self._tasks += tasks
            self._changed.notify_all()
        return tasks[0].future if len(tasks) == 1 else _join([task.future for task in tasks])

    def close(self) -> None:
        """Return once all submitted requests have been run; refuse further ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def _capacity(self) -> int:
        """Rows that may wait."""
        return self._settings.max_batch_size * self._settings.max_enqueued_batches

    def _check_rows(self, rows: int) -> None:
        """Raise RequestError if no queue, however empty, takes so many rows."""
        size = self._settings.max_batch_size
        if rows > size and not self._settings.enable_large_batch_splitting:
            raise invalid_argument(
                f"Task size {rows} is larger than maximum input batch size {size}"
            )
        if rows > self._capacity:
            raise invalid_argument(
                f"A request has at most {self._capacity:,} rows (max_batch_size {size:,} times "
                f"max_enqueued_batches {self._settings.max_enqueued_batches:,}). "
                f"Received: {rows:,}."
            )

    def _work(self) -> None:
        while batch := self._next_batch():
            now = time.monotonic()
            for task in batch:
                self._on_wait(now - task.arrived)
            _run(batch, self._settings.allowed_batch_sizes)

    def _next_batch(self) -> list[_Task]:
        """Wait for the next batch and return it; empty once closed and done."""
        timeout = self._settings.batch_timeout_micros / 1e6
        with self._changed:
            while True:
                self._drop_cancelled()
                if batch := self._ready(time.monotonic() - timeout):
                    chosen = set(map(id, batch))
                    self._tasks = [task for task in self._tasks if id(task) not in chosen]
                    return batch
                if self._closed:
                    return []
                # The first task, which is the oldest, is the first that is due.
                due = self._tasks[0].arrived + timeout if self._tasks else None
                self._changed.wait(None if due is None else max(0, due - time.monotonic()))

    def _drop_cancelled(self) -> None:
        """Forget the tasks that nobody waits for, which would take places of others."""
        # The second call ends `concurrent.futures.wait` for a future, which `cancel` does not.
        self._tasks = [
            task
            for task in self._tasks
            if not task.future.cancelled() or task.future.set_running_or_notify_cancel()
        ]

    def _ready(self, due: float) -> list[_Task]:
        """Return the first batch that is full, or has a task from before `due`; empty if none is.

        Once closed, it is the batch of the oldest task.
        """
        by_key: dict[tuple, list[_Task]] = {}
        for task in self._tasks:
            by_key.setdefault(task.key, []).append(task)
        for alike in by_key.values():  # in the order of their oldest tasks
            batch, full = self._choose(alike)
            if full or alike[0].arrived <= due or self._closed:
                return batch
        return []

    def _choose(self, alike: list[_Task]) -> tuple[list[_Task], bool]:
        """Return the batch with the first of these tasks of one key, and whether it is full."""
        max_rows, oldest = self._settings.max_batch_size, alike[0]
        batch, rows, longest = [], 0, 0
        # The sort is stable, so the oldest, at distance 0 from itself, is the first.
        for task in sorted(alike, key=lambda task: abs(task.length - oldest.length)):
            new_longest, new_rows = max(longest, task.length), rows + task.rows
            fits = new_rows <= max_rows and new_longest * new_rows <= self._max_bytes
            if fits or task is oldest:
                batch.append(task)
                rows, longest = new_rows, new_longest
        full = rows >= max_rows or (rows + 1) * longest > self._max_bytes
        return batch, full


def _task(key: tuple, run: Run, inputs: Tensors) -> _Task:
    # Tensors of different shapes, such as token ids of different lengths, can't be one batch.
    shapes = tuple((name, array.shape[1:]) for name, array in inputs.items())
    rows = len(next(iter(inputs.values())))
    return _Task((*key, shapes), run, inputs, rows, _longest_text(inputs))


def _run(batch: list[_Task], allowed_sizes: tuple[int, ...]) -> None:
    """Run tasks as one batch and give each its rows; skip those that were cancelled."""
    tasks = [task for task in batch if task.future.set_running_or_notify_cancel()]
    if not tasks:
        return
    rows = sum(task.rows for task in tasks)
    size = next((size for size in allowed_sizes if size >= rows), rows)
    try:
        outputs = tasks[0].run(_concatenate([task.inputs for task in tasks], size - rows))
        start = 0
        for task in tasks:
            part = slice(start, start + task.rows)
            task.future.set_result({name: array[part] for name, array in outputs.items()})
            start += task.rows
    except Exception as error:  # the future hands it to the client
        if len(tasks) == 1:
            tasks[0].future.set_exception(error)
        else:
            _run_one_by_one(tasks)


def _run_one_by_one(tasks: list[_Task]) -> None:
    for task in tasks:
        try:
            task.future.set_result(task.run(task.inputs))
        except Exception as error:  # the future hands it to the client
            task.future.set_exception(error)


def _concatenate(inputs: list[Tensors], padding_rows: int) -> Tensors:
    """Return the inputs as one batch, padded with copies of the first row."""
    if len(inputs) == 1 and not padding_rows:
        return inputs[0]
    return {
        name: np.concatenate([part[name] for part in inputs] + [array[:1]] * padding_rows)
        for name, array in inputs[0].items()
    }


def _join(futures: list[Future]) -> Future:
    """Return a future of the concatenated outputs of a request's parts."""
    joined: Future = Future()
    left = threading.Semaphore(len(futures) - 1)

    def part_is_done(_: Future) -> None:
        if left.acquire(blocking=False) or not joined.set_running_or_notify_cancel():
            return
        try:
            parts = [future.result() for future in futures]
            names = parts[0]
            joined.set_result(
                {name: _columns.stack([part[name] for part in parts]) for name in names}
            )
        except Exception as error:  # the future hands it to the client
            joined.set_exception(error)

    def cancel_parts(done: Future) -> None:
        if done.cancelled():  # nobody waits for the parts that have not begun
            for future in futures:
                future.cancel()

    for future in futures:
        future.add_done_callback(part_is_done)
    joined.add_done_callback(cancel_parts)
    return joined


def _longest_text(inputs: Tensors) -> int:
    """Return the bytes of the longest string, on which the padded length depends."""
    strings = [array.ravel() for array in inputs.values() if array.dtype == object]
    return max((len(value) for array in strings for value in array), default=0)
