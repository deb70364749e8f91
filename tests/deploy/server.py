"""A real OpenSSH server on a loopback port, without root: own configuration, host keys and one login key."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from edge_sdk.deploy.inventory import Board

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> str:
    """Make a key pair and return the public half as "TYPE BASE64"."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", path],
        check=True,
        capture_output=True,
    )
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


@dataclass
class Server:
    """The server of one board; its home folder is where programs start."""

    folder: Path
    port: int = 0
    host_key: str = ""
    process: subprocess.Popen[bytes] | None = None
    settings: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def key_file(self) -> Path:
        return self.folder / "login"

    def start(self) -> None:
        assert SSHD
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.host_key:
            self.host_key = make_key(self.folder / "host")
            make_key(self.folder / "host_ecdsa", kind="ecdsa")
            (self.folder / "authorized_keys").write_text(make_key(self.key_file) + "\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        config = self.folder / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    f"Port {self.port}",
                    "ListenAddress 127.0.0.1",
                    f'HostKey "{self.folder}/host"',
                    f'HostKey "{self.folder}/host_ecdsa"',
                    f'AuthorizedKeysFile "{self.folder}/authorized_keys"',
                    "UsePAM no",
                    "StrictModes no",
                    "PidFile none",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "Subsystem sftp internal-sftp",
                    # The login's home belongs to the test: programs must start in the board's own.
                    f'SetEnv "HOME={self.home}"',
                    *self.settings,
                    "",
                ]
            )
        )
        log = (self.folder / "log").open("wb")
        with log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", config], stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def children(self) -> list[int]:
        """Return the server's processes for open connections, programs included, by pid."""
        assert self.process
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    continue
        found = [self.process.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found[1:]

    def stop(self) -> None:
        if self.process is None:
            return
        for pid in [*self.children(), self.process.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.process = None

    def board(self, **changes: object) -> Board:
        fields: dict[str, object] = {
            "name": "desk",
            "host": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "target": "host",
            "host_key": self.host_key,
            "key_file": str(self.key_file),
            # sshd starts programs in the login's real home, wherever that is.
            "root": str(self.home / "edge"),
        }
        return Board(**{**fields, **changes})  # type: ignore[arg-type]
