"""Dossiers from Python."""

import json
import pathlib

import pytest

import ftkeras
from ftkeras.errors import Blocked, UserError


def test_dossier_is_written_as_by_the_verb(copy_of_finished_run, tmp_path):
    run = ftkeras.Run(copy_of_finished_run / "run")
    page = ftkeras.dossier(run, texts=False, verbose=0)
    assert page == run.folder / "dossier" / "index.html"
    checklist = json.loads((page.parent / "checklist.json").read_text())
    assert checklist
    # The verb has imported packages; the name still is the function.
    elsewhere = tmp_path / "mine"
    assert run.dossier(texts=False, output=elsewhere, verbose=0).parent == elsewhere
    with pytest.raises(Blocked, match="missing"):
        ftkeras.dossier(run.folder, texts=False, require="nist_ai_rmf", verbose=0)


def test_wrong_settings_are_refused(tmp_path):
    with pytest.raises(UserError, match="run"):
        ftkeras.dossier(pathlib.Path("nowhere"), verbose=0)
    (tmp_path / "run.cfg").write_text("")
    with pytest.raises(UserError, match="`shadow_runs` must be an even number"):
        ftkeras.dossier(tmp_path, shadow_runs=3, verbose=0)
    with pytest.raises(TypeError, match="shadows"):
        ftkeras.dossier(tmp_path, shadows=3)
