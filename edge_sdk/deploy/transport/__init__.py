"""Ways to a board: one file each, one row each in `TRANSPORTS`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_sdk.deploy.inventory import Board
    from edge_sdk.deploy.transport.base import Transport

#: Transport by the name used in boards.toml; imported when it is used.
TRANSPORTS = {
    "ssh": "edge_sdk.deploy.transport.ssh:SecureShell",
    "local": "edge_sdk.deploy.transport.local:LocalFolder",
}


def open_transport(board: Board, *, folder: Path | None = None) -> Transport:
    """Return the transport of a board, not yet connected.

    Args:
        board: The board.
        folder: What a relative `key_file` is relative to: the inventory's folder; the current one
            where it is None.
    """
    module, _, name = TRANSPORTS[board.transport].partition(":")
    transport: Transport = getattr(importlib.import_module(module), name)(board, folder=folder or Path())
    return transport
