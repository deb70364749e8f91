"""What lies where in a lab board's folder, and the record kept of it.

.edge/lab/<name>/
  board.json       LabRecord
  lock             held while somebody brings the board up or down
  home/            the login's home directory: the board's own disk, as far as it can see
  python/          its bare Python environment
  keys/            host_key  client_key  client_key.pub
  server/          the server's configuration, process.json, log
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_sdk.contract.document import Document
from edge_sdk.errors import BusyError, ConfigError

#: Where lab boards live, seen from the project's folder.
DEFAULT_FOLDER = Path(".edge/lab")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class LabRecord(Document):
    """What was decided when the board was made; kept, so that it comes up again as it was.

    Attributes:
        name: The board's name in the inventory too.
        server: "sshd" or "embedded".
        runtime: "litert" or "tflite-runtime".
        port: On 127.0.0.1.
        user: Login name.
        interpreter: The Python that the board's environment was made from.
        host_key: Public host key, "ssh-ed25519 AAAA...".
    """

    name: str
    server: str
    runtime: str
    port: int
    user: str
    interpreter: str
    host_key: str


@dataclass(frozen=True)
class LabFolder:
    """The paths of one lab board.

    Args:
        path: The board's own folder, absolute.
    """

    path: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> LabFolder:
        """Return the folder of board `name` in the lab folder.

        Raises:
            ConfigError: The name cannot be a folder's and a board's name.
        """
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r:.80} cannot be a board's name",
                why="letters, digits, '.', '_' and '-', at most 40, a letter or digit first",
                hint="edge lab up demo",
            )
        # Resolved, because the path marks the board's processes: one spelling, whoever asks.
        return cls(folder.resolve() / name)

    @property
    def record_file(self) -> Path:
        """The record of the board."""
        return self.path / "board.json"

    @property
    def home(self) -> Path:
        """Home directory of the login."""
        return self.path / "home"

    @property
    def environment(self) -> Path:
        """The bare Python environment."""
        return self.path / "python"

    @property
    def python(self) -> Path:
        """The board's Python."""
        return self.environment / "bin" / "python"

    @property
    def host_key(self) -> Path:
        """Private host key."""
        return self.path / "keys" / "host_key"

    @property
    def client_key(self) -> Path:
        """Private key that logs in; the public one lies beside it, with ".pub"."""
        return self.path / "keys" / "client_key"

    @property
    def server(self) -> Path:
        """Folder of the server's own files."""
        return self.path / "server"

    @property
    def process_file(self) -> Path:
        """Which process is the server."""
        return self.server / "process.json"

    @property
    def log(self) -> Path:
        """What the server said, all runs."""
        return self.server / "log"

    def read_record(self) -> LabRecord | None:
        """Return the record, or None where the board was never made.

        Raises:
            ConfigError: The record is damaged.
        """
        try:
            data = json.loads(self.record_file.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as failure:
            raise ConfigError(
                f"{self.record_file} cannot be read",
                why=str(failure),
                hint=f"edge lab down {self.path.name} --remove, then edge lab up {self.path.name}",
            ) from failure
        return LabRecord.from_dict(data, where=str(self.record_file))

    def write_record(self, record: LabRecord) -> None:
        """Keep the record, whole or not at all."""
        temporary = self.record_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(record.to_dict(), indent=2) + "\n", "utf-8")
        temporary.replace(self.record_file)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the board against a second `lab up` or `lab down`.

        Raises:
            BusyError: Somebody else holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as failure:
                raise BusyError(
                    f"lab board {self.path.name} is being brought up or down by another command",
                    hint="wait for that one to end",
                ) from failure
            yield
        finally:
            os.close(handle)
