"""One session of the keeper: frames in, frames out, until the stream ends.

- What is under way is finished even when the link drops: answers that cannot be written are dropped, and the
  end is noticed at the next read. A hang-up signal is ignored.
- The lock is taken with the first request that changes something and given back at the end, or when the peer
  has been silent for a minute: a host that sleeps must not keep others out.
- A blob is made durable in a second thread while the next one arrives (edge_sdk.keeper.settle); answers keep
  the order of the requests.
- A request that takes long sends a sign of life every few seconds, so the host can tell slow from dead.
- Nothing but frames may reach stdout: the descriptor is kept for frames and 1 is turned to stderr.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_sdk.errors import EdgeError, RemoteError
from edge_sdk.keeper.cleanup import Workshop, make_room, sweep
from edge_sdk.keeper.disk import Disk, disk_failure
from edge_sdk.keeper.layout import check_digest
from edge_sdk.keeper.lock import Lock
from edge_sdk.keeper.protocol import (
    DATA_FRAME,
    REQUESTS,
    Frame,
    FrameReader,
    FrameWriter,
    protocol_error,
)
from edge_sdk.keeper.requests import CHANGING, READING, hello, status
from edge_sdk.keeper.settle import Settler
from edge_sdk.progress import Step

#: A silent peer gives the lock back after this.
LOCK_IDLE_SECONDS = 60.0
#: A silent session ends after this; a blob that stops arriving ends it too.
SESSION_IDLE_SECONDS = 900.0
DATA_IDLE_SECONDS = 120.0
#: A sign of life during a long request.
HEARTBEAT_SECONDS = 4.0
#: Largest blob: the end of a TFLite file is 2 GiB, of a bundle 4 GiB.
MAX_BLOB_BYTES = 4 * 2**30


class _SilentPeerError(Exception):
    """Nothing came for too long."""


class Session:
    """Serves one peer.

    Args:
        root: The keeper's folder; made where it is missing.
        source: Descriptor to read frames from.
        sink: Descriptor to write frames to.
        disk: Where changes go.
    """

    def __init__(self, root: Path, *, source: int, sink: int, disk: Disk | None = None) -> None:
        self._source = source
        self._sink = sink
        self._link_lost = False
        self._write_lock = threading.Lock()
        self._reader = FrameReader(self._read)
        self._writer = FrameWriter(self._write)
        self._idle_limit = SESSION_IDLE_SECONDS
        self._root = root
        self._disk = disk
        self._step = Step("wait", "working")
        self._left = 0
        self._settler = Settler(self._settle)
        self._settling: set[str] = set()

    def serve(self) -> int:
        """Serve until the peer ends or breaks the rules; return the exit code."""
        try:
            self._shop = Workshop.open(self._root, self._disk)
            self._lock = Lock(self._shop.layout)
            self._send({"hello": hello(self._shop)})
        except EdgeError as error:
            self._send({"error": error.to_dict()})
            return error.exit_code
        except OSError as failure:
            self._send({"error": disk_failure(failure, self._root).to_dict()})
            return 6
        try:
            while self._serve_one():
                pass
        except _SilentPeerError:
            self._shop.journal.note("the peer was silent for too long: session ended")
        except EdgeError as error:
            self._shop.journal.note(f"session ended: {error}")
            self._send({"error": error.to_dict()})
            return error.exit_code
        finally:
            self._settler.wait()
            self._lock.release()
        return 0

    def _serve_one(self) -> bool:
        frame = self._next_request()
        if frame is None:
            return False
        request = frame.message()
        name = str(request.get("do"))
        if name != "put":
            self._settler.wait()
        if name == "bye":
            self._send({"ok": {}})
            return False
        self._step = Step(name[:40], "working")
        try:
            with _Pulse(self):
                answer = self._answer(name, request)
            if answer is not None:
                self._settler.wait()
                self._send({"ok": answer})
        except Exception as failure:
            self._settler.wait()
            error = self._explain(failure)
            if isinstance(failure, _SilentPeerError) or error.details.pop("ends_session", False):
                raise
            self._shop.journal.note(f"{name[:40]}: {error}")
            self._send({"error": error.to_dict()})
        return True

    def _next_request(self) -> Frame | None:
        """Return the next frame that is not the rest of a refused blob."""
        while True:
            frame = self._reader.receive()
            if frame is None or frame.kind != DATA_FRAME or not 0 < len(frame.payload) <= self._left:
                self._left = 0
                return frame
            self._left -= len(frame.payload)

    def _explain(self, failure: Exception) -> EdgeError:
        if isinstance(failure, EdgeError):
            return failure
        if isinstance(failure, OSError):
            return disk_failure(failure, self._shop.layout.root)
        if isinstance(failure, MemoryError):
            return RemoteError("the keeper ran out of memory", hint="stop something on the board")
        import traceback  # rarely needed, and slow to import

        self._shop.journal.note("".join(traceback.format_exception(failure)))
        return RemoteError(
            f"the keeper failed unexpectedly: {type(failure).__name__}: {failure}"[:500],
            hint="edge logs BOARD has the details; please report them",
        )

    def _answer(self, name: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        if name == "put":
            return self._put(request)
        if name == "status":
            return status(self._shop, self._lock, verify=request.get("verify") is True)
        if name in READING:
            return READING[name](self._shop, request, self.report)
        if name in CHANGING:
            self._take_lock()
            return CHANGING[name](self._shop, request, self.report)
        raise RemoteError(
            f"the keeper does not know the request {name!r:.60}",
            why="it knows: " + ", ".join(REQUESTS),
            hint="edge board setup BOARD brings the keeper of this edge_sdk",
        )

    def _take_lock(self) -> None:
        if self._lock.acquire():
            sweep(self._shop)
            layout = self._shop.layout
            if layout.current_release() != layout.good_release():
                from edge_sdk.keeper.install import finish_switch

                finish_switch(self._shop)

    def _put(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        sha256, size = check_digest(request.get("sha256")), request.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_BLOB_BYTES:
            error = protocol_error(f"put: {size!r:.40} is no size")
            error.details["ends_session"] = True  # nobody knows how much data follows
            raise error
        # Where the blob is refused, the answer goes out at once; `_next_request` reads past what still comes.
        self._left = size
        self._take_lock()
        needs = request.get("needs")
        if sha256 in self._settling:
            self._settler.wait()  # the same blob twice: the first one first
        if not self._shop.store.is_intact(sha256):
            make_room(self._shop, max(size, needs if isinstance(needs, int) else 0))
        self._step = Step("receive", f"blob {sha256[:12]}")
        if not self._shop.store.take_in(sha256, size, self._pieces()):
            return {"stored": False, "sha256": sha256}
        self._settling.add(sha256)
        self._settler.add(sha256)
        return None

    def _settle(self, sha256: str) -> None:
        """Finish a blob and answer its `put`; runs in the second thread."""
        try:
            with _Pulse(self):
                self._shop.store.settle(sha256)
            self._send({"ok": {"stored": True, "sha256": sha256}})
        except Exception as failure:
            error = self._explain(failure)
            self._shop.journal.note(f"put: {error}")
            self._send({"error": error.to_dict()})
        finally:
            self._settling.discard(sha256)

    def _pieces(self) -> Iterator[bytes]:
        self._idle_limit = DATA_IDLE_SECONDS
        try:
            while self._left:
                frame = self._reader.receive()
                if frame is None:
                    raise _ending(protocol_error("the stream ended in the middle of a blob"))
                if frame.kind != DATA_FRAME or not 0 < len(frame.payload) <= self._left:
                    raise _ending(protocol_error("not the data that put announced"))
                self._left -= len(frame.payload)
                yield frame.payload
        finally:
            self._idle_limit = SESSION_IDLE_SECONDS

    def report(self, step: Step) -> None:
        """Send a step of progress."""
        self._step = step
        self._send({"progress": {"stage": step.stage, "message": step.message, "fraction": step.fraction}})

    def beat(self) -> None:
        """Send the last step again: a sign of life."""
        self.report(self._step)

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._write_lock:
            if not self._link_lost:
                self._writer.send(message)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._sink, view) :]
        except OSError:
            self._link_lost = True  # finish what is under way; the next read ends the session

    def _read(self, size: int) -> bytes:
        started = time.monotonic()
        while True:
            limit = self._idle_limit
            if self._lock.held and limit > LOCK_IDLE_SECONDS:
                limit = LOCK_IDLE_SECONDS
            ready, _, _ = select.select([self._source], [], [], limit)
            if ready:
                return os.read(self._source, size)
            if self._settler.busy:
                continue
            if self._lock.held and self._idle_limit == SESSION_IDLE_SECONDS:
                self._shop.journal.note("the peer is silent: the lock is given back")
                self._lock.release()
            elif time.monotonic() - started >= self._idle_limit:
                raise _SilentPeerError


class _Pulse:
    """Sends a sign of life while a request runs."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(HEARTBEAT_SECONDS):
            self._session.beat()


def _ending(error: RemoteError) -> RemoteError:
    error.details["ends_session"] = True
    return error


def serve(root: Path, *, disk: Disk | None = None) -> int:
    """Serve the peer on stdin and stdout; return the exit code."""
    for name in ("SIGHUP", "SIGPIPE"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    sink = os.dup(1)
    os.dup2(2, 1)  # whatever prints by mistake must not break the frames
    os.umask(0o022)
    return Session(root, source=0, sink=sink, disk=disk).serve()
