"""Fixtures shared by all tests."""

import gc
import os
import pathlib
import shutil
import tempfile

import hypothesis
import pytest

from ftkeras.cli import output
from tests import durations, finished, matrix, shared_folder

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
_caches = tempfile.TemporaryDirectory(prefix="ftkeras-tests-")


def pytest_addoption(parser):
    """Add `--share=COMMIT`, which keeps a share of the chosen tests."""
    parser.addoption("--share", help="run only the share of the tests that this commit hash picks")


def pytest_configure(config):
    """Isolate the tests from the user's files and make two logical CPUs for two replicas.

    Processes that tests start import this checkout, and no installed copy.
    """
    hypothesis.settings.load_profile(matrix.FEW if config.option.markexpr else matrix.MANY)
    # Matplotlib's list of fonts takes seconds to make, so that cache stays the user's.
    os.environ.setdefault("MPLCONFIGDIR", str(_user_cache() / "matplotlib"))
    os.environ["XDG_CACHE_HOME"] = _caches.name
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    if getattr(config.option, "numprocesses", None):  # the workers run the tests, not this process
        return
    gc.disable()  # until all is imported and collected
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)


def pytest_collection_finish():
    """Keep the garbage collector off what lives as long as the process.

    Each full collection would look at all of TensorFlow and all tests: 47 s of CPU instead of 43
    for tests/training/test_state.py.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()


def _user_cache() -> pathlib.Path:
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()


@pytest.hookimpl(trylast=True)  # after -m has deselected
def pytest_collection_modifyitems(config, items):
    """Keep the share that `--share` names; in several workers, begin with the longest files."""
    if commit := config.getoption("--share"):
        kept = durations.share(items, commit)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = durations.longest_file_first(items)


@pytest.fixture(autouse=True)
def _messages_are_shown():
    """Show messages as the command line does, for tests that call a verb in this process."""
    output.show_messages()


@pytest.fixture(scope="session", autouse=True)
def _exports_are_verified_here():
    """Verify exports without a process for each: see `verifier_process`."""
    with pytest.MonkeyPatch.context() as patch:
        from tests import verified_here

        verified_here.apply(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _runs_write_no_report():
    """Switch off the reports of runs in this process, because each takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        from ftkeras.workflows import training

        patch.setattr(training, "write_if_installed", lambda view: None)
        yield


@pytest.fixture
def verifier_process(monkeypatch):
    """Verify exports in a process without ftkeras, as runs of users do."""
    from ftkeras.exporters import _verification, saved_model

    monkeypatch.setattr(saved_model, "Verifier", _verification.Verifier)


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """Return the folder of real data and a real encoder that is beside some checkouts."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the real data in {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory) -> pathlib.Path:
    """Return a folder with a finished run in run/ and its export in saved_models/quickstart/1.

    All workers share it, so no test may change it: take `copy_of_finished_run` for that.
    """
    return shared_folder.make_once(tmp_path_factory, "finished_run", finished.make)


@pytest.fixture
def copy_of_finished_run(finished_run, tmp_path) -> pathlib.Path:
    """Return a copy of the finished run's folder for a test to change."""
    return shutil.copytree(finished_run, tmp_path / "finished_run")
