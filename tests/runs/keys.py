"""Pairs of keys, as `openssl ecparam -name prime256v1 -genkey` makes them."""

import pathlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def make(folder: pathlib.Path, name: str = "key") -> tuple[str, str]:
    """Write a private and a public key, and return their paths."""
    private = ec.generate_private_key(ec.SECP256R1())
    encoding, public = serialization.Encoding.PEM, private.public_key()
    contents = {
        f"{name}.pem": private.private_bytes(
            encoding,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
        f"{name}.pub": public.public_bytes(
            encoding, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    first, second = (str(folder / file) for file in contents)
    return first, second
