"""Compare the answers of ONNX exports on a run's test texts.

    python benchmarks/export_accuracy.py RUN_DIR run/onnx run8/onnx

Prints the accuracy of each export, and the number of labels that differ from those of the first
export. Texts are predicted in batches of 16, in the order of the split.
"""

import dataclasses
import pathlib
import sys

import numpy as np
import onnxruntime

from ftkeras import catalog
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.data.splits import open_splits
from ftkeras.experiment import exports
from ftkeras.exporters._comparison import BATCH, padded_ids


def main(run_dir: pathlib.Path, folders: list[str]) -> None:
    config = flagfile.read(run_dir / "run.cfg", Config)
    config = dataclasses.replace(config, run_dir=str(run_dir), export=("onnx",))
    (exporter,) = exports.of_finished_run(config, run_dir)
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    with open_splits(config, task, exporter.text_layer) as splits:
        test = splits.test
        texts = [row["text"].decode() for row in task.splits()["test"].as_numpy_iterator()]
        samples, targets = [{"text": texts[row]} for row in test.rows], np.array(test.targets)
    starts = range(0, len(samples), BATCH)
    batches = [padded_ids(samples[i : i + BATCH], exporter.text_layer)[0] for i in starts]
    first = None
    for folder in folders:
        session = onnxruntime.InferenceSession(pathlib.Path(folder) / "model.onnx")
        logits = np.concatenate([session.run(["logits"], ids)[0] for ids in batches])
        labels = logits.argmax(axis=1)
        first = labels if first is None else first
        print(
            f"{folder}: accuracy {np.mean(labels == targets):.4f} on {len(labels):,} texts, "
            f"{np.sum(labels != first)} labels differ from the first"
        )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
