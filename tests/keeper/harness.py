"""A real keeper in a process of its own, spoken to over pipes; and boards in a folder."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import edge_sdk
from edge_sdk.errors import EdgeError, error_from_dict
from edge_sdk.keeper.cleanup import Workshop
from edge_sdk.keeper.disk import Disk
from edge_sdk.keeper.protocol import DATA_CHUNK_BYTES, FrameReader, FrameWriter
from tests.keeper.releases import Pack, digest

CHECKOUT = Path(edge_sdk.__file__).parents[1]
#: Distributions that the runner needs, with what they need themselves.
PACKAGES = (
    "numpy", "ai-edge-litert", "pillow", "flatbuffers", "protobuf", "ml-dtypes", "tqdm", "typing-extensions",
    "backports.strenum",
)  # fmt: skip


class KeeperProcess:
    """A keeper; a context manager that leaves no process behind.

    Args:
        root: Its folder.
        command: What to start in place of this Python's `-m edge_sdk.keeper serve`.
        environment: Variables to add.
    """

    def __init__(
        self,
        root: Path,
        *,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        start: bytes = b"",
    ) -> None:
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "edge_sdk.keeper", "serve", "--root", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=CHECKOUT,
            env={**os.environ, **(environment or {})},
            bufsize=0,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.steps: list[dict[str, Any]] = []
        self._source = self.process.stdout
        self._sink = self.process.stdin
        self.reader = FrameReader(self._source.read)
        self.writer = FrameWriter(self.raw)
        try:
            with contextlib.suppress(BrokenPipeError):  # it may have ended, and said why
                self.raw(start)
            self.hello = self.answer("hello")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> KeeperProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int:
        """End the keeper; return its exit code."""
        for stream in (self._sink, self._source):
            stream.close()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            assert self.process.stderr is not None
            if not self.process.stderr.closed:
                self.talk = self.process.stderr.read().decode()
                self.process.stderr.close()
        return code

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        view = memoryview(data)
        while view:
            view = view[self._sink.write(view) :]

    def end_input(self) -> None:
        """Close the keeper's input, as a link that drops."""
        self._sink.close()

    def answer(self, key: str = "ok") -> dict[str, Any]:
        """Return the next answer; raise the error it holds."""
        while True:
            frame = self.reader.receive()
            if frame is None:
                raise EOFError("the keeper ended")
            message = frame.message()
            if "progress" in message:
                self.steps.append(message["progress"])
            elif "error" in message:
                raise error_from_dict(message["error"])
            else:
                return dict(message[key])

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        self.writer.send({"do": do, **fields})
        return self.answer()

    def put(self, data: bytes, *, sha256: str | None = None, size: int | None = None) -> dict[str, Any]:
        """Send one blob."""
        self.writer.send(
            {"do": "put", "sha256": sha256 or digest(data), "size": len(data) if size is None else size}
        )
        for start in range(0, len(data), DATA_CHUNK_BYTES):
            self.writer.send_data(data[start : start + DATA_CHUNK_BYTES])
        return self.answer()

    def push(self, pack: Pack, **fields: Any) -> dict[str, Any]:
        """Send what is missing of a release and install it."""
        missing = self.ask("have", sha256=list(pack.blobs))["missing"]
        for sha256 in missing:
            self.put(pack.blobs[sha256])
        return self.ask("install", **{"manifest": pack.sha256, "target": "host", **fields})


def refusal(call: Any, *arguments: Any, **fields: Any) -> EdgeError:
    """Call and return the EdgeError that it raises."""
    try:
        call(*arguments, **fields)
    except EdgeError as error:
        return error
    raise AssertionError("nothing was raised")


def fill(shop: Workshop, pack: Pack) -> None:
    """Put everything a release needs into a store."""
    for sha256, data in pack.blobs.items():
        shop.store.receive(sha256, len(data), [data])


def open_shop(root: Path, disk: Disk | None = None) -> Workshop:
    return Workshop.open(root, disk)


def link_environment(root: Path, name: str = "linked") -> Path:
    """Make an environment whose packages are links to this Python's: as real as it gets without copying."""
    folder = root / "environments" / name
    folder.mkdir(parents=True)
    for package in PACKAGES:
        files = distribution(package).files or []
        for part in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            source = Path(str(distribution(package).locate_file(part)))
            if source.exists() and not (folder / part).exists():
                (folder / part).symlink_to(source)
    link = root / "environment"
    link.unlink(missing_ok=True)
    link.symlink_to(f"environments/{name}")
    return folder


def fake_trial(layout: Any, folder: Path) -> dict[str, Any]:
    """Pass, after looking at what a trial would open."""
    assert (folder / "manifest.json").is_file()
    for path in (folder / "files").rglob("*"):
        assert path.exists(), path
    return {"passed": True}
