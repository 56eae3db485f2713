"""A policy never makes the exported model differ from what was evaluated."""

import json

import pytest

from tests.running import QUICK, run_ftkeras


@pytest.mark.parametrize("policy", ["lora(rank=4)", "adapters(size=8)"])
def test_run_is_evaluated_and_exported_as_it_was_trained(tmp_path, policy):
    def ftkeras(*arguments):
        done = run_ftkeras(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    ftkeras(*QUICK, "--train_examples=400", "--epochs=1", "--run_dir=run", f"--policy={policy}")
    trained = json.loads((tmp_path / "run" / "metrics.json").read_text())
    ids = [json.loads(line) for line in (tmp_path / "run" / "predictions.jsonl").open()]
    ftkeras("evaluate", "--run_dir=run")
    measured = json.loads((tmp_path / "run" / "metrics.json").read_text())
    for split in ("validation", "test"):
        assert measured[split] == pytest.approx(trained[split], abs=1e-4)
    from ftkeras.tasks.quickstart import Quickstart

    test = list(Quickstart().splits()["test"].as_numpy_iterator())
    texts = [test[int(p["id"].removeprefix("test-"))]["text"].decode() for p in ids]
    (tmp_path / "texts").write_text("\n".join(texts) + "\n")
    said = ftkeras("predict", "--model=saved_models/quickstart", "--input=texts", "--json")
    for line, expected in zip(said.splitlines(), ids, strict=True):
        served = json.loads(line)["probabilities"]
        assert served == pytest.approx(expected["probabilities"], abs=1e-5)
