"""A system's side of the benchmark: it trains when it is its turn, and says what that took.

Standard library only, for every system runs in an environment of its own. What is said goes to
standard output, a JSON object a line behind a mark, whatever else a library prints there.
"""

import collections
import json
import os
import resource
import sys
import time

MARK = "@@ "


class Turns:
    """Counts the steps of a turn, and waits where one ends.

    A system calls `fed` for each batch it makes, in their order, and `step_done` after each step.

    Args:
        steps: of a turn.
        settle: returns when the device has done all that it was given; called where a turn ends.
        memory: gives the most bytes taken so far; the process's own where not given.
    """

    def __init__(self, steps: int, *, settle=lambda: None, memory=None):
        self.steps, self.sizes = steps, collections.deque()
        self.settle, self.memory = settle, memory or _resident
        self.left, self.taken = None, collections.Counter()

    def fed(self, lengths: list[int], computed: int) -> None:
        """A batch was made: the reviews' tokens, and all positions, padding counted."""
        self.sizes.append({"reviews": len(lengths), "tokens": sum(lengths), "computed": computed})

    def step_done(self) -> None:
        """A step has ended; at a turn's end this tells of it and waits for the next one."""
        size = self.sizes.popleft()
        if self.left is None:
            self.settle()
            self._tell(
                seconds_to_first_step=time.time() - _born(),
                cpu_seconds_to_first_step=time.process_time(),
            )
        else:
            self.taken.update(size)
            self.left -= 1
            if self.left:
                return
            self.settle()
            seconds, cpu = time.perf_counter() - self.began, time.process_time() - self.cpu_began
            self._tell(seconds=seconds, cpu_seconds=cpu, **self.taken)
        self._wait()

    def _wait(self) -> None:
        if sys.stdin.readline().strip() != "go":
            self._tell(peak_memory=self.memory())
            os._exit(0)
        self.left, self.taken = self.steps, collections.Counter()
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def _tell(self, **figures) -> None:
        print(MARK + json.dumps(figures), flush=True)


def given() -> dict:
    """What the benchmark asks of this system."""
    return json.loads(sys.argv[1])


def reviews(path: str) -> tuple[list[str], list[int]]:
    """Texts and labels."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows], [row["label"] for row in rows]


def bert_config(asked: dict, vocabulary_size: int) -> dict:
    """What transformers' BertConfig takes for the sizes that are asked for."""
    return {
        "vocab_size": vocabulary_size,
        "num_hidden_layers": asked["layers"],
        "hidden_size": asked["hidden"],
        "num_attention_heads": asked["heads"],
        "intermediate_size": 4 * asked["hidden"],
    }


def _resident() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _born() -> float:
    """When this process began, in seconds since 1970 (Linux)."""
    with open("/proc/self/stat", encoding="ascii") as stat, open("/proc/stat") as machine:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
        booted = next(int(line.split()[1]) for line in machine if line.startswith("btime"))
    return booted + ticks / os.sysconf("SC_CLK_TCK")
