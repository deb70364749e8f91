"""Ed25519 keys in OpenSSH's format, made without ssh-keygen, which a machine without sshd may lack."""

from __future__ import annotations

import os
from pathlib import Path

from edge_sdk.errors import MissingExtraError


def make_key(path: Path, *, comment: str) -> str:
    """Write a new private key (mode 0600) and its public line beside it.

    Args:
        path: File of the private key; the public one gets ".pub" added.
        comment: Ends the public line; no spaces.

    Returns:
        The public key, "ssh-ed25519 AAAA...", without the comment.

    Raises:
        MissingExtraError: cryptography is not installed.
        FileExistsError: There is a key already; keys are never replaced silently.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as failure:
        raise MissingExtraError(
            "cryptography", extra="host", purpose="make the keys of a lab board"
        ) from failure
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    public = (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode("ascii")
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(private)
    public_file(path).write_text(f"{public} {comment}\n", "ascii")
    return public


def read_public(path: Path) -> str:
    """Return the public key "ssh-ed25519 AAAA..." that lies beside the private key `path`."""
    return " ".join(public_file(path).read_text("ascii").split()[:2])


def public_file(path: Path) -> Path:
    """Return where the public half of the private key `path` lies."""
    return path.with_name(path.name + ".pub")
