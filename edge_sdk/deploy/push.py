"""Push a bundle to a board, and the other acts on one board: status, rollback, logs, a prediction.

A push sends only what the board lacks: the manifest, the picked variant and its golden vectors. The
board then checks, tries and switches by itself (edge_sdk.keeper.install), so a link that breaks after
the last byte changes nothing about the outcome.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk import __version__
from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.document import Document
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.plan import Plan, PlannedFile, choose, plan_push
from edge_sdk.deploy.session import Blob, Hello, KeeperSession, open_session
from edge_sdk.deploy.transport import open_transport
from edge_sdk.deploy.transport.base import Transport
from edge_sdk.errors import ConfigError
from edge_sdk.keeper.code import board_code, code_identity
from edge_sdk.progress import Progress, Step, silent

#: Files up to this size are kept in memory between their check and their sending, in bytes.
KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class PushResult(Document):
    """What a push did.

    Attributes:
        board: The board's name.
        release: Name of the release that runs now.
        changed: False where this very release ran already.
        previous: Release that ran before, or None.
        bundle: Name of the bundle.
        version: Its version, for people.
        variant: The variant that runs.
        bytes_sent: Bytes written to the wire, everything included: login, requests, content.
        bytes_received: Bytes read from the wire.
        seconds: From the first packet to the board's last answer.
        trial: What the board's trial reported: runtime, delegate, latency_ms, max_abs_error, cases...;
            None where nothing had to be tried.
    """

    board: str
    release: str
    changed: bool
    previous: str | None = None
    bundle: str
    version: str
    variant: str
    bytes_sent: int
    bytes_received: int
    seconds: float
    trial: Mapping[str, Any] | None = None


def preview(
    bundle_path: Path,
    board: Board,
    *,
    variant: str | None = None,
    transport: Transport | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> Plan:
    """Return what `push` would change; the board is asked, and not changed.

    Raises:
        EdgeError: As for `push`.
    """
    code = code_identity(board_code())
    with (
        Bundle.open(bundle_path) as bundle,
        open_session(board, transport=transport, folder=folder, progress=progress) as session,
    ):
        return _plan(bundle, session, variant, code)


def push(
    bundle_path: Path,
    board: Board,
    *,
    variant: str | None = None,
    transport: Transport | None = None,
    folder: Path | None = None,
    show: Callable[[Plan], None] = lambda plan: None,
    progress: Progress = silent,
) -> PushResult:
    """Bring a bundle onto a board and make it the release that runs.

    Args:
        bundle_path: A `.edge` file.
        board: Where to.
        variant: Run this variant instead of the target's first.
        transport: The way there; the board's own by default. A given one stays open afterwards.
        folder: What a relative `key_file` is relative to: the inventory's folder.
        show: Called with the plan before anything is sent.
        progress: Told what happens.

    Raises:
        BundleError: The bundle is damaged, or has nothing for this board.
        HostKeyError: The board's key is not the pinned one; nothing was sent.
        ConnectError: No connection, or the link broke; the old release runs on.
        RemoteError: The board is not set up.
        NoSpaceError: The board is full; nothing was changed.
        BusyError: Somebody else changes this board.
        GateError: The release failed its trial on the board; the old one runs on.
    """
    started = time.monotonic()
    with Bundle.open(bundle_path) as bundle, contextlib.ExitStack() as stack:
        chosen = choose(bundle.manifest, board, variant=variant)
        # Read every byte once before any leaves this machine; the network's delays hide what that takes.
        checked = stack.enter_context(ThreadPoolExecutor(1)).submit(_check_content, bundle, chosen.variant)
        progress(Step("connect", f"connecting to {board.address}", subject=board.name))
        if transport is None:
            transport = open_transport(board, folder=folder)
            stack.callback(transport.close)
        sent, received = transport.bytes_sent, transport.bytes_received
        transport.connect()
        session = stack.enter_context(current_session(board, transport, progress=progress))
        plan = _plan(bundle, session, variant, None)
        show(plan)
        content = checked.result()
        # The largest last: the board makes the small ones durable while it arrives.
        files = sorted((file for file in plan.files if file.send), key=lambda file: file.size)
        session.put([_blob(bundle, file, content) for file in files])
        progress(Step("install", "everything is on the board", subject=board.name))
        answer = session.request(
            "install", manifest=plan.manifest_sha256, target=plan.target, variant=plan.variant
        )
        return PushResult(
            board=board.name,
            release=str(answer.get("release")),
            changed=bool(answer.get("changed")),
            previous=answer.get("previous"),
            bundle=plan.bundle,
            version=plan.version,
            variant=plan.variant,
            bytes_sent=transport.bytes_sent - sent,
            bytes_received=transport.bytes_received - received,
            seconds=round(time.monotonic() - started, 3),
            trial=answer.get("trial"),
        )


@contextlib.contextmanager
def current_session(
    board: Board, transport: Transport, *, progress: Progress = silent
) -> Iterator[KeeperSession]:
    """Talk to a keeper that is at least as new as this machine's; an older one is replaced first.

    Raises:
        EdgeError: As for `open_session` and `KeeperSession.put`.
    """
    code = board_code()
    with open_session(board, transport=transport, progress=progress) as session:
        if not is_outdated(session.hello, code_identity(code)):
            yield session
            return
        progress(Step("code", f"bringing the keeper to {__version__}", subject=board.name))
        send_code(session, code)
    # The running keeper is still the old program; a new one starts from the new code.
    with open_session(board, transport=transport, progress=progress) as session:
        yield session


def send_code(session: KeeperSession, code: bytes) -> bool:
    """Send and activate the board-side code; False where the board had it already."""
    identity = code_identity(code)
    if session.hello.code == identity:
        return False
    if session.missing([identity]):
        session.put([Blob.of(code, "the keeper's code")], stage="code")
    session.request("code", sha256=identity)
    return True


def is_outdated(hello: Hello, code: str) -> bool:
    """Say whether a board's code should be replaced: another code, and not a newer version."""
    return hello.code != code and _version(hello.keeper) <= _version(__version__)


def status(
    board: Board, *, verify: bool = False, folder: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Return what is on a board: its facts, releases, environment and last report, ready for JSON.

    Args:
        board: The board.
        verify: Let the board read every byte of its releases again.
        folder: What a relative `key_file` is relative to.
        progress: Told what happens.

    Raises:
        EdgeError: As for `open_session`.
    """
    with open_session(board, folder=folder, progress=progress) as session:
        return {"board": board.name, **session.request("status", verify=verify)}


def rollback(
    board: Board, to: str | None = None, *, folder: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Return a board to an earlier release: {"release", "changed", "previous"}.

    Args:
        board: The board.
        to: Name of the release; the one before the current one by default.
        folder: What a relative `key_file` is relative to.
        progress: Told what happens.

    Raises:
        RemoteError: There is no such release.
        EdgeError: As for `open_session`.
    """
    with open_session(board, folder=folder, progress=progress) as session:
        answer = session.request("rollback", **({} if to is None else {"to": to}))
        return {"board": board.name, **answer}


def logs(board: Board, *, lines: int = 100, folder: Path | None = None) -> str:
    """Return the last lines of the keeper's log on a board.

    Raises:
        EdgeError: As for `open_session`.
    """
    with open_session(board, folder=folder) as session:
        return str(session.request("logs", lines=lines).get("text", ""))


def predict(
    board: Board, inputs: Mapping[str, Path | Any], *, folder: Path | None = None, progress: Progress = silent
) -> dict[str, Any]:
    """Run the current release of a board once and return the runner's report.

    Args:
        board: The board.
        inputs: By input name; "" names the only input of a model. A path is sent as a file (a picture or an
            .npy), anything else as a JSON value.
        folder: What a relative `key_file` is relative to.
        progress: Told what happens.

    Raises:
        ConfigError: A file cannot be read.
        EdgeError: As for `open_session`; or what the runner on the board said.
    """
    blobs: list[Blob] = []
    wishes: dict[str, Any] = {}
    for name, value in inputs.items():
        if isinstance(value, Path):
            try:
                blob = Blob.of(value.read_bytes(), value.name)
            except OSError as failure:
                raise ConfigError(
                    f"{value} cannot be read", why=failure.strerror or str(failure)
                ) from failure
            blobs.append(blob)
            wishes[name] = {"blob": blob.sha256, "suffix": value.suffix}
        else:
            wishes[name] = {"value": value}
    with open_session(board, folder=folder, progress=progress) as session:
        missing = session.missing([blob.sha256 for blob in blobs])
        session.put([blob for blob in blobs if blob.sha256 in missing], stage="run")
        return {"board": board.name, **session.request("predict", inputs=wishes)}


def _plan(bundle: Bundle, session: KeeperSession, variant: str | None, code: str | None) -> Plan:
    board, hello = session.board, session.hello
    wanted = plan_push(bundle.manifest, bundle.manifest_bytes, board, hello, None, variant=variant)
    missing = session.missing([file.sha256 for file in wanted.files])
    return plan_push(
        bundle.manifest, bundle.manifest_bytes, board, hello, missing, variant=variant, code=code
    )


def _check_content(bundle: Bundle, variant: str) -> dict[str, list[bytes]]:
    """Check every file of a variant; return the content of those that are small enough to keep."""
    kept: dict[str, list[bytes]] = {}
    for name, entry in bundle.manifest.needed_by(variant).items():
        if entry.size <= KEPT_BYTES:
            kept[name] = list(bundle.pieces(name))
        else:
            for _ in bundle.pieces(name):
                pass
    return kept


def _blob(bundle: Bundle, file: PlannedFile, content: Mapping[str, list[bytes]]) -> Blob:
    if file.name == "manifest.json":
        return Blob.of(bundle.manifest_bytes, file.name)
    # A large file is read again while it is sent, so memory does not depend on the model's size.
    return Blob(
        file.name,
        file.sha256,
        file.size,
        lambda: content[file.name] if file.name in content else bundle.pieces(file.name),
    )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
