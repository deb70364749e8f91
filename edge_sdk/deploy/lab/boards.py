"""Lab boards up, down, listed."""

from __future__ import annotations

import json
import shutil
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import edge_sdk
from edge_sdk.contract.document import Document
from edge_sdk.deploy.inventory import FILE_NAME, Board, add_board, load_inventory, remove_board
from edge_sdk.deploy.lab.folder import DEFAULT_FOLDER, LabFolder, LabRecord
from edge_sdk.deploy.lab.keys import make_key, read_public
from edge_sdk.deploy.lab.process import (
    MARK,
    ServerProcess,
    last_lines,
    members,
    read_process,
    start_detached,
    stop,
)
from edge_sdk.deploy.lab.sshd import board_environment, find_sshd, login_name, server_command, unusable_login
from edge_sdk.errors import BoardError, ConfigError, MissingExtraError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.wheels.interpreter import choose_interpreter, clean_environment, make_environment, probe

SERVERS = ("auto", "sshd", "embedded")
#: The target of a lab board: this machine, with the runtime that was asked for.
TARGETS = {"litert": "host", "tflite-runtime": "host-tflite-runtime"}

_EMBEDDED_USER = "edge"
_START_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class LabStatus(Document):
    """A lab board as it is now.

    Attributes:
        name: The board's name.
        running: Whether its server answers to its pid.
        pid: Of the server; None where it does not run.
        server: "sshd" or "embedded".
        runtime: "litert" or "tflite-runtime".
        address: host:port.
        python: The interpreter its environment was made from.
        folder: Everything it has.
    """

    name: str
    running: bool
    pid: int | None
    server: str
    runtime: str
    address: str
    python: str
    folder: str


def lab_up(
    name: str,
    *,
    runtime: str = "litert",
    server: str = "auto",
    python: str | None = None,
    folder: Path = DEFAULT_FOLDER,
    inventory: Path = Path(FILE_NAME),
    progress: Progress = silent,
) -> Board:
    """Bring a lab board up and enter it into the inventory; one that is up stays as it is.

    The board is bare then: `provision.setup` brings the keeper and the runtime, as on any board.

    Args:
        name: Of the board; also of its folder.
        runtime: What the board is for: "litert" or "tflite-runtime".
        server: "sshd", "embedded", or "auto" for the first that this machine can offer.
        python: The interpreter of the board: a path, a name or a version; see `choose_interpreter`.
        folder: Where lab boards live.
        inventory: The file of boards.
        progress: Told what happens.

    Raises:
        ConfigError: A wrong name or option, no fitting Python, or the name belongs to another board.
        BoardError: The server does not start; with the end of its log.
        BusyError: Another command is bringing the same board up or down.
        MissingExtraError: A package of the host's side is missing.
    """
    if server not in SERVERS:
        raise ConfigError(f"no lab server called {server!r}", why="servers: " + ", ".join(SERVERS))
    lab = LabFolder.of(folder, name)
    taken = load_inventory(inventory).get(name)
    if taken is not None and taken.key_file != str(lab.client_key):
        raise ConfigError(
            f"{inventory} has another board called {name!r} ({taken.address})",
            hint=f"give the lab board its own name, or: edge board remove {name}",
        )
    with lab.locked():
        record = lab.read_record()
        if record is None:
            record = _make(lab, runtime, server, python, progress)
        else:
            _refuse_other_wishes(record, runtime, server, python, lab)
        if probe(lab.python) is None:
            progress(Step("lab", "its Python has gone; making the environment again", subject=name))
            make_environment(choose_interpreter(record.runtime, python), lab.environment)
        process = read_process(lab.process_file)
        if process is None or not process.alive:
            record = _start(lab, record, process, may_change=server == "auto", progress=progress)
        board = _board(lab, record)
        if taken != board:
            add_board(inventory, board, replace=True)
    progress(Step("lab", f"{record.server} answers at {board.address}", fraction=1.0, subject=name))
    return board


def lab_down(
    name: str | None = None,
    *,
    remove: bool = False,
    folder: Path = DEFAULT_FOLDER,
    inventory: Path = Path(FILE_NAME),
) -> list[str]:
    """Stop lab boards and everything that runs on them; their disks stay unless `remove` is true.

    Args:
        name: One board, or None for all.
        remove: Delete the board's folder and its entry in the inventory as well.
        folder: Where lab boards live.
        inventory: The file of boards.

    Returns:
        The names of the boards that are down now.

    Raises:
        ConfigError: There is no lab board of that name.
        BoardError: A process does not end, or the folder cannot be deleted.
        BusyError: Another command is bringing the same board up or down.
    """
    names = [name] if name is not None else _names(folder)
    for each in names:
        lab = LabFolder.of(folder, each)
        if not lab.path.is_dir():
            raise ConfigError(
                f"no lab board called {each!r}",
                why=f"{folder} has: {', '.join(_names(folder)) or 'none'}",
                hint=f"edge lab up {each}",
            )
        with lab.locked():
            stop(read_process(lab.process_file), lab.path)
            lab.process_file.unlink(missing_ok=True)
            if remove:
                entry = load_inventory(inventory).get(each)
                if entry is not None and entry.key_file == str(lab.client_key):
                    remove_board(inventory, each)
                _delete(lab)
    return names


def lab_boards(folder: Path = DEFAULT_FOLDER) -> list[LabStatus]:
    """Return every lab board, sorted by name."""
    found = []
    for name in _names(folder):
        lab = LabFolder.of(folder, name)
        record, process = lab.read_record(), read_process(lab.process_file)
        if record is None:
            continue
        running = process is not None and process.alive
        found.append(
            LabStatus(
                name=name,
                running=running,
                pid=process.pid if running and process is not None else None,
                server=record.server,
                runtime=record.runtime,
                address=f"127.0.0.1:{record.port}",
                python=record.interpreter,
                folder=str(lab.path),
            )
        )
    return found


def _names(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob("*/lock"))


def _make(lab: LabFolder, runtime: str, server: str, python: str | None, progress: Progress) -> LabRecord:
    """Make a board's folder; the record is written last, so a half-made one is made again."""
    interpreter = choose_interpreter(runtime, python)
    chosen = _choose_server(server)
    for path in (lab.home, lab.environment, lab.host_key.parent, lab.server):
        shutil.rmtree(path, ignore_errors=True)
    version = ".".join(map(str, interpreter.version))
    progress(Step("lab", f"making a board with Python {version} and nothing else", subject=lab.path.name))
    lab.home.mkdir(mode=0o700)
    lab.server.mkdir(mode=0o700)
    host_key = make_key(lab.host_key, comment=f"lab-board-{lab.path.name}")
    make_key(lab.client_key, comment=f"lab-login-{lab.path.name}")
    make_environment(interpreter, lab.environment)
    record = LabRecord(
        name=lab.path.name,
        server=chosen,
        runtime=runtime,
        port=_free_port(),
        user=_user(chosen),
        interpreter=str(interpreter.path),
        host_key=host_key,
    )
    lab.write_record(record)
    return record


def _refuse_other_wishes(
    record: LabRecord, runtime: str, server: str, python: str | None, lab: LabFolder
) -> None:
    wishes = {"runtime": (record.runtime, runtime)}
    if server != "auto":
        wishes["server"] = (record.server, server)
    if python is not None:
        wishes["Python"] = (record.interpreter, str(choose_interpreter(runtime, python).path))
    for what, (has, wanted) in wishes.items():
        if has != wanted:
            raise ConfigError(
                f"lab board {record.name} exists with {what} {has}, not {wanted}",
                hint=f"another name, or make it anew: edge lab down {record.name} --remove",
                folder=str(lab.path),
            )


def _choose_server(server: str) -> str:
    if server == "embedded":
        return server
    refusal = "OpenSSH's sshd is not installed" if find_sshd() is None else unusable_login()
    if refusal is None:
        return "sshd"
    if server == "sshd":
        raise ConfigError(
            "no sshd for a lab board",
            why=refusal,
            hint="apt-get install openssh-server, or: edge lab up --server embedded",
        )
    return "embedded"


def _user(server: str) -> str:
    return login_name() if server == "sshd" else _EMBEDDED_USER


def _start(
    lab: LabFolder, record: LabRecord, old: ServerProcess | None, *, may_change: bool, progress: Progress
) -> LabRecord:
    """Start the server, on another port or as the other kind where that is what it takes."""
    stop(old, lab.path)  # what a server that was killed has left behind
    try:
        return _start_on_a_port(lab, record, progress)
    except BoardError as failure:
        if record.server != "sshd" or not may_change:
            raise
        reason = failure.why or failure.what
    progress(
        Step("lab", f"sshd does not start here ({reason}); using the embedded server", subject=record.name)
    )
    return _start_on_a_port(lab, _changed(record, server="embedded", user=_EMBEDDED_USER), progress)


def _start_on_a_port(lab: LabFolder, record: LabRecord, progress: Progress) -> LabRecord:
    # The port of last time is kept where it is free, so that notes and shell history stay true.
    if not _is_free(record.port):
        record = _changed(record, port=_free_port())
    progress(Step("lab", f"starting {record.server}", subject=record.name))
    command = _command(lab, record)
    # The embedded server finds edge_sdk where this process did; its commands get an environment of their own.
    package = str(Path(edge_sdk.__file__).parent.parent)
    environment = {**clean_environment(), "PYTHONPATH": package, MARK: str(lab.path)}
    process = start_detached(command, log=lab.log, folder=lab.server, environment=environment)
    try:
        _await_greeting(process, record, lab)
    except BaseException:
        stop(process, lab.path)
        raise
    lab.process_file.write_text(json.dumps(process.to_dict()) + "\n", "utf-8")
    lab.write_record(record)
    return record


def _command(lab: LabFolder, record: LabRecord) -> list[str]:
    if record.server == "sshd":
        sshd = find_sshd()
        if sshd is None:
            raise BoardError("sshd has gone from this machine", hint="apt-get install openssh-server")
        return server_command(lab, record, sshd)
    from importlib.util import find_spec

    if find_spec("paramiko") is None:
        raise MissingExtraError("paramiko", extra="host", purpose="run the embedded SSH server")
    import sys

    from edge_sdk.deploy.lab.embedded import EmbeddedConfiguration

    configuration = EmbeddedConfiguration(
        port=record.port,
        host_key=str(lab.host_key),
        authorized_key=read_public(lab.client_key),
        user=record.user,
        home=str(lab.home),
        environment=board_environment(lab, record.user),
    )
    path = lab.server / "embedded.json"
    path.write_text(json.dumps(configuration.to_dict(), indent=2) + "\n", "utf-8")
    return [sys.executable, "-m", "edge_sdk.deploy.lab.embedded", str(path)]


def _await_greeting(process: ServerProcess, record: LabRecord, lab: LabFolder) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.alive:
        with suppress(OSError), socket.create_connection(("127.0.0.1", record.port), timeout=2.0) as client:
            if client.recv(256).startswith(b"SSH-") and process.alive:
                client.shutdown(socket.SHUT_WR)
                return
        time.sleep(0.05)
    raise BoardError(
        f"the {record.server} of lab board {record.name} does not answer",
        why="\n".join(last_lines(lab.log)) or "its log is empty",
        hint=f"see {lab.log}",
    )


def _board(lab: LabFolder, record: LabRecord) -> Board:
    return Board(
        name=record.name,
        host="127.0.0.1",
        port=record.port,
        user=record.user,
        target=TARGETS[record.runtime],
        host_key=record.host_key,
        key_file=str(lab.client_key),
        python=str(lab.python),
    )


def _changed(record: LabRecord, **fields: str | int) -> LabRecord:
    return LabRecord.from_dict({**record.to_dict(), **fields})


def _is_free(port: int) -> bool:
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])


def _delete(lab: LabFolder) -> None:
    if members(None, lab.path):  # pragma: no cover - stop() has just ended them all
        raise BoardError(f"lab board {lab.path.name} is still running")
    try:
        shutil.rmtree(lab.path)
    except OSError as failure:
        raise BoardError(f"{lab.path} cannot be deleted", why=failure.strerror or str(failure)) from failure
