"""A version whose labels or inputs differ from the newest one's is refused before training."""

import pytest

from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.experiment import exports
from tests.running import call_ftkeras


def _write(folder, labels) -> str:
    rows = [f"the film number {number},{labels[number % len(labels)]}" for number in range(40)]
    (folder / "quickstart.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    return str(folder / "quickstart.csv")


def test_search_checks_its_exports_first(finished_run, tmp_path):
    where = str(finished_run / "saved_models")
    config = Config(data=(_write(tmp_path, ["good", "bad"]),), export_dir=where)
    with pytest.raises(UserError, match="has the labels 'negative', 'positive', but this run has"):
        exports.check_versions(config)
    for given in ({"force": True}, {"export": ("none",)}, {"export": ("onnx",)}, {"name": "other"}):
        exports.check_versions(Config(task=config.task, export_dir=where, **given))
    same = Config(data=(_write(tmp_path, ["negative", "positive"]),), export_dir=where)
    exports.check_versions(same)


def test_train_refuses_before_it_trains(finished_run, tmp_path):
    _write(tmp_path, ["good", "bad"])
    (tmp_path / "saved_models").symlink_to(finished_run / "saved_models")
    encoder = "--encoder=bert(layers=1, hidden=8, heads=1, vocabulary='reviews')"
    done = call_ftkeras("train", "quickstart.csv", encoder, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "has the labels 'negative', 'positive', but this run has 'bad', 'good'" in done.stderr
    assert "--force" in done.stderr
    assert not (tmp_path / "runs").exists()
