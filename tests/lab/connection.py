"""A bare SSH client for the tests of the boards themselves; the product's own transport is not involved."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko

from edge_sdk.deploy.inventory import Board


@contextlib.contextmanager
def connected(
    board: Board, *, user: str | None = None, key: Path | None = None
) -> Iterator[paramiko.SSHClient]:
    """Log in to a board, accepting only its pinned host key."""
    kind, data = str(board.host_key).split()[:2]
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    pinned = paramiko.PKey.from_type_string(kind, base64.b64decode(data))
    name = board.host if board.port == 22 else f"[{board.host}]:{board.port}"
    client.get_host_keys().add(name, kind, pinned)
    with client, socket.create_connection((board.host, board.port), timeout=10) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.connect(
            board.host,
            board.port,
            username=user or board.user,
            key_filename=str(key or board.key_file),
            sock=line,
            timeout=20,
            banner_timeout=20,
            auth_timeout=20,
            allow_agent=False,
            look_for_keys=False,
        )
        yield client


def run(client: paramiko.SSHClient, command: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run a command; returns its exit status, stdout and stderr."""
    channel = start(client, command)
    if given:
        channel.sendall(given)
    channel.shutdown_write()
    output = b"".join(iter(lambda: channel.recv(2**16), b""))
    errors = b"".join(iter(lambda: channel.recv_stderr(2**16), b""))
    status = channel.recv_exit_status()
    channel.close()
    return status, output, errors


def start(client: paramiko.SSHClient, command: str) -> Any:
    """Start a command and return its channel."""
    transport = client.get_transport()
    assert transport is not None
    channel = transport.open_session(timeout=20)
    channel.settimeout(60)
    channel.exec_command(command)
    return channel
