import csv
import math

import numpy as np
import pytest

from ftkeras.config.find_rate import FindRateConfig
from ftkeras.errors import UserError
from tests.running import QUICK, succeed


@pytest.mark.process
def test_find_rate_writes_its_curve_and_nothing_else(tmp_path):
    flags = ["--encoder=bert(layers=1, hidden=16, heads=2, positions=64, vocabulary='reviews')"]
    flags += ["--steps=12", "--min_rate=1e-5", "--max_rate=1e-2", "--run_dir=run"]
    output = succeed("find_rate", *QUICK, *flags, cwd=tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "run",
        "run/find_rate.csv",
        "run/find_rate.png",
    ]
    assert "suggestion" in output.lower()
    assert "the weights were discarded" in output
    rows = list(csv.DictReader((tmp_path / "run" / "find_rate.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(12))
    rates = [float(row["learning_rate"]) for row in rows]
    np.testing.assert_allclose(rates, np.geomspace(1e-5, 1e-2, 12), rtol=1e-4)
    assert all(0.3 < float(row["loss"]) < 1.5 for row in rows)
    assert (tmp_path / "run" / "find_rate.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"min_rate": 0.0}, "min_rate.*0.0"),
        ({"max_rate": math.inf}, "max_rate.* must be finite.*inf"),
        ({"min_rate": 0.1, "max_rate": 0.01}, "min_rate.*0.1 and 0.01"),
        ({"steps": 9}, "steps.*10.*9"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_range_out_of_bounds_is_refused(keys, named):
    with pytest.raises(UserError, match=named):
        FindRateConfig(**keys)
