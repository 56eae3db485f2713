"""TensorBoard's event files in the run's folder."""

import importlib
import pathlib
import time
from collections.abc import Mapping
from typing import Any

from ftkeras.trackers._base import Tracker

VALIDATION = "val_"


class TensorBoard(Tracker):
    """Write TensorBoard files to the run's folder; show them with `tensorboard --logdir=runs/…`.

    Training and validation appear as two runs, so that their curves are drawn in one plot. The
    flags are shown under Text. When a run is resumed, TensorBoard drops the records after its
    checkpoint.

    Args:
        run_dir: the run's folder.
        name: the name of the task or file, under which runs are kept.
        every: number of optimizer updates between two records of training; positive.

    Raises:
        ValueError: if `every` is not positive.
    """

    package = "tensorboard"

    def __init__(self, run_dir: pathlib.Path, name: str, *, every: int = 10):
        super().__init__(run_dir, name, every=every)
        self._writers: dict[str, Any] = {}

    def start(self, flags: Mapping[str, str], *, resume: str | None, step: int) -> None:
        writer = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        restart = _proto("event").SessionLog(status="START")
        folder = self.run_dir / "tensorboard"
        # The events of an interrupted run that come again after its checkpoint are dropped.
        is_resumed = folder.exists()
        for split in ("train", "validation"):
            self._writers[split] = writer.EventFileWriter(str(folder / split))
            if is_resumed:
                self._add(split, step + 1, session_log=restart)
        if not is_resumed:
            self._add("train", 0, summary=_table(flags))

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        summary = _proto("summary").Summary
        values: dict[str, list] = {"train": [], "validation": []}
        for name, value in metrics.items():
            split = "validation" if name.startswith(VALIDATION) else "train"
            tag = name.removeprefix(VALIDATION)
            values[split].append(summary.Value(tag=tag, simple_value=value))
        for split, of_split in values.items():
            if of_split:
                self._add(split, step, summary=summary(value=of_split))

    def close(self, status: str) -> None:
        for writer in self._writers.values():
            writer.close()

    def _add(self, split: str, step: int, **content: Any) -> None:
        event = _proto("event").Event(step=step, wall_time=time.time(), **content)
        self._writers[split].add_event(event)
        self._writers[split].flush()


def _table(flags: Mapping[str, str]) -> Any:
    """Return a summary that TensorBoard shows as a table, under Text."""
    rows = ["| flag | value |", "|---|---|", *(f"| {n} | `{v}` |" for n, v in flags.items())]
    tensor = _proto("tensor").TensorProto(
        dtype="DT_STRING",
        string_val=["\n".join(rows).encode()],
        tensor_shape=_proto("tensor_shape").TensorShapeProto(),
    )
    metadata = importlib.import_module("tensorboard.plugins.text.metadata")
    about = metadata.create_summary_metadata(display_name="flags", description="")
    summary = _proto("summary").Summary
    return summary(value=[summary.Value(tag="flags", metadata=about, tensor=tensor)])


def _proto(name: str) -> Any:
    """Return the module of TensorBoard's messages of this name."""
    return importlib.import_module(f"tensorboard.compat.proto.{name}_pb2")
