"""Trackers, each read back by its own package in offline mode."""

import math
import struct

import pytest

from ftkeras.trackers import FINISHED, INTERRUPTED
from ftkeras.trackers.csv import Csv
from ftkeras.trackers.mlflow import Mlflow
from ftkeras.trackers.tensorboard import TensorBoard
from ftkeras.trackers.wandb import Wandb

FLAGS = {"learning_rate": "0.001", "policy": "lora(rank=8), layerwise(decay=0.9)"}


def _record(cls, folder, **keys):
    """Record a run that is interrupted after its checkpoint at step 10, and then resumed."""
    folder.mkdir(exist_ok=True)
    first = cls(folder, "reviews", **keys)
    identity = first.start(FLAGS, resume=None, step=0)
    first.log({"loss": 0.5, "learning_rate": 1e-3}, 10)
    first.log({"loss": 0.4, "learning_rate": 9e-4}, 20)
    first.close(INTERRUPTED)
    second = cls(folder, "reviews", **keys)
    again = second.start({**FLAGS, "epochs": "9"}, resume=identity, step=10)
    assert again == identity
    second.log({"loss": 0.25, "learning_rate": 9e-4}, 20)
    second.log({"loss": 0.2, "val_loss": 0.3, "val_f1": math.nan, "epoch": 1}, 25)
    second.close(FINISHED)
    return identity


def test_csv_has_a_row_for_each_record_and_none_twice(tmp_path):
    _record(Csv, tmp_path / "run")
    assert (tmp_path / "run" / "steps.csv").read_text().splitlines() == [
        "step,loss,learning_rate,val_loss,val_f1,epoch",
        "10,0.5,0.001,,,",
        "20,0.25,0.0009,,,",
        "25,0.2,,0.3,nan,1",
    ]


def test_csv_drops_the_half_row_that_a_killed_process_left(tmp_path):
    tracker = Csv(tmp_path, "reviews")
    tracker.start(FLAGS, resume=None, step=0)
    tracker.log({"loss": 0.5, "learning_rate": 1e-3}, 10)
    with tracker.path.open("a") as stream:
        stream.write("20,0.4")
    again = Csv(tmp_path, "reviews")
    again.start(FLAGS, resume=None, step=20)
    again.log({"loss": 0.3, "learning_rate": 1e-3}, 30)
    rows = tracker.path.read_text().splitlines()
    assert rows == ["step,loss,learning_rate", "10,0.5,0.001", "30,0.3,0.001"]


def test_tensorboard_reads_the_curves_and_the_flags(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _record(TensorBoard, tmp_path / "run")
    found = {}
    for split in ("train", "validation"):
        events = EventAccumulator(str(tmp_path / "run" / "tensorboard" / split))
        events.Reload()
        found[split] = events
    values = [(event.step, round(event.value, 6)) for event in found["train"].Scalars("loss")]
    assert values == [(10, 0.5), (20, 0.25), (25, 0.2)]  # what came again is there once
    assert [event.step for event in found["validation"].Scalars("loss")] == [25]
    (table,) = found["train"].Tensors("flags")
    assert "| learning_rate | `0.001` |" in table.tensor_proto.string_val[0].decode()


def _records(data):
    """Yield the records of a .wandb file, which is written as LevelDB writes its log.

    After a header of 7 bytes there are blocks of 32 KiB. They hold pieces, each with a header of
    7 bytes: checksum, length, and whether it is all of a record (1), or its first (2), middle (3)
    or last (4) piece.
    """
    position, record = 7, b""
    while position + 7 <= len(data):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        length, kind = struct.unpack_from("<HB", data, position + 4)
        record += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield record
            record = b""


def test_wandb_records_offline(tmp_path, monkeypatch):
    pytest.importorskip("wandb", exc_type=ImportError)
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    identity = _record(Wandb, tmp_path / "run", project="stars")
    config, history, runs = {}, [], set()
    for path in sorted((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb")):
        for data in _records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            if record.HasField("run"):
                runs.add((record.run.run_id, record.run.project, record.run.display_name))
            for item in record.config.update:
                config[item.key] = item.value_json
            if record.HasField("history"):
                keys = (
                    (i.key or "/".join(i.nested_key), i.value_json) for i in record.history.item
                )
                history.append(dict(keys))
    assert runs == {(identity, "stars", "run")}
    assert config["learning_rate"] == '"0.001"'
    assert config["epochs"] == '"9"'
    assert [(row["step"], row["loss"]) for row in history] == [
        *(("10", "0.5"), ("20", "0.4")),
        *(("20", "0.25"), ("25", "0.2")),
    ]


def test_mlflow_records_locally(tmp_path):
    mlflow = pytest.importorskip("mlflow", exc_type=ImportError)
    pytest.importorskip("sqlalchemy", reason="MLflow's local store needs it")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    identity = _record(Mlflow, tmp_path / "run", experiment="stars", uri=uri)
    client = mlflow.MlflowClient(tracking_uri=uri)
    run = client.get_run(identity)
    assert client.get_experiment(run.info.experiment_id).name == "stars"
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert run.data.params == FLAGS
    history = client.get_metric_history(identity, "loss")
    assert [(m.step, m.value) for m in sorted(history, key=lambda m: (m.step, -m.value))] == [
        *((10, 0.5), (20, 0.4)),
        *((20, 0.25), (25, 0.2)),
    ]
    assert run.data.metrics["val_loss"] == 0.3
