"""Sample training files of CoNLL-2003, GoEmotions and STS-B, for ftkeras and `problem_loops.py`.

    python benchmarks/problem_subsets.py DATA_FOLDER OUT_FOLDER

DATA_FOLDER holds conll2003/train.txt, goemotions/train.tsv and stsb/train.tsv. OUT_FOLDER gets
conll2003.txt (2,000 sentences), goemotions.tsv (3,000 texts) and stsb.tsv (2,000 pairs), in the
layout of the originals.
"""

import pathlib
import re
import sys

import numpy as np


def _sample(units: list[str], count: int) -> list[str]:
    chosen = np.random.default_rng(1).choice(len(units), count, replace=False)
    return [units[at] for at in sorted(chosen)]


def main(data: pathlib.Path, out: pathlib.Path) -> None:
    """Write the three files."""
    out.mkdir(parents=True, exist_ok=True)
    blocks = re.split(r"\n\s*\n", (data / "conll2003/train.txt").read_text(encoding="utf-8"))
    sentences = [b.strip("\n") for b in blocks if b.strip() and not b.startswith("-DOCSTART-")]
    text = "\n\n".join(_sample(sentences, 2000)) + "\n"
    (out / "conll2003.txt").write_text(text, encoding="utf-8")
    for name, count, header in (("goemotions", 3000, 0), ("stsb", 2000, 1)):
        lines = (data / name / "train.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")
        text = "\n".join([*lines[:header], *_sample(lines[header:], count)]) + "\n"
        (out / f"{name}.tsv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
