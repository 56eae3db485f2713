"""A run's own paths in its settings, which are others once its folder was moved."""

import pathlib

import pytest

from ftkeras.config import flagfile
from ftkeras.config.run import Config
from ftkeras.errors import UserError
from ftkeras.runs import folder, layout

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
    ],
)
def test_paths_of_a_run_that_was_moved_are_the_same(of, field, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for now in ("new", tmp_path / "new"):
        run_dir = pathlib.Path(now) / of
        _check({field: value.format(f"old/{of}")}, {field: value.format(run_dir)}, run_dir)


@pytest.mark.parametrize("phase", ["pairs", "rounds/0", "rounds/0/pairs"])
def test_what_comes_before_a_run_may_have_its_pretrained_encoder(phase, tmp_path):
    now = {"encoder": str(tmp_path / "pretrained")}
    _check({"encoder": "old/pretrained"}, now, tmp_path / phase)


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
