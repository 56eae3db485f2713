"""Compare the speed of ModernBERT with local attention, with global attention, and of BERT.

    python benchmarks/local_attention.py [--lengths 512 2048 8192]

Random weights, 6 layers of width 256, one text without padding, on one core. The feed-forward width
of BERT is chosen so that both networks have the same number of products. The three take turns. The
script prints the median of tokens per second over several rounds, and its ratio to global attention
in all layers.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_NUM_INTRAOP_THREADS"] = "1"

import numpy as np
import tensorflow as tf

from ftkeras.encoders.bert import Bert
from ftkeras.encoders.modernbert import Modernbert

SIZES = {"vocabulary_size": 100, "layers": 6, "hidden": 256, "heads": 4, "seed": 1, "pad_id": 0}


def encoders(longest: int) -> dict[str, tf.types.experimental.GenericFunction]:
    """Return each encoder as a function of token ids."""
    sizes = {**SIZES, "positions": longest, "pooler": False}
    made = {
        "global": Modernbert(**sizes, intermediate=384, global_every=1),
        "local": Modernbert(**sizes, intermediate=384),
        "bert": Bert(**sizes, intermediate=576),
    }
    return {
        name: tf.function(lambda ids, encoder=encoder: encoder(ids)["sequence"])
        for name, encoder in made.items()
    }


def main() -> None:
    """Print a line for each length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lengths", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    functions = encoders(max(options.lengths))
    for length in options.lengths:
        ids = tf.constant(np.random.default_rng(1).integers(1, 100, size=(1, length)))
        rates = {name: [] for name in functions}
        for round_number in range(options.rounds + 1):
            for name, function in functions.items():
                start = time.perf_counter()
                function(ids).numpy()
                if round_number:  # the first call traces
                    rates[name].append(length / (time.perf_counter() - start))
        medians = {name: statistics.median(values) for name, values in rates.items()}
        shown = (
            f"{name} {rate:,.0f} ({rate / medians['global']:.2f} x)"
            for name, rate in medians.items()
        )
        print(f"{length:>5} tokens: {', '.join(shown)} tokens/s", flush=True)


if __name__ == "__main__":
    main()
