"""A run's own paths in its settings, which are others once its folder was moved."""

import pathlib

import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import folder, layout
from ftkeras.search import folder as search_folder
from tests.search import searches

PAIRS = "similarity(train='{0}/data/train.jsonl', test='{0}/data/validation.jsonl')"
TEXTS = "masked_lm(of=\"classification(train='few.csv')\", held_out='{0}/data/held_out.jsonl')"


def _check(recorded: dict, now: dict, run_dir: pathlib.Path) -> None:
    """Check whether a run that has recorded some settings can be resumed with others."""
    run_dir.mkdir(parents=True, exist_ok=True)
    settings = flagfile.render(Config(**{"task": "quickstart", "epochs": 1, **recorded}))
    (run_dir / layout.SETTINGS).write_text(settings)
    folder.check_resumable(Config(**{"task": "quickstart", "epochs": 1, **now}), run_dir)


@pytest.mark.parametrize(
    ("of", "field", "value"),
    [
        ("", "encoder", "{0}/pretrained"),
        ("", "encoder", "bert(layers=2, vocabulary='{0}/vocabulary')"),
        ("pairs", "task", PAIRS),
        ("pretrained", "task", TEXTS),
        ("rounds/1/pairs", "task", PAIRS),
        ("", "encoder", 'bert(layers=2, vocabulary="{0}/vocabulary")'),
        ("it's (mine)", "encoder", "{0}/pretrained"),
        ("it's (mine)", "encoder", 'bert(layers=2, vocabulary="{0}/vocabulary")'),
    ],
)
def test_paths_of_a_run_that_was_moved_are_the_same(of, field, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for now in ("new", tmp_path / "new"):
        run_dir = pathlib.Path(now) / of
        _check({field: value.format(f"old/{of}")}, {field: value.format(run_dir)}, run_dir)


@pytest.mark.parametrize(
    "within",
    [
        *("pairs", "rounds/0", "rounds/0/pairs"),
        *("repeat-0/fold-1", "repeat-10/fold-0/rounds/0", "trials/0003/fold-0-1", "retrained"),
    ],
)
def test_runs_within_a_folder_may_have_its_pretrained_encoder(within, tmp_path):
    now = {"encoder": str(tmp_path / "pretrained")}
    _check({"encoder": "old/pretrained"}, now, tmp_path / within)


def test_search_that_was_moved_has_its_pretrained_encoder(tmp_path):
    recorded = searches.config(encoder="old/pretrained")
    (tmp_path / layout.SEARCH_SETTINGS).write_text(flagfile.render(recorded))
    now = searches.config(encoder=str(tmp_path / "pretrained"))
    search_folder.require_same_search(now, tmp_path)


def test_encoder_of_another_run_is_not_taken_for_the_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("elsewhere/pretrained").mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds a run with other settings: `encoder`="):
        _check({"encoder": "elsewhere/pretrained"}, {"encoder": "r/pretrained"}, tmp_path / "r")


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("old/pretrained", "other/pretrained"),  # not in the run's folder
        ("old/vocabulary", "{}/pretrained"),
        ("bert(layers=1, vocabulary='a/vocabulary')", "bert(layers=2, vocabulary='{}/vocabulary')"),
        ("old/huggingface", "{}/huggingface"),  # a run does not begin with what it writes
    ],
)
def test_other_settings_are_refused_as_ever(before, now, tmp_path):
    with pytest.raises(UserError, match=r"holds a run with other settings: `encoder`="):
        _check({"encoder": before}, {"encoder": now.format(tmp_path)}, tmp_path)


def test_files_of_the_same_name_elsewhere_are_refused(tmp_path):
    before, now = (PAIRS.format(home) for home in ("old", tmp_path))
    with pytest.raises(UserError, match=r"holds a run with other settings: `task`="):
        _check({"task": before}, {"task": now}, tmp_path / "pairs")
