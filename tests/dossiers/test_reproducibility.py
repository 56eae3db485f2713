"""Training again, the machine, and the estimate of energy."""

import json
import shutil

import numpy as np
import pytest

from ftkeras.checkpoints import tensor_file
from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.dossiers import reproducibility, retraining
from ftkeras.dossiers.about import About
from ftkeras.dossiers.subject import Subject
from ftkeras.errors import UserError
from ftkeras.pages import run_view
from ftkeras.pages.run_view import NoTexts
from ftkeras.processes.child_run import Outcome
from ftkeras.runs import audit, layout, metrics
from ftkeras.support import hardware, hashes
from tests.pages import finished_runs
from tests.running import run_ftkeras


def second_training(monkeypatch, source, *, change=None, reason=None):
    """Let the second training end at once, with the files of a run and maybe other weights."""

    def train(config, folder):
        assert config.export == ("none",)
        assert not config.report
        folder.mkdir(parents=True)
        for name in (layout.WEIGHTS, *layout.PREDICTIONS.values()):
            if (source / name).exists():
                shutil.copy(source / name, folder / name)
        if change is not None:
            tensors = dict(tensor_file.read(folder / layout.WEIGHTS)[0])
            name = sorted(tensors)[0]
            tensors[name] = np.nextafter(tensors[name], np.float32(9))
            tensor_file.write(folder / layout.WEIGHTS, tensors, facts={})
        return Outcome(None if reason else {}, reason, 3.0)

    monkeypatch.setattr(retraining.child_run, "train", train)


def prove(run):
    return retraining.prove(flagfile.read(run / layout.SETTINGS, Config), run)


def test_same_bits_are_proved(finished_run, monkeypatch):
    run = finished_run / "run"
    second_training(monkeypatch, run)
    found = prove(run)
    assert found["identical"]
    assert found["tensors"] > 10
    assert (found["predictions"], found["different_predictions"]) == (60, 0)


def test_run_that_was_not_tested_is_compared_on_validation(copy_of_finished_run, monkeypatch):
    run = copy_of_finished_run / "run"
    (run / layout.PREDICTIONS["test"]).unlink()
    second_training(monkeypatch, run)
    found = prove(run)
    assert (found["split"], found["predictions"]) == ("validation", 100)
    (notice,) = reproducibility._proof(found)
    assert "the same 100 answers on validation." in notice.text
    (notice,) = reproducibility._proof({**found, "predictions": 0})
    assert notice.text.endswith(" tensors.")


def test_smallest_difference_shows(finished_run, monkeypatch):
    run = finished_run / "run"
    second_training(monkeypatch, run, change=True)
    found = prove(run)
    assert (found["identical"], found["different_tensors"]) == (False, 1)
    assert 0 < found["largest_difference"] < 1e-6


def test_training_that_fails_proves_nothing(finished_run, monkeypatch):
    run = finished_run / "run"
    second_training(monkeypatch, run, reason="no data")
    with pytest.raises(UserError, match="the second training failed: no data"):
        prove(run)


def test_run_without_weights_proves_nothing(tmp_path):
    with pytest.raises(UserError, match="the run kept no weights"):
        retraining.prove(Config(), tmp_path)


def subject(run, statements=None, **options) -> Subject:
    view = run_view.read(run, NoTexts("not read"))
    return Subject(view, About(statements or {}), output=view.folder, reason="not read", **options)


def test_machine_and_code_are_those_of_the_training(finished_run):
    data = reproducibility.part(subject(finished_run / "run")).data
    assert data["hardware"]["cores"] >= 1
    assert data["code"]["ftkeras"] == data["code_of_training"]
    assert data["proof"] is None
    assert data["energy"] is None


def test_other_code_shows(copy_of_finished_run):
    run = copy_of_finished_run / "run"
    details = audit.read(run).last("trained")
    (run / layout.AUDIT_LOG).unlink()
    audit.append(run, "trained", {**details, "code": "0" * 64})
    shown = reproducibility.part(subject(run)).shown
    assert "has changed since the training" in shown[-1].text


def test_energy_is_power_times_time(finished_run):
    run = finished_run / "run"
    seconds = json.loads((run / "metrics.json").read_text())["train"]["seconds"]
    stated = {"environment.watts": 90.0, "environment.grams_co2_per_kwh": 500.0}
    found = reproducibility.part(subject(run, stated)).data["energy"]
    assert found["kwh"] == pytest.approx(90 * seconds / 3600 / 1000)
    assert found["grams_co2"] == pytest.approx(500 * found["kwh"])
    assert "mean power" in found["method"]


def test_phases_of_a_run_take_time_and_energy(tmp_path):
    run = tmp_path / "run"
    seconds = {"pretrained": 5.0, "pairs": 3.0, "rounds/0": 2.0, "rounds/1": 1.0, "": 2.0}
    finished_runs.classes(run, ["no", "yes"])
    for name, value in seconds.items():
        (run / name).mkdir(parents=True, exist_ok=True)
        metrics.write_metrics(run / name, {"train": {"seconds": value}})
    found = reproducibility.part(subject(run, {"environment.watts": 100.0})).data
    assert found["training_seconds"] == 11  # the run is a copy of its best round
    assert found["energy"]["kwh"] == pytest.approx(11 * 100 / 3.6e6)


def test_machine_names_its_processor(tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A Processor 9000\n")
    assert hardware._processor(path) == "A Processor 9000"
    assert hardware.describe()["memory_bytes"] > 2**28


def test_digest_of_the_code_is_of_all_its_files():
    assert len(hashes.of_code()) == 64
    assert hashes.of_code() == hashes.of_code()


@pytest.mark.process
def test_run_is_proved_by_training_it_again(copy_of_finished_run):
    flags = ("dossier", "--run_dir=run", "--notexts", "--prove")
    done = run_ftkeras(*flags, cwd=copy_of_finished_run)
    assert done.returncode == 0, done.stderr
    path = copy_of_finished_run / "run" / "dossier" / "reproducibility.json"
    found = json.loads(path.read_text())["proof"]
    assert found["identical"]
    assert found["different_predictions"] == 0
