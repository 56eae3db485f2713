import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import folder, layout, problem


@pytest.fixture
def recorded(tmp_path):
    """Return the folder of a finished run that has chosen its learning rate and its epochs."""
    config = Config(learning_rate=1.6e-4, epochs=11)
    (tmp_path / layout.SETTINGS).write_text(flagfile.render(config))
    folder.record_exports(tmp_path, [])
    return tmp_path


def test_resumed_run_keeps_what_it_has_chosen(recorded):
    config = folder.adopt(Config(), recorded)
    assert (config.learning_rate, config.epochs) == (1.6e-4, 11)
    folder.check_resumable(Config(), recorded)
    assert folder.is_finished(Config(), recorded)


def test_values_that_are_given_are_not_replaced(recorded):
    config = folder.adopt(Config(epochs=12), recorded)
    assert (config.learning_rate, config.epochs) == (1.6e-4, 12)
    with pytest.raises(UserError, match=r"`learning_rate`=0.001 \(there 0.00016\)"):
        folder.check_resumable(Config(learning_rate=1e-3), recorded)


def test_new_run_chooses_for_itself(recorded, tmp_path):
    assert folder.adopt(Config(), tmp_path / "new") == Config()
    again = Config(restart=True)
    assert folder.adopt(again, recorded) == again


def test_run_that_failed_early_may_be_repeated(tmp_path):
    (tmp_path / layout.FAILURE).write_text("{}")
    folder.check_resumable(Config(), tmp_path)
    (tmp_path / layout.METRICS).write_text("{}")
    with pytest.raises(UserError, match="holds metrics.json but no run.cfg"):
        folder.check_resumable(Config(), tmp_path)


@pytest.mark.parametrize("content", ["{", "3", "[3]"])
def test_damaged_files_of_a_run_are_named(tmp_path, content):
    (tmp_path / layout.EXPORTS).write_text(content)
    with pytest.raises(UserError, match=r"exports\.json can't be read.*`restart`"):
        folder.read_exports(tmp_path)
    (tmp_path / layout.LABELS).write_text(content)
    with pytest.raises(UserError, match=r"labels\.json can't be read"):
        problem.read_labels(tmp_path)
