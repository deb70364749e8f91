"""Set up a board: the keeper, and a TFLite runtime with all it needs.

    start the keeper from the board's Python alone       (needs nothing else there: no pip, no internet)
    read the board's facts                               Python, architecture, C library, C++ library
    install the keeper's code                            so that the next session starts it directly
    choose and fetch wheels on this machine              edge_sdk.wheels.fetch
    send them as one zip; the board unpacks, tries and switches

Running it again changes what is out of date and nothing else.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_sdk import __version__
from edge_sdk.contract.document import Document
from edge_sdk.deploy.environment import DEFAULT_CACHE, make_environment, pieces_of
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.push import is_outdated, send_code
from edge_sdk.deploy.session import Blob, Facts, bootstrap_session
from edge_sdk.deploy.transport import open_transport
from edge_sdk.deploy.transport.base import Transport
from edge_sdk.errors import BoardError
from edge_sdk.keeper.code import board_code, code_identity
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.targets import Target, load_target
from edge_sdk.wheels.fetch import Platform, parse_version, plan_wheels


@dataclass(frozen=True, kw_only=True)
class SetupResult(Document):
    """What a set-up did.

    Attributes:
        board: The board's name.
        facts: What the board is.
        keeper: Version of edge_sdk on the board now.
        runtime: "litert" or "tflite-runtime".
        environment: Identity of the Python packages in use.
        packages: Version by distribution, as sent.
        changed: Whether anything had to be changed.
        bytes_sent: Bytes written to the wire, everything included.
        seconds: How long it took, fetching included.
    """

    board: str
    facts: Facts
    keeper: str
    runtime: str
    environment: str
    packages: Mapping[str, str] = field(default_factory=dict)
    changed: bool
    bytes_sent: int
    seconds: float


def setup(
    board: Board,
    *,
    transport: Transport | None = None,
    folder: Path | None = None,
    cache: Path = DEFAULT_CACHE,
    force: bool = False,
    progress: Progress = silent,
) -> SetupResult:
    """Bring the keeper and the runtime of the board's target onto a board.

    Args:
        board: The board; a Python of version 3.10 or newer is all it must have.
        transport: The way there; the board's own by default. A given one stays open afterwards.
        folder: What a relative `key_file` is relative to: the inventory's folder.
        cache: Folder of environments that were made before.
        force: Switch to the new packages even where the current release fails with them.
        progress: Told what happens.

    Raises:
        ConfigError: The board's target is unknown.
        HostKeyError: The board's key is not the pinned one; nothing was sent.
        ConnectError: No connection.
        BoardError: Something that the board lacks (with the cure), or packages that cannot be had.
        NoSpaceError: The board, or this machine, is full.
        MissingExtraError: uv is not installed here.
    """
    started = time.monotonic()
    target = load_target(board.target)
    code = board_code()
    with contextlib.ExitStack() as stack:
        if transport is None:
            progress(Step("connect", f"connecting to {board.address}", subject=board.name))
            transport = stack.enter_context(open_transport(board, folder=folder))
        before = transport.bytes_sent
        progress(Step("setup", "starting the keeper", subject=board.name))
        session = stack.enter_context(bootstrap_session(board, code, transport=transport, progress=progress))
        facts = session.hello.facts
        platform = check_facts(board, facts, target)
        plan = plan_wheels(target.runtime, platform, board.name)
        changed = False
        # The bootstrapped keeper already runs this code, whatever `hello.keeper` says of what is installed.
        if session.hello.code is None or is_outdated(session.hello, code_identity(code)):
            progress(Step("setup", "installing the keeper", subject=board.name))
            changed = send_code(session, code)
        environment = make_environment(plan, cache=cache, progress=progress, subject=board.name)
        record = environment.record
        if session.hello.environment != record.identity:
            blob = Blob(
                record.identity,
                record.sha256,
                record.size,
                lambda: pieces_of(environment.path),
            )
            if session.missing([blob.sha256]):
                session.put([blob], stage="setup", needs=record.size + record.unpacked_size)
            session.request(
                "environment",
                id=record.identity,
                sha256=record.sha256,
                system_packages=record.system_packages,
                force=force,
            )
            changed = True
        return SetupResult(
            board=board.name,
            facts=facts,
            keeper=__version__,
            runtime=record.runtime,
            environment=record.identity,
            packages=record.packages,
            changed=changed,
            bytes_sent=transport.bytes_sent - before,
            seconds=round(time.monotonic() - started, 3),
        )


def check_facts(board: Board, facts: Facts, target: Target) -> Platform:
    """Return what wheels must fit on a board.

    Raises:
        BoardError: Something is missing there, or the board is not what its target says.
    """
    if target.platform != "linux":
        raise BoardError(
            f"target {target.name!r} is for {target.platform}; {board.name} is a Linux board",
            hint=f"correct target = ... in [boards.{board.name}] of boards.toml; edge targets lists them",
        )
    if target.architecture not in ("any", facts.architecture):
        raise BoardError(
            f"target {target.name!r} is {target.architecture}, but {board.name} is {facts.architecture}",
            why=f"{facts.model or 'the board'}, {facts.system or 'an unknown system'}, Python "
            f"{facts.python}; a 64-bit processor may well run a 32-bit system",
            hint=f"correct target = ... in [boards.{board.name}] of boards.toml; edge targets lists them",
        )
    if facts.libstdcxx is False:
        raise BoardError(
            f"{board.name} has no C++ library",
            why="NumPy and the TFLite runtimes need libstdc++.so.6; minimal images leave it out",
            hint="on the board: sudo apt-get install libstdc++6",
        )
    if facts.glibc is None:
        raise BoardError(
            f"{board.name} does not use the GNU C library",
            why="the TFLite runtimes exist as wheels for glibc alone (Alpine and others use musl)",
            hint="use a Debian, Ubuntu or Raspberry Pi OS image",
        )
    try:
        return Platform(parse_version(facts.python), facts.architecture, parse_version(facts.glibc))
    except (AttributeError, ValueError) as failure:
        raise BoardError(
            f"{board.name} reports facts that cannot be understood",
            why=f"Python {facts.python!r:.40}, glibc {facts.glibc!r:.40}",
        ) from failure
