"""Keys that OpenSSH and paramiko both read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import paramiko
import pytest

from edge_sdk.deploy.inventory import fingerprint
from edge_sdk.deploy.lab.keys import make_key, public_file, read_public


def test_a_key_is_private_and_readable_by_paramiko(tmp_path: Path) -> None:
    public = make_key(tmp_path / "keys/one", comment="porch")
    assert (tmp_path / "keys/one").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o077 == 0
    assert read_public(tmp_path / "keys/one") == public
    read = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "keys/one"))
    assert f"ssh-ed25519 {read.get_base64()}" == public


def test_openssh_agrees(tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen here")
    public = make_key(tmp_path / "one", comment="porch")
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", tmp_path / "one"], capture_output=True, text=True, check=True
    )
    assert derived.stdout.split()[:2] == public.split()
    shown = subprocess.run(
        ["ssh-keygen", "-lf", public_file(tmp_path / "one")], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[1] == fingerprint(public)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    public = make_key(tmp_path / "one", comment="porch")
    with pytest.raises(FileExistsError):
        make_key(tmp_path / "one", comment="porch")
    assert read_public(tmp_path / "one") == public
