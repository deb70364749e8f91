"""Starts a keeper on a board: from nothing (`bootstrap_command`) or what is installed (`serve_command`).

The text of the bootstrap runs on whatever `python3` the board has, so it must be *parsed* by any Python
from 2.7 on, to be able to say that the Python is too old. It answers in frames, like the keeper itself.
"""

from __future__ import annotations

import shlex
import struct

#: Oldest Python that the board side supports.
MINIMUM_PYTHON = (3, 10)
#: No honest code zip comes near this.
MAX_CODE_BYTES = 16 * 2**20

BOOTSTRAP = """\
import sys
sys.path[:] = [p for p in sys.path if p]
import hashlib, json, os, struct
def fail(what, why, hint):
    error = {"error": "RemoteError", "exit_code": 6, "what": what, "why": why, "hint": hint}
    payload = json.dumps({"error": error}).encode("utf-8")
    os.write(1, struct.pack(">cI", b"J", len(payload)) + payload)
    os._exit(6)
def take(size):
    parts = []
    while size:
        part = os.read(0, min(size, 262144))
        if not part:
            os._exit(6)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
if sys.version_info < MINIMUM:
    fail("the board's Python is too old: %d.%d.%d (%s)" % (tuple(sys.version_info[:3]) + (sys.executable,)),
         "edge_sdk needs Python %d.%d or newer on the board" % MINIMUM,
         "install a newer one there (Debian 12 has 3.11), then name it: edge board add ... --python PATH")
root = os.path.abspath(os.path.expanduser(sys.argv[1]))
size = struct.unpack(">Q", take(8))[0]
if size > LIMIT:
    fail("the keeper's code is too large", "%d bytes were announced, the limit is %d" % (size, LIMIT), None)
data = take(size)
digest = hashlib.sha256(data).hexdigest()
folder = os.path.join(root, "code")
path = os.path.join(folder, digest + ".zip")
try:
    os.makedirs(root, 0o700, exist_ok=True)
    os.makedirs(folder, 0o755, exist_ok=True)
    part = "%s.%d.tmp" % (path, os.getpid())
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view):]
        os.fsync(descriptor)
    except OSError:
        os.unlink(part)
        raise
    finally:
        os.close(descriptor)
    os.rename(part, path)
    for name in (folder, root):
        descriptor = os.open(name, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
except OSError as failure:
    fail("the keeper cannot be written to %s" % root, failure.strerror or str(failure),
         "make room there, or give the login a folder that it may write: edge board add ... --root FOLDER")
sys.path.insert(0, path)
sys.argv = ["edge-keeper", "serve", "--root", root]
from edge_sdk.keeper.__main__ import main
sys.exit(main())
"""


def bootstrap_text() -> str:
    """Return the program that `python3 -c` runs on a bare board; its one argument is the root folder."""
    return BOOTSTRAP.replace("MINIMUM", repr(MINIMUM_PYTHON)).replace("LIMIT", str(MAX_CODE_BYTES))


def bootstrap_command(*, python: str = "python3", root: str = "edge") -> str:
    """Return the shell command that starts a keeper on a bare board.

    Send `bootstrap_input(board_code())` to it first; then it speaks the keeper's protocol. It makes nothing
    permanent except `code/<sha256>.zip`: follow with the request `code` to install that code.

    Args:
        python: The board's Python, a name or a path.
        root: The keeper's folder on the board; relative to the login's home.
    """
    # -E -s and not -I, which Python 2.7 does not know; the text drops the current folder from sys.path.
    return f"exec {_word(python)} -E -s -c {shlex.quote(bootstrap_text())} {shlex.quote(root)}"


def bootstrap_input(code: bytes) -> bytes:
    """Return what the bootstrap reads before the first frame: eight bytes of length, then the code zip."""
    return struct.pack(">Q", len(code)) + code


def serve_command(*, root: str = "edge") -> str:
    """Return the shell command that starts the installed keeper; a shell answers 127 where there is none."""
    return f"exec {_word(root.rstrip('/') + '/bin/edge-keeper')} serve"


def _word(path: str) -> str:
    # "~/..." must reach the shell unquoted to mean the home folder.
    if path.startswith("~/"):
        return "~/" + shlex.quote(path[2:])
    return shlex.quote(path)
