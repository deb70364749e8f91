"""The board-side code as one deterministic zip, and its activation on the board.

The zip holds the rooms `errors progress contract bundle runtime keeper`, sources only. On the board it is
unpacked to `code/<sha256>/` and byte-compiled: a start from a zip would compile every module each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from pathlib import Path
from typing import Any

import edge_sdk
from edge_sdk.errors import DigestMismatchError, RemoteError
from edge_sdk.keeper.bootstrap import MAX_CODE_BYTES
from edge_sdk.keeper.child import python_command, python_program, run_child
from edge_sdk.keeper.cleanup import Workshop, make_room
from edge_sdk.keeper.disk import TEMPORARY, read_file, remove_tree, switch_links
from edge_sdk.keeper.launch import write_launchers
from edge_sdk.keeper.layout import check_digest
from edge_sdk.keeper.unpack import check_unpacked, unpack, unpacked_bytes

#: What belongs to the board, relative to the package.
BOARD_SIDE = ("__init__.py", "errors.py", "progress.py", "contract", "bundle", "runtime", "keeper")
_COMPILE_VARIABLE = "EDGE_COMPILE"
_COMPILE_SECONDS = 120.0


def board_code() -> bytes:
    """Return the board-side code as a zip; the same sources give the same bytes on every machine."""
    import zipfile

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


def activate_code(shop: Workshop, sha256: str) -> dict[str, Any]:
    """Unpack a code zip that is here and switch to it. The lock is held.

    The zip is a blob, or what the bootstrap stored as code/<sha256>.zip. The running keeper goes on with the
    code it started from; the next session starts from the new one.

    Returns:
        {"code", "changed", "previous"}.

    Raises:
        RemoteError: There is no such zip, or it does not run on this board's Python.
        BundleError: The zip breaks a rule, or is damaged.
        NoSpaceError: There is not enough room.
        OSError: The disk failed.
    """
    layout = shop.layout
    folder = layout.code / check_digest(sha256)
    previous = layout.current_code_identity()
    changed = previous != sha256
    if sha256 not in layout.code_names():
        remove_tree(shop.disk, folder)
        part = folder.with_name(folder.name + TEMPORARY)
        try:
            _unpack_code(shop, sha256, part)
            shop.disk.rename(part, folder)
            shop.disk.sync_folder(folder.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                remove_tree(shop.disk, part)
            raise
    if changed:
        switch_links(shop.disk, [layout.current_code], sha256)
        shop.journal.note(f"code {sha256[:12]}; before: {previous}")
    write_launchers(layout, shop.disk)
    if shop.store.path(sha256).exists():
        shop.store.remove(sha256)
    return {"code": sha256, "changed": changed, "previous": previous}


def _unpack_code(shop: Workshop, sha256: str, part: Path) -> None:
    stored = shop.layout.code / f"{sha256}.zip"
    if shop.store.path(sha256).exists():
        shop.store.check(sha256, name="the code")
        archive = shop.store.path(sha256)
    elif stored.exists():
        actual = hashlib.sha256(read_file(stored, limit=MAX_CODE_BYTES)).hexdigest()
        if actual != sha256:
            raise DigestMismatchError("the code", expected=sha256, actual=actual)
        archive = stored
    else:
        raise RemoteError(f"code {sha256[:12]} is not on the board", hint="send it as a blob first")
    remove_tree(shop.disk, part)
    make_room(shop, 2 * unpacked_bytes(archive, limit=MAX_CODE_BYTES))
    unpack(archive, part, shop.disk, limit=MAX_CODE_BYTES)
    # Compiled by this Python, and checked: the new keeper must be importable before anything uses it.
    program = python_program(
        [part], module="edge_sdk.keeper.code", name="compile", settings={_COMPILE_VARIABLE: str(part)},
        deadline_seconds=_COMPILE_SECONDS,
    )  # fmt: skip
    outcome = run_child(
        python_command(program, []), folder=shop.layout.root, timeout_seconds=_COMPILE_SECONDS
    )
    if outcome.ended != "exit" or outcome.code != 0:
        raise RemoteError(
            "the new code does not run on this board; the old code stays",
            why=outcome.talk.strip()[-500:] or outcome.ended,
            hint="pip install -U edge-sdk on the host, then edge board setup BOARD",
        )
    shop.disk.sync_tree(part)
    check_unpacked(archive, part)


def main() -> int:
    """Compile the code below the folder that `EDGE_COMPILE` names; run by the new code itself."""
    import compileall
    import py_compile

    import edge_sdk.keeper.session  # noqa: F401 - what the next keeper starts with must import

    # Unchecked: the folder never changes, so a start need not look at the sources at all.
    done = compileall.compile_dir(
        os.environ[_COMPILE_VARIABLE],
        quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    return 0 if done else 1
