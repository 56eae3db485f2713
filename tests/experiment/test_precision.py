"""`precision=auto` measures once on a machine, and a resumed run keeps its precision."""

import logging

import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.experiment import precision
from ftkeras.runs import folder
from ftkeras.strategies import Devices
from ftkeras.support import accelerator


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Return a function that pretends to be a machine, and the list of what it has measured."""
    measured = []

    def be(*, gpu=False, has=True, gain=2.0):
        def measure(width):
            measured.append(width)
            return gain

        monkeypatch.setattr(accelerator, "is_available", lambda: gpu)
        monkeypatch.setattr(accelerator, "cpu_has_bfloat16", lambda: has)
        monkeypatch.setattr(accelerator, "bfloat16_gain", measure)
        return measured

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return be


def _settled(config=None, *, hidden=384, workers=1):
    devices = Devices(workers=workers)
    return precision.settle(config or Config(), hidden=hidden, devices=devices).precision


@pytest.mark.parametrize(("gain", "chosen"), [(1.29, "float32"), (1.31, "mixed_bfloat16")])
def test_processor_computes_in_bfloat16_where_that_is_faster(machine, caplog, gain, chosen):
    caplog.set_level(logging.INFO, "ftkeras")
    measured = machine(gain=gain)
    assert _settled() == chosen
    assert measured == [384]
    assert caplog.messages == [
        f"precision={chosen} (auto: this processor multiplies 384 x 1536 matrices 1.3 times as "
        "fast in bfloat16)"
    ]


@pytest.mark.parametrize(
    ("pretended", "given", "chosen"),
    [
        ({"gpu": True, "has": False}, {}, "mixed_bfloat16"),
        ({"has": False}, {}, "float32"),
        ({}, {"hidden": 64}, "float32"),
        ({}, {"workers": 2}, "float32"),
        ({}, {"config": Config(precision="mixed_float16")}, "mixed_float16"),
        ({}, {"config": Config(precision="float32")}, "float32"),
    ],
)
def test_what_needs_no_measurement_makes_none(machine, caplog, pretended, given, chosen):
    caplog.set_level(logging.INFO, "ftkeras")
    measured = machine(**pretended)
    assert _settled(**given) == chosen
    assert not measured
    assert not caplog.messages


def test_a_machine_measures_once_so_that_its_runs_agree(machine):
    machine(gain=2.0)
    assert _settled() == "mixed_bfloat16"
    measured = machine(gain=1.0)  # as if other work had disturbed it
    assert _settled() == "mixed_bfloat16"
    assert _settled(hidden=None) == "float32"
    assert measured == [384, 768]


def test_without_a_cache_each_run_measures(machine):
    measured = machine()
    for _ in range(2):
        _settled(Config(cache_dir="none"))
    assert measured == [384, 384]


def test_resumed_run_keeps_its_precision(tmp_path):
    (tmp_path / "run.cfg").write_text(flagfile.render(Config(precision="mixed_bfloat16")))
    assert folder.adopt(Config(), tmp_path).precision == "mixed_bfloat16"
    assert folder.adopt(Config(precision="float32"), tmp_path).precision == "float32"
