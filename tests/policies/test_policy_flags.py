"""Test that impossible policies are reported in one line, before anything is written."""

import pathlib

import pytest

from ftkeras.main import main
from tests.running import QUICK


@pytest.mark.parametrize(
    ("specs", "named"),
    [
        (["lora", "head_only"], ["lora", "head_only", "both decide what trains"]),
        (["freeze(layers=1)", "full"], ["freeze", "full", "both decide"]),
        (["layerwise", "discriminative"], ["layerwise", "discriminative", "rates"]),
        (["freeze(layers=9)"], ["--policy=freeze(layers=9)", "`layers`", "2", "9"]),
        (["head_only", "layerwise"], ["--policy=layerwise", "freezes all"]),
        (["discriminative(rates={'block_1': 2})"], ["`rates`", "'block_1'", "encoder/"]),
        (["lora(targets='quarry')"], ["--policy=lora", "`targets`", "quarry", "query"]),
        (["lora(rank=97)"], ["--policy=lora(rank=97)", "`rank`", "96"]),
        (["frieze"], ["--policy", "frieze", "freeze"]),
        (["reinit(seed=3)"], ["--policy=reinit", "'seed'", "layers"]),
    ],
)
def test_impossible_policy_is_reported_in_one_line(capsys, tmp_path, monkeypatch, specs, named):
    monkeypatch.chdir(tmp_path)
    assert main([*QUICK, *(f"--policy={spec}" for spec in specs)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("ftkeras: ")
    assert message.count("\n") == 1
    for name in named:
        assert name in message
    assert not list(pathlib.Path().iterdir())
