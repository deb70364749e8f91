"""The board-side code as one deterministic zip, and its activation on the board.

The zip holds the rooms `errors progress contract bundle runtime keeper`, sources only. On the board it is
unpacked to `code/<sha256>/` and byte-compiled: a start from a zip would compile every module each time.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import edge_sdk

#: What belongs to the board, relative to the package.
BOARD_SIDE = ("__init__.py", "errors.py", "progress.py", "contract", "bundle", "runtime", "keeper")


def board_code() -> bytes:
    """Return the board-side code as a zip; the same sources give the same bytes on every machine."""
    package = Path(edge_sdk.__file__).parent
    files: list[Path] = []
    for name in BOARD_SIDE:
        path = package / name
        files += path.rglob("*.py") if path.is_dir() else [path]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # stored: no zlib version in the bytes
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"edge_sdk/{path.relative_to(package).as_posix()}", (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def code_identity(code: bytes) -> str:
    """Return the name under which a board keeps this code: the zip's SHA-256, hexadecimal."""
    return hashlib.sha256(code).hexdigest()
