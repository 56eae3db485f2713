"""Read the reference's golden files, which make_fixtures.py writes."""

import pathlib

import numpy as np

from ftkeras.checkpoints import huggingface
from ftkeras.encoders.bert import Bert

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
MODELS = ("gelu", "gelu_new")


def golden(model: str) -> dict[str, dict[str, np.ndarray]]:
    """Return each case's inputs, `states` [layers + 1, batch, positions, hidden] and `pooled`."""
    cases = {}
    with np.load(FIXTURES / model / "golden.npz") as arrays:
        for key, array in arrays.items():
            case, name = key.split("/")
            cases.setdefault(case, {})[name] = array
    return cases


def inputs(case: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what an encoder is called with."""
    return {name: array for name, array in case.items() if name not in ("states", "pooled")}


def pretrained_bert(folder, **changes) -> Bert:
    """Return the encoder of a Hugging Face folder."""
    encoder = Bert(**{**Bert.settings(huggingface.read_config(folder)), **changes}, initial="zeros")
    encoder.load(huggingface.read_tensors(folder))
    return encoder


def tiny_bert(**changes) -> Bert:
    """Return a small encoder with random weights."""
    return Bert(**{"vocabulary_size": 30, "layers": 2, "hidden": 8, "heads": 2, **changes})
