"""The inventory: `boards.toml`, next to `edge.toml`. It holds no secret, so it can be committed.

    [boards.porch]
    host = "192.168.1.20"
    user = "pi"
    target = "raspberry-pi-4"
    host_key = "ssh-ed25519 AAAA..."
    key_file = "~/.ssh/porch"

The host key is pinned here and nowhere else: `~/.ssh/known_hosts` is not read, so a board that
was reinstalled is noticed by everybody who uses the same inventory.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.durable import durable_file
from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, MissingExtraError
from edge_sdk.targets import read_toml, refuse_unknown_keys

FILE_NAME = "boards.toml"
TRANSPORTS = ("ssh", "local")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_ADDRESS = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]\s]+\]|[^:@\s]+)(?::(?P<port>\d{1,5}))?")


@dataclass(frozen=True, kw_only=True)
class Board(Document):
    """One reachable board.

    Attributes:
        name: What people call it; letters, digits, ".", "_", "-".
        host: Name or address; for the transport "local" a folder that plays the login's home.
        target: Name of a file in `devices/`, or a path to one of the user's own.
        port: TCP port of the SSH server.
        user: Login; needs no root rights.
        host_key: "ssh-ed25519 AAAA..." as in known_hosts, or a fingerprint "SHA256:...". None means
            not pinned: then nothing is sent to the board at all.
        key_file: Private key for the login, "~" allowed, relative to the inventory's folder. None: the
            agent's keys if `agent` is true.
        agent: Offer the keys of the running SSH agent. Off by default: an agent with many keys runs
            into the server's limit of tries, and shows every key to every board.
        root: Folder on the board that belongs to edge_sdk, relative to the login's home.
        python: Python on the board; a name on the login's PATH or an absolute path.
        transport: "ssh", or "local" for a folder of this machine.
    """

    name: str
    host: str
    target: str
    port: int = 22
    user: str = ""
    host_key: str | None = None
    key_file: str | None = None
    agent: bool = False
    root: str = "edge"
    python: str = "python3"
    transport: str = "ssh"

    def __post_init__(self) -> None:
        where = f"board {self.name!r:.80}"
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"{self.name!r:.80} is no name for a board",
                why="a name has 1 to 63 letters, digits, '.', '_', '-' and starts with a letter or digit",
                hint="for example porch or greenhouse-2",
            )
        if not self.host or re.search(r"[\x00-\x1f]", self.host) or self.host.startswith("-"):
            raise ConfigError(f"{where}: host is {self.host!r:.80}", why="it must be a name or an address")
        if not 1 <= self.port <= 65535:
            raise ConfigError(f"{where}: port is {self.port}", why="it must be 1 to 65535")
        if self.transport not in TRANSPORTS:
            raise ConfigError(
                f"{where}: transport is {self.transport!r:.40}", why="allowed: " + ", ".join(TRANSPORTS)
            )
        for field_name in ("root", "python", "target"):
            value = getattr(self, field_name)
            if not value or value.startswith("-") or re.search(r"[\x00-\x1f]", value):
                raise ConfigError(f"{where}: {field_name} is {value!r:.80}")
        if self.transport == "ssh" and not self.user:
            raise ConfigError(f"{where}: user is missing", hint="write the login's name: user = ...")
        if self.host_key is not None:
            fingerprint(self.host_key)

    @property
    def address(self) -> str:
        """host:port for messages; the folder of a local board."""
        if self.transport == "local":
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def fingerprint(key: str) -> str:
    """Return the SHA-256 fingerprint of a public key, as `ssh-keygen -l` prints it.

    Args:
        key: "TYPE BASE64 [comment]" as in known_hosts and .pub files, or already "SHA256:...".

    Raises:
        ConfigError: It is neither.
    """
    if _FINGERPRINT.fullmatch(key.strip()):
        return key.strip()
    kind, blob = split_key(key)
    return fingerprint_of(blob) if kind else ""


def fingerprint_of(blob: bytes) -> str:
    """Return the fingerprint of a public key in wire form."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def split_key(key: str) -> tuple[str, bytes]:
    """Return (type, wire form) of a public key "TYPE BASE64 [comment]".

    Raises:
        ConfigError: It is not such a key, or it is a certificate or a marker of known_hosts.
    """
    words = key.split()
    hint = "take it from the board: cat /etc/ssh/ssh_host_ed25519_key.pub"
    if words and words[0].startswith("@"):
        raise ConfigError(
            f"host key with the marker {words[0]}",
            why="certificate authorities and revocation lists of known_hosts are not supported",
            hint=hint,
        )
    if len(words) < 2:
        raise ConfigError(
            f"not a host key: {key!r:.60}", why="expected 'TYPE BASE64' or 'SHA256:...'", hint=hint
        )
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError) as failure:
        raise ConfigError(f"not a host key: {key!r:.60}", why=f"base64: {failure}", hint=hint) from failure
    # The wire form repeats the type behind a 4-byte length; a key that was cut or mixed up shows here.
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length].decode("ascii", "replace") != words[0]:
        raise ConfigError(
            f"not a host key: {key!r:.60}", why=f"the base64 part is not of type {words[0]}", hint=hint
        )
    return words[0], blob


def parse_address(text: str) -> tuple[str, str, int]:
    """Return (user, host, port) of `USER@HOST[:PORT]`; an IPv6 address stands in brackets.

    Raises:
        ConfigError: It has another form, or no user.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not match["user"]:
        raise ConfigError(
            f"{text!r:.120} is not an address",
            why="expected USER@HOST or USER@HOST:PORT",
            hint="for example pi@192.168.1.20 or root@[fe80::1]:2222",
        )
    return match["user"], match["host"].strip("[]"), int(match["port"] or 22)


def load_inventory(path: Path) -> dict[str, Board]:
    """Return all boards of an inventory by name; none where the file does not exist yet.

    Raises:
        ConfigError: The file cannot be used; the message names the key.
    """
    if not path.exists():
        return {}
    data = read_toml(path)
    for key in data:
        if key != "boards":
            raise ConfigError(f"{path}: unknown key {key!r}", why="each board is a table [boards.NAME]")
    boards: dict[str, Board] = {}
    table = data.get("boards", {})
    if not isinstance(table, Mapping):
        raise ConfigError(f"{path}: boards is not a table", why="each board is a table [boards.NAME]")
    for name, fields in table.items():
        if not isinstance(fields, Mapping):
            raise ConfigError(f"{path}: boards.{name} is not a table")
        if "name" in fields:
            raise ConfigError(f"{path}: unknown key 'name' in [boards.{name}]")
        board = Board.from_dict({**fields, "name": name}, where=f"{path}: boards.{name}")
        refuse_unknown_keys(board, path, f"boards.{name}.")
        boards[name] = board
    return boards


def find_board(name: str, path: Path) -> Board:
    """Return one board of an inventory.

    Raises:
        ConfigError: There is none of that name (with the nearest match), or the file cannot be used.
    """
    boards = load_inventory(path)
    if name in boards:
        return boards[name]
    near = difflib.get_close_matches(name, boards, n=1, cutoff=0.5)
    if near:
        hint = f"did you mean {near[0]!r}?"
    else:
        hint = f"edge board add {name} USER@HOST --target TARGET, or without hardware: edge lab up {name}"
    raise ConfigError(
        f"no board called {name!r}",
        why=f"{path} has: {', '.join(boards)}" if boards else f"{path} has no boards",
        hint=hint,
    )


def add_board(path: Path, board: Board, *, replace: bool = False) -> None:
    """Write a board into the inventory; comments and other boards stay as they are.

    Raises:
        ConfigError: The name is taken and `replace` is false, or the file cannot be read or written.
        NoSpaceError: The disk is full; the inventory is as it was.
    """
    if board.name in load_inventory(path) and not replace:
        raise ConfigError(
            f"board {board.name!r} exists already in {path}", hint=f"edge board remove {board.name}"
        )
    fields = {key: value for key, value in board.to_dict().items() if key != "name"}
    document = _parse(path)
    import tomlkit

    boards = document.get("boards")
    if boards is None:
        boards = tomlkit.table(is_super_table=True)
        document.append("boards", boards)
    entry = tomlkit.table()
    for key, value in fields.items():
        entry.append(key, value)
    if board.name in boards:
        boards[board.name] = entry
    else:
        boards.append(board.name, entry)
    _write(path, tomlkit.dumps(document))


def remove_board(path: Path, name: str) -> Board:
    """Take a board out of the inventory and return it; the board itself is not touched.

    Raises:
        ConfigError: There is none of that name, or the file cannot be read or written.
    """
    board = find_board(name, path)
    document = _parse(path)
    import tomlkit

    boards = document["boards"]
    del boards[name]
    if not boards:
        del document["boards"]
    _write(path, tomlkit.dumps(document))
    return board


def _parse(path: Path) -> Any:
    try:
        import tomlkit
    except ImportError as failure:
        raise MissingExtraError("tomlkit", extra="host", purpose="write boards.toml") from failure
    if not path.exists():
        document = tomlkit.document()
        document.add(tomlkit.comment("Boards of this project; written by `edge board add`. No secrets here."))
        document.add(tomlkit.nl())
        return document
    return tomlkit.parse(path.read_text(encoding="utf-8"))


def _write(path: Path, text: str) -> None:
    # Whole or not at all: a full disk or Ctrl-C leaves the old inventory.
    with durable_file(path) as stream:
        stream.write(text.encode())
