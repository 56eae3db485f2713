"""Sign an export with a private key, and verify it with the public one; no network is used.

Source: the OpenSSF model signing format, https://github.com/ossf/model-signing-spec.
"""

import pathlib
from typing import Any

from ftkeras.errors import UserError
from ftkeras.runs import layout


def sign(folder: pathlib.Path, private_key: str) -> pathlib.Path:
    """Write a signature of all files in a folder into it, and return its path.

    Args:
        folder: of the export.
        private_key: a PEM file with an elliptic-curve key, as `openssl ecparam` makes it.

    Raises:
        UserError: if the key can't be used, or model-signing is not installed.
    """
    _require_key(private_key, "sign")
    signing, _, hashing = _packages()
    path = folder / layout.SIGNATURE
    path.unlink(missing_ok=True)
    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=private_key)
        signer.set_hashing_config(_hashing(hashing, path)).sign(folder, path)
    except Exception as error:  # whatever the key or the library objects to
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
    check_key(public_key)
    _, verifying, hashing = _packages()
    path = folder / layout.SIGNATURE
    if not path.is_file():
        raise UserError(f"{folder} is not signed: it has no {layout.SIGNATURE}.")
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public_key)
        verifier.set_hashing_config(_hashing(hashing, path)).verify(folder, path)
    except Exception as error:  # whatever it is, the files are not those that were signed
        raise UserError(
            f"{folder} is not what the owner of {public_key} signed: {_line(error)}"
        ) from None


def check_key(public_key: str) -> None:
    """Raise UserError if a public key can't be read, or model-signing is not installed."""
    _require_key(public_key, "require_signature")
    _packages()


def _require_key(path: str, argument: str) -> None:
    if not pathlib.Path(path).is_file():
        raise UserError(f"{argument}={path} must name a PEM file with a key; there is none.")


def _packages() -> tuple[Any, Any, Any]:
    try:
        from model_signing import hashing, signing, verifying
    except ImportError:
        raise UserError(
            "signatures need the package model-signing: pip install 'ftkeras[dossier]'"
        ) from None
    return signing, verifying, hashing


def _hashing(hashing: Any, signature: pathlib.Path) -> Any:
    """Return what is hashed: all but the signature itself."""
    return hashing.Config().set_ignored_paths(paths=[signature], ignore_git_paths=False)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
