"""Test that the exported model is the evaluated one under policies that add variables."""

import json

import numpy as np
import pytest

from tests import finished
from tests.running import assert_metrics_agree, succeed


@pytest.mark.matrix
@pytest.mark.parametrize("policy", ["lora(rank=4)", "adapters(size=8)"])
def test_run_is_evaluated_and_exported_as_it_was_trained(finished_run, tmp_path, policy):
    def ftkeras(*arguments):
        return succeed(*arguments, cwd=tmp_path)

    # An encoder that has learned: on one of random weights all texts get the same answer.
    encoder = f"--encoder={finished_run / 'run' / 'huggingface'}"
    rest = (encoder, "--train_examples=2000", "--epochs=2", f"--policy={policy}", "--run_dir=run")
    ftkeras(*finished.COMMAND, *rest)
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())
    expected = finished.predictions(tmp_path / "run")
    ftkeras("evaluate", "--run_dir=run")
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())
    for split in ("validation", "test"):
        assert_metrics_agree(measured[split], trained[split], abs=1e-4)
    texts = finished.texts(tmp_path / "run")
    (tmp_path / "texts").write_text("\n".join(texts) + "\n")
    output = ftkeras("predict", "--model=saved_models/quickstart", "--input=texts", "--json")
    positive = [prediction["probabilities"][1] for prediction in expected]
    assert np.ptp(positive) > 0.01  # otherwise swapped rows would not be noticed
    for line, row in zip(output.splitlines(), expected, strict=True):
        assert json.loads(line)["probabilities"] == pytest.approx(row["probabilities"], abs=1e-5)
