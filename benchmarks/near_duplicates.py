"""Count near-duplicates among a task's training texts, and measure the cost of finding them.

    python benchmarks/near_duplicates.py --task=imdb --data_dir=… --encoder=… --max_length=128

Takes the flags of `train`. For several similarities, prints the number of texts in groups, the size
of the largest group, the seconds, and the memory beyond that of the token ids.
"""

import resource
import sys
import time

import numpy as np

from ftkeras.cli import flags
from ftkeras.data import folds
from ftkeras.data.groupings.near_duplicates import NearDuplicates
from ftkeras.data.splits import open_splits
from ftkeras.experiment import build

SIMILARITIES = (0.3, 0.5, 0.7, 0.9)


def main() -> None:
    config = flags.parse([*sys.argv[1:], "--train_on_validation"]).config  # no validation examples
    experiment = build.experiment(config)
    with open_splits(config, experiment.task, experiment.text_layer) as splits:
        texts = splits.train
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(texts):,} texts, {texts.lengths.sum():,} tokens")
    for similarity in SIMILARITIES:
        began = time.perf_counter()
        groups = NearDuplicates(similarity=similarity).groups(texts)
        grouped = time.perf_counter()
        folds.assign_folds(texts.targets, groups, folds=5, seed=0)
        sizes = np.unique(groups, return_counts=True)[1]
        print(
            f"similarity {similarity}: {sizes[sizes > 1].sum():,} texts in {(sizes > 1).sum():,} "
            f"groups, the largest of {sizes.max():,}; {grouped - began:.2f} s, and "
            f"{time.perf_counter() - grouped:.2f} s for five folds"
        )
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{(after - before) / 1024:.0f} MiB more at the peak")


if __name__ == "__main__":
    main()
