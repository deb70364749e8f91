"""An emulated Raspberry Pi 4 to log in to: arm64 Debian under qemu-user, with its own arm64 sshd.

Needs root (mounts, chroot, binfmt_misc) and a few Debian packages; `require_arm64` skips loudly without
them, and fails where CI promises them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.lab.keys import make_key, public_file

HERE = Path(__file__).parent
ROOTFS_SCRIPT = HERE / "arm64-rootfs.sh"
BOARD_SCRIPT = HERE / "arm64-board.sh"
PERSONA = HERE / "persona/raspberry-pi-4"
PROGRAMS = ("mmdebstrap", "qemu-aarch64-static", "zstd", "unshare", "chroot")

_SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
PrintMotd no
PidFile none
SetEnv QEMU_CPU={qemu_cpu}
"""


def require_arm64() -> None:
    """Skip, and say why, where this machine cannot emulate the board; under CI that is a failure."""
    lacking = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    reasons = [f"not installed: {', '.join(lacking)}"] if lacking else []
    if os.geteuid() != 0:
        reasons.append("not root (mount, chroot, binfmt_misc)")
    if platform.system() != "Linux":
        reasons.append("not Linux")
    if not reasons:
        return
    message = f"no emulated arm64 board: {'; '.join(reasons)}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@contextlib.contextmanager
def arm64_board(folder: Path, *, target: str, name: str = "pi") -> Iterator[Board]:
    """Boot a board with nothing on it but Debian, Python and sshd, and kill it at the end.

    Args:
        folder: Takes the board's disk; deleted at the end.
        target: The board's target in the inventory.
        name: The board's name.
    """
    root = folder / "root"
    subprocess.run([ROOTFS_SCRIPT, "unpack", _cached_rootfs(), root], check=True)
    subprocess.run([ROOTFS_SCRIPT, "binfmt"], check=True)
    port = _free_port()
    key = folder / "login"
    make_key(key, comment="login")
    host_key = make_key(root / "etc/ssh/ssh_host_ed25519_key", comment="host")
    authorized = root / "home/pi/.ssh/authorized_keys"
    shutil.copy(public_file(key), authorized)
    os.chown(authorized, 1000, 1000)
    qemu_cpu = (PERSONA / "qemu_cpu").read_text().strip()
    (root / "etc/ssh/sshd_config").write_text(_SSHD_CONFIG.format(port=port, qemu_cpu=qemu_cpu))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [BOARD_SCRIPT, root, PERSONA],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await_greeting(process, port, folder / "log")
        yield Board(
            name=name,
            host="127.0.0.1",
            port=port,
            user="pi",
            target=target,
            host_key=host_key,
            key_file=str(key),
        )
    finally:
        # `unshare --kill-child` takes the whole board along.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        _delete(folder)


def _cached_rootfs() -> Path:
    """Return the packed file system, made once for every version of the script that makes it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge_sdk"
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(ROOTFS_SCRIPT.read_bytes()).hexdigest()[:16]
    packed = cache / f"arm64-rootfs-{digest}.tar.zst"
    with (cache / "arm64-rootfs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not packed.exists():
            tree = cache / f"arm64-rootfs-{digest}"
            shutil.rmtree(tree, ignore_errors=True)
            try:
                subprocess.run([ROOTFS_SCRIPT, "build", tree], check=True)
                subprocess.run([ROOTFS_SCRIPT, "pack", tree, packed], check=True)
            finally:
                shutil.rmtree(tree, ignore_errors=True)
    return packed


def _await_greeting(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            if line.recv(256).startswith(b"SSH-"):
                return
        time.sleep(0.1)
    pytest.fail(f"the arm64 board does not come up:\n{log.read_text('utf-8', 'replace')}")


def _delete(folder: Path) -> None:
    # The board's processes may take a moment to die after their parent did.
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
