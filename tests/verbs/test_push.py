"""Push to a stand-in of the Hub; see hub.py."""

import json
import os

import huggingface_hub
import pytest
import yaml
from huggingface_hub import constants
from safetensors.numpy import load

from ftkeras.checkpoints import hub_upload
from ftkeras.config.push import PushConfig
from ftkeras.errors import UserError
from tests.running import call_ftkeras, run_ftkeras
from tests.verbs import hub as stand_in


@pytest.fixture
def hub():
    with stand_in.running() as running:
        yield running
    assert running.unknown == []


@pytest.fixture
def here(hub, monkeypatch):
    """Make this process use the stand-in, with a token."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", stand_in.TOKEN)
    return hub


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# A model\n")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


@pytest.mark.parametrize("private", [False, True])
def test_folder_is_uploaded_into_a_new_repository(here, folder, private):
    address = hub_upload.upload(folder, "me/reviews", private=private)
    assert address == f"{here.address}/me/reviews"
    assert here.private == {"me/reviews": private}
    assert here.files["me/reviews"] == {
        "README.md": (folder / "README.md").read_bytes(),
        "model.safetensors": b"weights",
    }


def test_repository_that_exists_gets_another_commit(here, folder):
    hub_upload.upload(folder, "me/reviews", private=False)
    (folder / "config.json").write_text("{}")
    hub_upload.upload(folder, "me/reviews", private=False)
    assert here.files["me/reviews"].keys() == {"README.md", "config.json", "model.safetensors"}


def test_nothing_private_is_pushed_to_a_public_repository(here, folder):
    hub_upload.upload(folder, "me/reviews", private=False)
    (folder / "secret.txt").write_text("?")
    with pytest.raises(UserError, match=r"repo=me/reviews exists and is public.*`private`"):
        hub_upload.upload(folder, "me/reviews", private=True)
    assert "secret.txt" not in here.files["me/reviews"]


@pytest.mark.parametrize(
    ("repo", "token", "message"),
    [
        ("me/reviews", "hf_wrong", "the Hub refused it .*Invalid username or password.*HF_TOKEN"),
        ("other/reviews", stand_in.TOKEN, "the Hub refused it .*rights to create.*HF_TOKEN"),
    ],
)
def test_refused_token_is_a_line(here, folder, monkeypatch, repo, token, message):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError, match=message) as caught:
        hub_upload.upload(folder, repo, private=False)
    assert "\n" not in str(caught.value)


def test_hub_that_cannot_be_reached_is_a_line(here, folder, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"^repo=me/reviews can't be uploaded: .*") as caught:
        hub_upload.upload(folder, "me/reviews", private=False)
    assert "\n" not in str(caught.value)


def test_missing_token_is_a_line(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(UserError, match=r"^push needs a token .*`hf auth login`.*HF_TOKEN"):
        hub_upload.require_token()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repo": "me/x"}, "push needs `run_dir`"),
        ({"run_dir": "run"}, "push needs `repo`"),
        ({"run_dir": "run", "repo": "x"}, "`repo` must be user/name.*'x'"),
        ({"run_dir": "run", "repo": "a/b/c"}, "`repo` must be user/name.*'a/b/c'"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        PushConfig(**settings)


@pytest.mark.process
def test_run_is_pushed_with_its_card(hub, copy_of_finished_run):
    environment = {
        **{"HF_ENDPOINT": hub.address, "HF_TOKEN": stand_in.TOKEN},
        **{"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    }
    done = run_ftkeras(
        *("push", "--run_dir=run", "--repo=me/reviews"),
        cwd=copy_of_finished_run,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert f"pushed {hub.address}/me/reviews" in done.stdout
    files = hub.files["me/reviews"]
    header = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert header["pipeline_tag"] == "text-classification"
    assert header["model-index"]
    assert json.loads(files["config.json"])["architectures"] == ["BertForSequenceClassification"]
    assert "classifier.weight" in load(files["model.safetensors"])
    assert {"vocab.txt", "tokenizer_config.json"} <= files.keys()


@pytest.mark.process
def test_folder_without_a_run_is_a_line(tmp_path):
    done = run_ftkeras("push", f"--run_dir={tmp_path}", "--repo=me/reviews", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("is not the folder of a run: it has no run.cfg.")


@pytest.mark.parametrize(
    "verb", [("export", "--export=huggingface"), ("push", "--repo=me/reviews")], ids=lambda v: v[0]
)
def test_log_that_cannot_be_written_is_refused_before_anything_is_done(
    here, copy_of_finished_run, verb
):
    log = copy_of_finished_run / "run" / "audit.jsonl"
    log.unlink()
    log.mkdir()  # which not even root can write to
    (card := copy_of_finished_run / "run" / "huggingface" / "README.md").unlink()
    done = call_ftkeras(*verb, "--run_dir=run", cwd=copy_of_finished_run)
    assert done.returncode == 2
    assert "--run_dir=run: audit.jsonl can't be written (Is a directory)" in done.stderr
    assert not card.exists()
    assert here.files == {}
