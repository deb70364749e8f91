"""A lab board behind a real network cable: its own network namespace, joined by a virtual Ethernet pair.

Needs root. The addresses are of 198.18.0.0/15, reserved for test benches (RFC 2544); nothing leaves this
machine.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.lab.sshd import find_sshd

_BOARD, _HOST = "198.18.77.2", "198.18.77.1"


def require_cable() -> None:
    """Skip, and say why, where no network namespace can be made; under CI that is a failure."""
    reasons = [] if os.geteuid() == 0 else ["not root"]
    if shutil.which("ip") is None:
        reasons.append("no ip command (iproute2)")
    if find_sshd() is None:
        reasons.append("no sshd")
    if not reasons:
        return
    message = f"no board behind a cable: {', '.join(reasons)}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@dataclass(frozen=True)
class Cable:
    """The board's network, and the plug in its hand.

    Attributes:
        board: The board at its own address.
        namespace: Name of its network namespace.
    """

    board: Board
    namespace: str

    def pull(self) -> None:
        """Take the plug out: the board's interface loses its link, connections stay open."""
        _ip("-n", self.namespace, "link", "set", "eth0", "down")

    def plug_in(self) -> None:
        """Put the plug back."""
        _ip("-n", self.namespace, "link", "set", "eth0", "up")


@contextlib.contextmanager
def cable(board: Board) -> Iterator[Cable]:
    """Serve a lab board (server "sshd") a second time, in a network of its own.

    Args:
        board: A lab board that is up.
    """
    namespace, outside = f"edge-lab-{os.getpid()}", f"edge{os.getpid() % 100000}"
    folder = Path(str(board.key_file)).parent.parent / "server"
    configuration = folder / "sshd_config.cable"
    configuration.write_text(
        (folder / "sshd_config").read_text().replace("ListenAddress 127.0.0.1", f"ListenAddress {_BOARD}")
    )
    with contextlib.ExitStack() as stack:
        _ip("netns", "add", namespace)
        stack.callback(_ip, "netns", "del", namespace)
        _ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        stack.callback(_ip, "link", "del", outside)
        _ip("addr", "add", f"{_HOST}/30", "dev", outside)
        _ip("link", "set", outside, "up")
        _ip("-n", namespace, "addr", "add", f"{_BOARD}/30", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        log = stack.enter_context((folder / "log.cable").open("wb"))
        server = subprocess.Popen(
            ["ip", "netns", "exec", namespace, str(find_sshd()), "-D", "-e", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        stack.callback(_end, server)
        _await(board.port)
        yield Cable(replace(board, host=_BOARD), namespace)


def _await(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((_BOARD, port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("the board behind the cable does not come up")


def _end(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
