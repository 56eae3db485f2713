import logging
from types import SimpleNamespace

import numpy as np
import pytest

from ftkeras.config.run import Config
from ftkeras.experiment import speedup
from ftkeras.experiment.speedup import SMALL, Size
from ftkeras.support import accelerator

BASE = Size(layers=12, hidden=768, intermediate=3072)
LENGTHS = np.array([32, 100, 200, 256])


def _suggestions(seconds=7200.0, **given):
    settings = {"size": BASE, "lengths": LENGTHS, "max_length": 256}
    settings = {**settings, "smaller_encoder": True, **given}
    return speedup.suggestions(seconds, **{"examples": len(settings["lengths"]), **settings})


def test_operations_are_those_of_the_matrix_products():
    size, length = Size(layers=3, hidden=8, intermediate=20), 5
    products = [(8, 8)] * 4 + [(8, 20), (20, 8)]
    for_tokens = sum(2 * length * rows * columns for rows, columns in products)
    for_attention = 2 * (2 * length * length * 8)
    lengths = np.array([length, length])
    assert speedup.count_operations(size, lengths) == 2 * 3 * (for_tokens + for_attention)


def test_each_suggestion_says_by_how_much():
    lengths = np.full(25_000, 200)
    encoder, tokens, examples = _suggestions(lengths=lengths)
    ratio = speedup.count_operations(BASE, lengths) / speedup.count_operations(SMALL, lengths)
    assert encoder.endswith(f"all-MiniLM-L6-v2 (English) computes {ratio:.1f} times less")
    assert ratio == pytest.approx(8, rel=0.1)
    assert tokens == "max_length=128 computes 1.6 times less and cuts 100% of the texts"
    assert examples == "train_examples=12000 takes about 1 h 00 min"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"size": SMALL}, "encoder"),
        ({"smaller_encoder": False}, "encoder"),
        ({"lengths": np.array([32, 60])}, "max_length"),
        ({"max_length": 100}, "max_length"),
        ({"max_length": None}, "max_length"),
        ({}, "train_examples"),
    ],
)
def test_what_would_not_help_is_not_suggested(given, missing):
    assert not [line for line in _suggestions(**given) if line.startswith(missing)]


def _advise(monkeypatch, *, seconds, gpu=False, vectors=None, truncation=None, examples=4):
    monkeypatch.setattr(accelerator, "is_available", lambda: gpu)
    encoder = SimpleNamespace(stack=[None] * 12, hidden=768, intermediate=3072)
    config = Config(truncation=truncation)
    experiment = SimpleNamespace(config=config, model=SimpleNamespace(encoder=encoder))
    feed = SimpleNamespace(examples=SimpleNamespace(lengths=LENGTHS, vectors=vectors))
    speedup.advise(experiment, feed, examples=examples)(seconds)


def test_long_run_on_a_cpu_gets_one_line_of_advice(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "ftkeras")
    _advise(monkeypatch, seconds=3601)
    (line,) = caplog.messages
    assert line.startswith("this is long for a CPU; encoder=sentence-transformers/")
    assert line.count("; ") == 2


def test_windows_are_counted_as_the_examples_they_belong_to_and_not_cut_shorter(
    monkeypatch, caplog
):
    caplog.set_level(logging.INFO, "ftkeras")
    _advise(monkeypatch, seconds=7200, truncation="windows(overlap=16)", examples=1000)
    (line,) = caplog.messages
    assert "max_length" not in line
    assert "train_examples=500 " in line


@pytest.mark.parametrize("case", [{"seconds": 3600}, {"gpu": True}, {"vectors": object()}])
def test_other_runs_get_no_advice(case, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "ftkeras")
    _advise(monkeypatch, **{"seconds": 9999, **case})
    assert not caplog.messages
