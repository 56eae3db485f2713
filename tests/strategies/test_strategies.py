"""Strategies: the devices that each opens on this machine, and its error if it can't."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ftkeras import catalog
from ftkeras.config.run import Config
from ftkeras.errors import LostWorker, UserError
from ftkeras.experiment import build, optimization
from ftkeras.strategies import Devices
from ftkeras.strategies.tpu import Tpu

CPUS = ("CPU:0", "CPU:1")


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    for name in ("TF_CONFIG", "SLURM_STEP_ID", "JOB_COMPLETION_INDEX", "TPU_NAME"):
        monkeypatch.delenv(name, raising=False)


def opened(spec: str) -> Devices:
    return catalog.build("strategy", spec).open()


def test_auto_uses_no_strategy_on_one_device():
    devices = opened("auto")
    assert (devices.replicas, devices.is_chief) == (1, True)
    with devices.scope():
        assert not tf.distribute.has_strategy()


def test_auto_mirrors_several_gpus(monkeypatch):
    gpus = ["GPU:0", "GPU:1"]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: gpus)
    with pytest.raises(UserError, match="this machine has no GPU"):
        opened("auto")


def test_auto_uses_the_workers_of_tf_config(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(UserError, match="TF_CONFIG must read"):
        opened("auto")


def test_auto_uses_a_tpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(Tpu, "is_available", staticmethod(lambda: True))
    monkeypatch.setattr(Tpu, "open", lambda self: "cores")
    assert opened("auto") == "cores"


def test_one_device_uses_the_named_device():
    devices = opened("one_device(device='cpu:1')")
    with devices.scope():
        variable = keras.Variable(1.0)
    assert variable.value.device.endswith("CPU:1")


@pytest.mark.parametrize("spec", ["mirrored(logical_devices=2)", f"mirrored(devices={CPUS})"])
def test_mirrored_has_one_replica_per_device(spec):
    devices = opened(spec)
    assert (devices.replicas, devices.workers, devices.is_chief) == (2, 1, True)
    with devices.scope():
        variable = keras.Variable(1.0)
    copies = devices.strategy.experimental_local_results(variable.value)
    assert [copy.device[-5:] for copy in copies] == list(CPUS)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("mirrored", "this machine has no GPU.*logical_devices=2"),
        ("mirrored(devices=('GPU:7',))", "no device 'GPU:7'; there are: CPU:0, CPU:1"),
        ("mirrored(devices=('CPU:0', 'CPU:0'))", "`devices` must be names, each once"),
        ("mirrored(devices=('CPU:0', '/cpu:0'))", "'CPU:0' and '/cpu:0' are the same device"),
        ("mirrored(devices=('CPU:0',), logical_devices=2)", "can't be combined"),
        ("mirrored(logical_devices=64)", "logical_devices=64 comes too late"),
        ("one_device(device='GPU:0')", "no device 'GPU:0'"),
        ("one_device(device='GPU')", "`device` must be a device"),
        ("multi_worker", "TF_CONFIG is not set.*launch"),
        ("multi_worker(resolver='mesos')", "`resolver` must be one of"),
        ("multi_worker(compress='int8')", "`compress` must be bfloat16, or None"),
        ("multi_worker(resolver='kubernetes')", "`workers` and `service` must be given"),
        ("multi_worker(resolver='slurm')", "started by srun"),
        ("parameter_server", "keras#18624"),
        ("tpu(name='')", "`name` must name a TPU"),
    ],
)
def test_unusable_strategy_is_refused_in_one_line(spec, message):
    with pytest.raises(UserError, match=message) as raised:
        opened(spec)
    assert "\n" not in str(raised.value)


def test_strategy_is_refused_before_the_model_is_built(monkeypatch):
    monkeypatch.setattr(build, "_build", lambda *_: pytest.fail("the model was built"))
    with pytest.raises(UserError, match="keras#18624"):
        build.experiment(Config(strategy="parameter_server"))


def test_xla_of_several_replicas_is_refused():
    devices = opened("mirrored(logical_devices=2)")
    config = Config(jit_compile="true")
    experiment = build.Experiment(config, None, (), None, None, devices=devices)
    with pytest.raises(UserError, match="jit_compile=true.*2 replicas"):
        optimization._uses_xla(experiment, fixed_shape=True)


def test_one_worker_gets_its_own_values():
    devices = Devices()
    assert devices.broadcast_from_chief(b"mine") == b"mine"
    assert devices.all_reduce_max(7) == 7


def test_chief_prints_and_the_others_do_not(capsys):
    for devices in (Devices(worker=0, workers=2), Devices(worker=1, workers=2)):
        with devices.silence_other_workers():
            print(f"by {devices.worker}")
    assert capsys.readouterr().out == "by 0\n"


def test_lost_worker_is_reported_in_one_line():
    error = tf.errors.UnavailableError(None, None, "Socket closed")
    with (
        pytest.raises(LostWorker, match="another worker of the run is gone"),
        Devices(workers=2).report_lost_workers(),
    ):
        raise error
    with pytest.raises(tf.errors.UnavailableError), Devices().report_lost_workers():
        raise error


def test_sum_counts_each_worker_once_whatever_its_replicas():
    devices = opened("mirrored(logical_devices=2)")
    np.testing.assert_array_equal(devices._all_reduce_sum(np.array([3, 4])), [3, 4])
