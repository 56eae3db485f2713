"""A run and a server's statistics, as `drift` reads them, without a training."""

import json
import pathlib

import numpy as np

from ftkeras.runs import layout, monitoring
from ftkeras.serving.statistics import Tally

LABELS = ("neg", "pos")


def _probabilities(rng, size: int, positive: float) -> np.ndarray:
    second = np.clip(rng.beta(6, 2, size), 0.51, 1)
    second = np.where(rng.random(size) < positive, second, 1 - second)
    return np.stack([1 - second, second], axis=1)


def write_run(folder: pathlib.Path, size: int = 600, counts: bool = True) -> None:
    """Write what `drift` reads of a run that answers half of its texts with `pos`."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    (folder / layout.SETTINGS).write_text("")
    rows = [
        {"predicted": LABELS[int(p[1] > 0.5)], "probabilities": p.tolist()}
        for p in _probabilities(rng, size, 0.5)
    ]
    (folder / layout.PREDICTIONS["test"]).write_text("".join(json.dumps(r) + "\n" for r in rows))
    if counts:
        tokens = rng.poisson(30, size) + 2
        made = {"test": {"tokens": tokens, "unknown": rng.binomial(tokens, 0.02)}}
        monitoring.write_token_counts(folder, made)


def window(start: int, size: int, *, positive=0.5, length=30, unknown=0.02, version=1) -> str:
    """Return a window of a server's statistics."""
    rng, tally = np.random.default_rng(start + 1), Tally()
    p = _probabilities(rng, size, positive)
    tokens = rng.poisson(length, size) + 2
    tally.add(
        {"label": np.array([LABELS[k].encode() for k in p.argmax(1)]), "score": p.max(axis=1)},
        {"tokens": tokens, "unknown": rng.binomial(tokens, unknown)},
    )
    about = {"start": f"2026-01-0{start}", "end": f"2026-01-0{start + 1}", "model": "m"}
    return json.dumps({**about, "version": version, **tally.line(), "dropped": 0}) + "\n"
