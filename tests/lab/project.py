"""A project with a lab board that serves, and the checks that a fault has not harmed it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.deploy.inventory import Board, add_board
from edge_sdk.deploy.lab import lab_down, lab_up
from edge_sdk.deploy.lab.folder import LabFolder
from edge_sdk.deploy.lab.sshd import find_sshd
from edge_sdk.deploy.provision import setup
from edge_sdk.deploy.push import predict, push, status
from tests.lab.bundles import make_bundle, sample_image
from tests.lab.environments import ENVIRONMENTS

LIMIT_SECONDS = 30.0
BALLAST = 3_000_000


@dataclass
class Project:
    """A folder with a lab board that serves a first release.

    Attributes:
        folder: The project's folder, with boards.toml and the lab.
        name: The board's name.
        board: The board.
    """

    folder: Path
    name: str
    board: Board
    counter: Iterator[int] = field(default_factory=lambda: iter(range(2, 1000)))

    @property
    def inventory(self) -> Path:
        return self.folder / "boards.toml"

    @property
    def lab(self) -> LabFolder:
        return LabFolder.of(self.folder / ".edge/lab", self.name)

    @property
    def root(self) -> Path:
        """The keeper's folder, seen from outside."""
        return self.lab.home / "edge"

    def bundle(self, **options: Any) -> Path:
        """Make a bundle that no board has seen."""
        version = str(next(self.counter))
        return make_bundle(
            self.folder / f"v{version}.edge", version=version, **{"ballast": BALLAST, **options}
        )

    def enter(self, board: Board, name: str) -> str:
        """Write a variation of the board into the inventory."""
        add_board(self.inventory, replace(board, name=name), replace=True)
        return name

    def edge(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `edge` as a user does."""
        command = [sys.executable, "-m", "edge_sdk.cli.main", *arguments, "--json"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)

    def push(self, bundle: Path, name: str | None = None) -> subprocess.CompletedProcess[str]:
        return self.edge("push", name or self.name, "--bundle", str(bundle))

    def start_push(self, bundle: Path, name: str) -> subprocess.Popen[str]:
        """Start `edge push` and return its process, so that it can be interrupted."""
        return subprocess.Popen(
            [sys.executable, "-m", "edge_sdk.cli.main", "push", name, "--bundle", str(bundle), "--json"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def answer(self) -> tuple[str, bytes]:
        """Ask the board for a prediction: the release that gave it, and its bytes."""
        image = self.folder / "image.npy"
        np.save(image, sample_image())
        answered = predict(self.board, {"image": image})
        return answered["release"], np.array(answered["outputs"]["probabilities"], np.float32).tobytes()

    def restart(self) -> None:
        """Bring the server back where a test has killed it."""
        lab_up(self.name, folder=self.folder / ".edge/lab", inventory=self.inventory)


@contextlib.contextmanager
def project(folder: Path, *, name: str = "porch", server: str = "sshd") -> Iterator[Project]:
    """Make a project whose board is set up and serves a first release."""
    if server == "sshd" and find_sshd() is None:
        message = "OpenSSH's sshd is not installed: apt-get install openssh-server"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    lab = folder / ".edge/lab"
    board = lab_up(name, server=server, folder=lab, inventory=folder / "boards.toml")
    try:
        setup(board, cache=ENVIRONMENTS)
        made = Project(folder, name, board)
        assert push(make_bundle(folder / "v1.edge"), board).changed
        yield made
    finally:
        lab_down(folder=lab, remove=True, inventory=folder / "boards.toml")


def releases(root: Path) -> dict[str, str]:
    """Return what decides what runs: every release with its files and links, and the links beside them."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith("releases/") or name in ("current", "good", "environment"):
            found[name] = (
                str(path.readlink()) if path.is_symlink() else "folder" if path.is_dir() else sha256(path)
            )
    return found


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def unharmed(made: Project) -> Iterator[None]:
    """Check that the board serves the same release, from the same files, after the block as before it."""
    answer, files = made.answer(), releases(made.root)
    yield
    assert releases(made.root) == files
    assert made.answer() == answer
    # The keeper that has just answered swept what a broken session left; content is what its name says.
    for blob in (made.root / "blobs/sha256").glob("*/*"):
        assert sha256(blob) == blob.name
    assert status(made.board)["current"] == answer[0]


def check_refusal(
    done: subprocess.CompletedProcess[str], *, error: str | tuple[str, ...], code: int, seconds: float
) -> dict[str, Any]:
    """Check that a command ended as the contract says and return its JSON error."""
    assert done.returncode == code, done.stdout + done.stderr
    assert seconds < LIMIT_SECONDS
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["error"] in ((error,) if isinstance(error, str) else error)
    assert document["exit_code"] == code
    assert "Traceback" not in done.stderr
    return document


def timed(
    act: Callable[[], subprocess.CompletedProcess[str]],
) -> tuple[subprocess.CompletedProcess[str], float]:
    began = time.monotonic()
    return act(), time.monotonic() - began


def check_success(made: Project, bundle: Path, name: str | None = None) -> dict[str, Any]:
    """Check that a push succeeds and that its release answers."""
    done = made.push(bundle, name)
    assert done.returncode == 0, done.stdout + done.stderr
    [result] = json.loads(done.stdout)["results"]
    assert result["changed"]
    assert made.answer()[0] == result["release"]
    return dict(result)


def await_idle(made: Project) -> None:
    """Wait until no keeper of a broken session runs any more."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        lock = made.root / "lock"
        with lock.open("a") as handle, contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.1)
    pytest.fail("the keeper of the broken session still holds the lock")
