"""Write a run's training, validation and test reviews to files, for other systems.

    python benchmarks/imdb_subset.py --flagfile=… --data_dir=… OUT_FOLDER

Writes train.jsonl, validation.jsonl and test.jsonl into OUT_FOLDER, with {"text", "label"} on each
line.
"""

import dataclasses
import json
import pathlib
import sys

import tensorflow as tf

from ftkeras import catalog
from ftkeras.cli import flags
from ftkeras.data.splits import open_splits


def _no_tokens(texts, pairs=None):
    return {"token_ids": tf.RaggedTensor.from_tensor(tf.zeros([tf.size(texts), 1], tf.int32))}


def main(arguments: list[str]) -> None:
    *flag_arguments, out = arguments
    # No cache, because the stand-in for a text layer has no identity.
    config = dataclasses.replace(flags.parse(flag_arguments).config, cache_dir="none")
    task = catalog.build("task", config.task, data_dir=config.data_dir)
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    with open_splits(config, task, _no_tokens) as splits:
        texts = {
            name: [row["text"].decode() for row in dataset.as_numpy_iterator()]
            for name, dataset in task.splits().items()
        }
        for name in ("train", "validation", "test"):
            examples = getattr(splits, name)
            source = texts.get(name, texts["train"])
            with open(pathlib.Path(out) / f"{name}.jsonl", "w", encoding="utf-8") as file:
                for row, label in zip(examples.rows, examples.targets, strict=True):
                    file.write(json.dumps({"text": source[row], "label": int(label)}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
