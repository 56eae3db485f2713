"""Sign an export with a private key, and verify it with the public one; no network is used.

Source: the OpenSSF model signing format, https://github.com/ossf/model-signing-spec.
"""

import base64
import contextlib
import json
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

from ftkeras.errors import UserError
from ftkeras.runs import layout
from ftkeras.support import files, hashes


def sign(folder: pathlib.Path, private_key: str) -> pathlib.Path:
    """Write a signature of all files in a folder into it, and return its path.

    An earlier signature is replaced; it stays if the folder can't be signed.

    Args:
        folder: of the export.
        private_key: a PEM file with an elliptic-curve key, as `openssl ecparam` makes it.

    Raises:
        UserError: if the key can't be used, or model-signing is not installed.
    """
    signer = _signer(private_key)
    path = folder / layout.SIGNATURE
    try:
        # Elsewhere, as a draft in the folder would be one of the files to sign.
        with tempfile.TemporaryDirectory() as elsewhere:
            draft = pathlib.Path(elsewhere) / layout.SIGNATURE
            signer.set_hashing_config(_hashing()).sign(folder.resolve(), draft)
            files.write_text(path, draft.read_text(encoding="utf-8"))
    except Exception as error:  # whatever the library objects to, such as a symbolic link
        raise UserError(f"sign={private_key} can't sign {folder}: {_line(error)}.") from None
    return path


def verify(folder: pathlib.Path, public_key: str) -> None:
    """Raise UserError unless a folder has a signature by a key, and nothing in it has changed.

    Args:
        folder: of the export.
        public_key: a PEM file.

    Raises:
        UserError: saying what is wrong; also if the key can't be read, or model-signing is not
            installed.
    """
    verifier = _verifier(public_key)
    path = folder / layout.SIGNATURE
    if not path.is_file():
        raise UserError(f"{folder} is not signed: it has no {layout.SIGNATURE}.")
    try:
        verifier.set_hashing_config(_hashing()).verify(folder.resolve(), path)
    except Exception as error:  # whatever it is, the files are not those that were signed
        raise UserError(
            f"{folder} is not what the owner of {public_key} signed: {_reason(error, folder)}."
        ) from None


def check_public_key(path: str) -> None:
    """Raise UserError if a public key can't be used, or model-signing is not installed."""
    _verifier(path)


def check_private_key(path: str) -> None:
    """Raise UserError if a private key can't be used, or model-signing is not installed."""
    _signer(path)


def _signer(private_key: str) -> Any:
    signing, _, _ = _packages()
    with _reading(private_key, "sign", "private"):
        return signing.Config().use_elliptic_key_signer(private_key=private_key)


def _verifier(public_key: str) -> Any:
    _, verifying, _ = _packages()
    with _reading(public_key, "require_signature", "public"):
        return verifying.Config().use_elliptic_key_verifier(public_key=public_key)


@contextlib.contextmanager
def _reading(path: str, argument: str, kind: str) -> Iterator[None]:
    """Raise UserError about the file of a key if it can't be read, or has another kind of key."""
    if not pathlib.Path(path).is_file():
        raise UserError(f"{argument}={path} must name a PEM file with a key; there is none.")
    other = "public" if kind == "private" else "private"
    try:
        if f"{other} key-----".upper().encode() in pathlib.Path(path).read_bytes():
            raise ValueError(f"it has a {other} key")
        yield
    except Exception as error:  # whatever the library objects to, such as a password
        # Keys without a curve, such as RSA's, lack an attribute that the library asks for.
        reason = "it has no curve" if isinstance(error, AttributeError) else _line(error)
        raise UserError(
            f"{argument}={path} must name a PEM file with a {kind} key on the curve P-256, P-384 "
            f"or P-521: {reason}."
        ) from None


def _packages() -> tuple[Any, Any, Any]:
    try:
        from model_signing import hashing, signing, verifying
    except ImportError:
        raise UserError(
            "signatures need the package model-signing: pip install 'ftkeras[dossier]'"
        ) from None
    return signing, verifying, hashing


def _hashing() -> Any:
    """Return a configuration that hashes all files but the signature itself."""
    _, _, hashing = _packages()
    # A path from the folder: model-signing joins it to that of the folder.
    return hashing.Config().set_ignored_paths(paths=[layout.SIGNATURE], ignore_git_paths=False)


def _reason(error: Exception, folder: pathlib.Path) -> str:
    """Return why a folder can't be verified, without a full stop."""
    if "Key mismatch" in str(error):
        return "it is signed with another key"
    if "Signature mismatch" not in str(error):
        return f"it can't be verified by its {layout.SIGNATURE} ({_line(error)})"
    # The signature is right, so what it says of the files is what was signed.
    envelope = json.loads((folder / layout.SIGNATURE).read_bytes())["dsseEnvelope"]
    signed = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["resources"]
    digests = hashes.of_folder(folder, without=(layout.SIGNATURE,))
    changes = hashes.changes({one["name"]: one["digest"] for one in signed}, digests)
    return "; ".join(hashes.first_of(changes))


def _line(error: Exception) -> str:
    """Return the first sentence of a message, without a full stop."""
    text = " ".join(str(error).split()).partition(". ")[0]
    return text[:200].rstrip(".") or type(error).__name__
