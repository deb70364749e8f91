"""An SSH server of paramiko for one lab board, for machines without sshd.

It runs as a process of its own: `python -m edge_sdk.deploy.lab.embedded FILE`.

It promises what a board's sshd promises to this product, and no more: one login, one public key, commands
through `/bin/sh -c` with their exit status. No password, no terminal, no forwarding, no SFTP.

A thread a connection, and four a command: one moves each stream, one waits for the end. When the client
goes away the command's whole process group is told to hang up, as a terminal would, and is killed when it
does not go.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError

# Larger than SSH's usual 32 KiB packets: each one costs the same Python.
_PACKET_BYTES = 2**18
_WINDOW_BYTES = 2**24
_PIPE_BYTES = 2**20
_LOGIN_SECONDS = 30.0
#: What a command may take to wind up after its client went away. A keeper in the middle of an install
#: finishes; a command that ignores the hang-up does not stay for good.
_GRACE_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class EmbeddedConfiguration(Document):
    """Everything the server needs; written by the lab, read by the server's process.

    Attributes:
        port: On 127.0.0.1.
        host_key: File of the private host key.
        authorized_key: The one public key that may log in, "ssh-ed25519 AAAA...".
        user: The one login.
        home: Working directory of every command.
        environment: The whole environment of every command.
    """

    port: int
    host_key: str
    authorized_key: str
    user: str
    home: str
    environment: Mapping[str, str] = field(default_factory=dict)


class _Command:
    """One command on one channel."""

    def __init__(self, channel: Any, text: str, configuration: EmbeddedConfiguration) -> None:
        self._channel = channel
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", text],
            cwd=configuration.home,
            env=dict(configuration.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        for stream in (self._process.stdin, self._process.stdout):
            _widen(stream)
        self._ended = threading.Event()

    def serve(self) -> None:
        """Move bytes until the command has ended and all it wrote is sent, or the client is gone."""
        process, channel = self._process, self._channel
        threading.Thread(target=self._feed, daemon=True).start()
        threading.Thread(target=self._wait, daemon=True).start()
        pumps = [
            threading.Thread(target=self._drain, args=(process.stdout, channel.sendall), daemon=True),
            threading.Thread(target=self._drain, args=(process.stderr, channel.sendall_stderr), daemon=True),
        ]
        for pump in pumps:
            pump.start()
        while not self._ended.wait(0.2):
            if channel.closed:
                self.end()
        for pump in pumps:
            # Something that the command left in the background may hold the pipes open: as with OpenSSH,
            # the channel lasts until they close or the client goes.
            while pump.is_alive() and not channel.closed:
                pump.join(0.2)
        status = process.returncode
        with contextlib.suppress(OSError, EOFError):
            channel.send_exit_status(status if status >= 0 else 128 - status)
            channel.close()

    def end(self) -> None:
        """End the command's process group: hang-up first, and death when that is not heard."""
        self._signal(signal.SIGHUP)
        if not self._ended.wait(_GRACE_SECONDS):
            self._signal(signal.SIGKILL)
            self._ended.wait()

    def kill(self) -> None:
        """End the command's process group at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _wait(self) -> None:
        self._process.wait()
        self._ended.set()

    def _feed(self) -> None:
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(OSError):
            while block := self._channel.recv(_PACKET_BYTES):
                view = memoryview(block)
                while view:
                    view = view[os.write(stream.fileno(), view) :]
        with contextlib.suppress(OSError):
            stream.close()

    def _drain(self, stream: Any, send: Callable[[bytes], None]) -> None:
        # A client that stopped reading fills its window; `send` then waits, the pipe fills, and the
        # command waits in its own write: nothing piles up here.
        with contextlib.suppress(OSError, EOFError):
            while block := os.read(stream.fileno(), _PACKET_BYTES):
                send(block)
        with contextlib.suppress(OSError):
            stream.close()


class EmbeddedServer:
    """Serves one lab board until the process is told to end.

    Args:
        configuration: What to serve.
    """

    def __init__(self, configuration: EmbeddedConfiguration) -> None:
        import paramiko

        self._configuration = configuration
        self._host_key = paramiko.Ed25519Key.from_private_key_file(configuration.host_key)
        self._commands: set[_Command] = set()
        self._lock = threading.Lock()

    def serve_forever(self) -> None:
        """Listen, and serve every client in a thread of its own."""
        with socket.create_server(("127.0.0.1", self._configuration.port), backlog=128) as listener:
            _log(f"listening on 127.0.0.1 port {self._configuration.port}")
            while True:
                client, address = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                threading.Thread(target=self._serve_client, args=(client, address[1]), daemon=True).start()

    def kill_commands(self) -> None:
        """End every command that runs now."""
        with self._lock:
            running = list(self._commands)
        for command in running:
            command.kill()

    def run(self, channel: Any, text: str) -> None:
        """Run one command on a channel; returns when it is over."""
        try:
            command = _Command(channel, text, self._configuration)
        except (OSError, ValueError) as failure:
            _log(f"a command could not be started: {failure}")
            with contextlib.suppress(OSError, EOFError):
                channel.sendall_stderr(f"{failure}\n".encode())
                channel.send_exit_status(126)
                channel.close()
            return
        with self._lock:
            self._commands.add(command)
        try:
            command.serve()
        finally:
            with self._lock:
                self._commands.discard(command)

    def _serve_client(self, client: socket.socket, port: int) -> None:
        import paramiko

        transport = paramiko.Transport(
            client, default_window_size=_WINDOW_BYTES, default_max_packet_size=_PACKET_BYTES
        )
        try:
            transport.add_server_key(self._host_key)
            transport.start_server(server=_interface(self, self._configuration))
            deadline = time.monotonic() + _LOGIN_SECONDS
            while transport.is_active() and not transport.is_authenticated():
                if time.monotonic() > deadline:
                    _log(f"client at port {port}: no login in {_LOGIN_SECONDS:.0f} s")
                    return
                transport.join(0.2)
            transport.join()
        except (paramiko.SSHException, OSError, EOFError) as failure:
            # A client that goes away or speaks something else is its own problem, not the server's.
            _log(f"client at port {port}: {type(failure).__name__}: {failure}")
        finally:
            transport.close()
            client.close()


def _interface(server: EmbeddedServer, configuration: EmbeddedConfiguration) -> Any:
    """Return what paramiko asks for permission; a function, because the base class is paramiko's."""
    import paramiko

    class Interface(paramiko.ServerInterface):  # type: ignore[misc]
        def get_allowed_auths(self, username: str) -> str:
            return "publickey"

        def check_auth_publickey(self, username: str, key: Any) -> int:
            shown = f"{key.get_name()} {key.get_base64()}"
            fits = username == configuration.user and shown == configuration.authorized_key
            _log(f"{'accepted' if fits else 'refused'} {username!r:.60} with {key.get_name()}")
            return int(paramiko.AUTH_SUCCESSFUL if fits else paramiko.AUTH_FAILED)

        def check_channel_request(self, kind: str, chanid: int) -> int:
            if kind == "session":
                return int(paramiko.OPEN_SUCCEEDED)
            return int(paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

        def check_channel_exec_request(self, channel: Any, command: bytes) -> bool:
            text = os.fsdecode(command)
            threading.Thread(target=server.run, args=(channel, text), daemon=True).start()
            return True

    return Interface()


def _widen(stream: Any) -> None:
    # Fewer, larger reads; where the system does not offer it, its default will do.
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
    sys.stderr.flush()


def main() -> None:
    """Serve the configuration file named on the command line until SIGTERM."""
    try:
        configuration = EmbeddedConfiguration.from_dict(json.loads(Path(sys.argv[1]).read_text("utf-8")))
        server = EmbeddedServer(configuration)
    except (IndexError, OSError, ValueError, ImportError, ConfigError) as failure:
        _log(f"cannot start: {type(failure).__name__}: {failure}")
        sys.exit(2)

    def stop(number: int, frame: Any) -> None:
        server.kill_commands()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    # A handler, not "ignore": commands inherit an ignored signal (`nohup edge lab up`), and would then
    # outlive the client that went away; a handler becomes the default again in a new program.
    signal.signal(signal.SIGHUP, lambda *_: None)
    # paramiko prints a traceback for every client that drops the line; one line of ours says it better.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    try:
        server.serve_forever()
    except OSError as failure:
        _log(f"cannot listen: {failure}")
        sys.exit(2)


if __name__ == "__main__":
    main()
