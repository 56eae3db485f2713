"""Signatures of exports: any change of any file shows."""

import base64
import json
import pathlib
import shutil
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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


@pytest.mark.parametrize("inside", [False, True])
def test_relative_path_means_the_same(export, monkeypatch, inside):
    folder, public = export
    monkeypatch.chdir(folder if inside else folder.parent)
    relative = pathlib.Path("." if inside else folder.name)
    signing.verify(relative, public)
    signing.sign(relative, public.replace(".pub", ".pem"))
    signing.verify(relative, public)
    signing.verify(folder, public)


def test_only_the_signature_itself_is_not_signed(export):
    envelope = json.loads((export[0] / "model.sig").read_text())["dsseEnvelope"]
    signed = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert signed["serialization"]["ignore_paths"] == ["model.sig"]
    names = [one["name"] for one in signed["resources"]]
    assert names == ["saved_model.pb", "variables/data"]


def test_failure_keeps_the_earlier_signature(export, tmp_path):
    folder, public = export
    before = (folder / "model.sig").read_bytes()
    with pytest.raises(UserError, match="it has a public key"):
        signing.sign(folder, public)
    (folder / "link").symlink_to(folder / "saved_model.pb")
    with pytest.raises(UserError, match="can't sign .* because it is a symlink"):
        signing.sign(folder, public.replace(".pub", ".pem"))
    (folder / "link").unlink()
    assert (folder / "model.sig").read_bytes() == before
    signing.verify(folder, public)  # so there is no draft either


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


def test_changed_files_are_named(export):
    folder, public = export
    flip(folder / "saved_model.pb")
    (folder / "variables" / "data").unlink()
    (folder / "new").touch()
    with pytest.raises(UserError) as caught:
        signing.verify(folder, public)
    assert str(caught.value) == (
        f"{folder} is not what the owner of {public} signed: "
        "new is new; saved_model.pb is changed; variables/data is missing."
    )


def test_other_key_is_refused(export, tmp_path):
    _, other = keys.make(tmp_path, "other")
    with pytest.raises(UserError, match=r"owner of .*other\.pub signed: it is signed with another"):
        signing.verify(export[0], other)


def test_wrong_keys_are_named(export, tmp_path):
    with pytest.raises(UserError, match="require_signature=none.pub must name a PEM file"):
        signing.verify(export[0], "none.pub")
    with pytest.raises(UserError, match="sign=none.pem must name a PEM file"):
        signing.sign(export[0], "none.pem")
    with pytest.raises(UserError, match=r"sign=.*key\.pub must name .*: it has a public key\.$"):
        signing.sign(export[0], export[1])
    private = export[1].replace(".pub", ".pem")
    with pytest.raises(UserError, match=r"^require_signature=.*: it has a private key\.$"):
        signing.verify(export[0], private)
    (tmp_path / "text.pem").write_text("no key")
    with pytest.raises(UserError, match=r"^sign=.*text\.pem must name a PEM file with a private"):
        signing.sign(export[0], str(tmp_path / "text.pem"))


def test_key_without_a_curve_is_refused(export, tmp_path):
    key = rsa.generate_private_key(65537, 2048).public_key()
    path = tmp_path / "rsa.pub"
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(UserError, match=r"^require_signature=.*rsa\.pub .*: it has no curve\.$"):
        signing.check_public_key(str(path))


def test_without_the_package_it_says_what_to_install(export, monkeypatch):
    monkeypatch.setitem(sys.modules, "model_signing", None)
    with pytest.raises(UserError, match=r"pip install 'ftkeras\[dossier\]'"):
        signing.verify(*export)
