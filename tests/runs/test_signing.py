"""Signatures of exports: any change of any file shows."""

import shutil
import sys

import pytest

from ftkeras.errors import UserError
from ftkeras.runs import signing
from tests.runs import keys


@pytest.fixture
def export(tmp_path):
    """Return a signed folder and the public key."""
    folder = tmp_path / "export"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(bytes(range(256)))
    private, public = keys.make(tmp_path)
    signing.sign(folder, private)
    return folder, public


def test_signed_folder_is_verified_where_it_is_moved_to(export, tmp_path):
    folder, public = export
    signing.verify(folder, public)
    signing.verify(shutil.copytree(folder, tmp_path / "elsewhere"), public)


def test_folder_can_be_signed_again(export, tmp_path):
    folder, public = export
    (folder / "saved_model.pb").write_bytes(b"another graph")
    signing.sign(folder, public.replace(".pub", ".pem"))
    signing.verify(folder, public)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: flip(folder / "variables" / "data"),
        lambda folder: (folder / "variables" / "data").unlink(),
        lambda folder: (folder / "new").write_text("x"),
        lambda folder: (folder / ".gitignore").write_text("x"),
        lambda folder: flip(folder / "model.sig"),
        lambda folder: (folder / "model.sig").write_text("{}"),
        lambda folder: (folder / "model.sig").unlink(),
    ],
    ids=["byte", "missing", "new", "hidden", "damaged", "empty", "unsigned"],
)
def test_any_change_is_refused(export, change):
    folder, public = export
    change(folder)
    with pytest.raises(UserError) as caught:
        signing.verify(folder, public)
    assert "\n" not in str(caught.value)


def test_other_key_is_refused(export, tmp_path):
    _, other = keys.make(tmp_path, "other")
    with pytest.raises(UserError, match=r"is not what the owner of .*other\.pub signed"):
        signing.verify(export[0], other)


def test_wrong_keys_are_named(export, tmp_path):
    with pytest.raises(UserError, match="require_signature=none.pub must name a PEM file"):
        signing.verify(export[0], "none.pub")
    with pytest.raises(UserError, match="sign=none.pem must name a PEM file"):
        signing.sign(export[0], "none.pem")
    with pytest.raises(UserError, match=r"sign=.*key\.pub can't sign"):
        signing.sign(export[0], export[1])


def test_without_the_package_it_says_what_to_install(export, monkeypatch):
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(UserError, match=r"pip install 'ftkeras\[dossier\]'"):
        signing.verify(*export)
