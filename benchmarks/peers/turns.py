"""Client side of the benchmark: train in turns, and report the time of each turn.

Uses only the standard library, because every system runs in its own environment. Reports go to
standard output, as one JSON object per line after a mark that distinguishes them from other output.
"""

import collections
import json
import os
import resource
import sys
import time

MARK = "@@ "


class Turns:
    """Counts the steps of a turn, and waits between turns.

    A system calls `add_batch` for each batch that it prepares, in order, and `step_done` after each
    step.

    Args:
        steps: per turn.
        settle: waits until the device has finished; called at the end of a turn.
        memory: returns the peak memory in bytes; default: that of the process.
    """

    def __init__(self, steps: int, *, settle=lambda: None, memory=None):
        self.steps, self.sizes = steps, collections.deque()
        self.settle, self.memory = settle, memory or _resident
        self.left, self.taken = None, collections.Counter()

    def add_batch(self, lengths: list[int], computed: int) -> None:
        """Note a batch: the reviews' lengths in tokens, and all positions including padding."""
        self.sizes.append({"reviews": len(lengths), "tokens": sum(lengths), "computed": computed})

    def step_done(self) -> None:
        """Count a step; at the end of a turn, report it and wait for the next one."""
        size = self.sizes.popleft()
        if self.left is None:
            self.settle()
            self._report(
                seconds_to_first_step=time.time() - _process_start(),
                cpu_seconds_to_first_step=time.process_time(),
            )
        else:
            self.taken.update(size)
            self.left -= 1
            if self.left:
                return
            self.settle()
            seconds, cpu = time.perf_counter() - self.began, time.process_time() - self.cpu_began
            self._report(seconds=seconds, cpu_seconds=cpu, **self.taken)
        self._wait()

    def _wait(self) -> None:
        if sys.stdin.readline().strip() != "go":
            self._report(peak_memory=self.memory())
            os._exit(0)
        self.left, self.taken = self.steps, collections.Counter()
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def _report(self, **metrics) -> None:
        print(MARK + json.dumps(metrics), flush=True)


def given() -> dict:
    """Return the settings that the benchmark passes to this system."""
    return json.loads(sys.argv[1])


def reviews(path: str) -> tuple[list[str], list[int]]:
    """Return texts and labels."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def bert_config(asked: dict, vocabulary_size: int) -> dict:
    """Return the arguments of transformers' BertConfig for these sizes."""
    return {
        "vocab_size": vocabulary_size,
        "num_hidden_layers": asked["layers"],
        "hidden_size": asked["hidden"],
        "num_attention_heads": asked["heads"],
        "intermediate_size": 4 * asked["hidden"],
    }


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _process_start() -> float:
    """Return when this process started, in seconds since 1970 (Linux)."""
    with open("/proc/self/stat", encoding="ascii") as stat, open("/proc/stat") as machine:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
        booted = next(int(line.split()[1]) for line in machine if line.startswith("btime"))
    return booted + ticks / os.sysconf("SC_CLK_TCK")
