"""What every test may ask for."""

import os
import pathlib
import tempfile

import pytest

from ftkeras.cli import output
from tests.running import QUICK, run_ftkeras

SHARED_DATA = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _messages_are_shown():
    """Show messages as the command line does, for tests that call a verb in this process."""
    output.show_messages()


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real data and a real encoder that stands beside some checkouts."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real data in {SHARED_DATA}")
    return SHARED_DATA


_caches = tempfile.TemporaryDirectory(prefix="ftkeras-tests-")


def pytest_configure():
    """No cache of the user's, and two logical CPUs, to try on one machine what runs on two."""
    os.environ["XDG_CACHE_HOME"] = _caches.name
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> pathlib.Path:
    """A folder in which the quickstart was run: run/ and saved_models/quickstart/1 are there."""
    folder = tmp_path_factory.mktemp("finished")
    done = run_ftkeras(
        *QUICK,
        "--run_dir=run",
        "--epochs=2",
        "--export=saved_model",
        "--export=huggingface",
        "--tensorboard",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder
