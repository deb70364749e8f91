"""What verification compiles of its own (stubs, the parser of scripts) is compiled once a machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from edge_sdk.errors import EdgeError
from edge_sdk.scaffold.toolchain.places import Completed, cache, make


def kept(
    name: str, sources: Iterable[Path], pinned: Mapping[str, Any], work: Callable[[Path], Completed]
) -> Path:
    """Return a folder beside the tools that `work` filled, now or at another time.

    Args:
        name: Of what is compiled.
        sources: What it is compiled from: other text is another folder.
        pinned: What compiles it: another compiler is another folder.
        work: Fills a folder.

    Raises:
        EdgeError: It does not compile, which is a fault of edge_sdk or of the tools.
    """
    digest = hashlib.sha256(json.dumps(pinned, sort_keys=True).encode())
    for path in sorted(sources):
        content = path.read_bytes()
        digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode() + content)
    folder = cache() / f"{name}-{digest.hexdigest()[:12]}"

    def fill(part: Path) -> None:
        done = work(part)
        if done.code:
            last = [line for line in done.output.splitlines() if "error: " in line] or [done.output[-500:]]
            raise EdgeError(f"{name} cannot be compiled", why=last[0])

    make(folder, fill)
    return folder
