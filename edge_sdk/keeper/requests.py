"""What the keeper does for each request: one function a request, named in one table.

A function takes the session's `Workshop` and the request, and returns what goes into {"ok": ...}.
`put` is not here: it reads from the stream, so the session does it itself.

What one request alone needs is imported by that request: a keeper that only says hello and receives blobs
starts in half the time, and every push waits for that start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import edge_sdk
from edge_sdk.errors import RemoteError
from edge_sdk.keeper.cleanup import Workshop
from edge_sdk.keeper.facts import board_facts
from edge_sdk.keeper.launch import environment_record
from edge_sdk.keeper.layout import RELEASE, check_digest
from edge_sdk.keeper.lock import Lock
from edge_sdk.keeper.protocol import PROTOCOL_VERSION
from edge_sdk.progress import Progress

_MAX_DIGESTS = 10_000
_MAX_SECONDS = 3600.0


def hello(shop: Workshop) -> dict[str, Any]:
    """Return what the board says first."""
    layout = shop.layout
    environment = layout.current_environment()
    return {
        "protocol": PROTOCOL_VERSION,
        "keeper": edge_sdk.__version__,
        "code": layout.current_code_identity(),
        "root": str(layout.root),
        "facts": board_facts(layout.root),
        "current": layout.current_release(),
        "good": layout.good_release(),
        "environment": environment,
        "environment_report": environment_record(layout.environments / environment) if environment else None,
        "releases": layout.release_names(),
    }


def status(shop: Workshop, lock: Lock, *, verify: bool = False) -> dict[str, Any]:
    """Return everything about a board.

    Args:
        shop: The root.
        lock: This session's, to name another holder.
        verify: Read every byte of the current and the good release again.
    """
    from edge_sdk.keeper.environment import describe_environment
    from edge_sdk.keeper.install import describe
    from edge_sdk.keeper.releases import replaced_release

    layout = shop.layout
    return {
        "keeper": edge_sdk.__version__,
        "code": layout.current_code_identity(),
        "root": str(layout.root),
        "facts": board_facts(layout.root),
        "current": layout.current_release(),
        "good": layout.good_release(),
        "previous": replaced_release(layout),
        "releases": describe(shop),
        "environment": describe_environment(shop),
        "report": shop.journal.report(),
        "history": shop.journal.events()[-20:],
        "problems": _problems(shop, verify=verify),
        "busy": None if lock.held else lock.holder(),
    }


def _problems(shop: Workshop, *, verify: bool) -> list[str]:
    from edge_sdk.keeper.releases import check_release

    layout = shop.layout
    found = []
    for name in sorted({layout.current_release(), layout.good_release()} - {None}, key=str):
        if verify and name is not None:
            try:
                check_release(layout, shop.store, name)
            except Exception as failure:  # status reports, whatever it is
                found.append(f"release {name} is damaged: {failure}")
    for link in (layout.current, layout.good):
        if link.is_symlink() and layout.linked(link, layout.releases, RELEASE) is None:
            found.append(f"{link.name} leads to no release")
    if layout.environment.is_symlink() and layout.current_environment() is None:
        found.append("environment leads to no packages")
    return found


def _have(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    digests = request.get("sha256")
    if not isinstance(digests, list) or len(digests) > _MAX_DIGESTS:
        raise RemoteError(f"have: a list of at most {_MAX_DIGESTS:,} digests is needed")
    return {"missing": [digest for digest in digests if not shop.store.is_intact(check_digest(digest))]}


def _code(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from edge_sdk.keeper.code import activate_code

    return activate_code(shop, check_digest(request.get("sha256")))


def _environment(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from edge_sdk.keeper.environment import activate_environment

    return activate_environment(
        shop,
        _text(request, "id"),
        check_digest(request.get("sha256")),
        system_packages=request.get("system_packages") is True,
        force=request.get("force") is True,
        progress=progress,
    )


def _install(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from edge_sdk.keeper.install import install
    from edge_sdk.keeper.trial import TRIAL_SECONDS, Limits

    memory = request.get("memory_bytes")
    return install(
        shop,
        check_digest(request.get("manifest")),
        target=_text(request, "target", needed=False) or None,
        variant=_text(request, "variant", needed=False) or None,
        limits=Limits(
            timeout_seconds=_seconds(request, TRIAL_SECONDS),
            memory_bytes=memory if isinstance(memory, int) and memory > 0 else None,
        ),
        progress=progress,
    )


def _rollback(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from edge_sdk.keeper.install import rollback

    return rollback(shop, _text(request, "to", needed=False) or None, progress=progress)


def _logs(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    lines = request.get("lines", 100)
    return {"text": shop.journal.tail(lines if isinstance(lines, int) else 100)}


def _predict(shop: Workshop, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    from edge_sdk.keeper.predict import predict
    from edge_sdk.keeper.trial import PREDICT_SECONDS

    return predict(
        shop,
        request.get("inputs"),
        variant=_text(request, "variant", needed=False) or None,
        timeout_seconds=_seconds(request, PREDICT_SECONDS),
    )


Handler = Callable[[Workshop, Mapping[str, Any], Progress], dict[str, Any]]

#: Requests that change nothing.
READING: Mapping[str, Handler] = {"have": _have, "logs": _logs, "predict": _predict}
#: Requests that need the lock.
CHANGING: Mapping[str, Handler] = {
    "code": _code,
    "environment": _environment,
    "install": _install,
    "rollback": _rollback,
}


def _text(request: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = request.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > 200:
        raise RemoteError(f"{request.get('do')}: {name} must be a short text")
    return value


def _seconds(request: Mapping[str, Any], default: float) -> float:
    value = request.get("timeout_seconds")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _MAX_SECONDS:
        return float(value)
    return default
