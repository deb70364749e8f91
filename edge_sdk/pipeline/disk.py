"""A full disk of this machine: one story, wherever it shows."""

from __future__ import annotations

from edge_sdk.errors import ConfigError, EdgeError

_NO_SPACE = "No space left on device"


def refuse_full_disk(cause: str) -> None:
    """Raise where a worker failed because a disk is full: no later step would do better.

    Raises:
        ConfigError: It was so.
    """
    if _NO_SPACE in cause:
        raise full_disk(EdgeError(cause))


def full_disk(error: EdgeError) -> ConfigError:
    """Return the error of a full disk on this machine: where to write is a setting."""
    return ConfigError(
        error.what if error.why else "the disk is full",
        why=error.why or error.what,
        hint="free some space, or write elsewhere (--out DIR; .edge/cache may be deleted at any time); "
        "nothing half-written was kept",
    )
