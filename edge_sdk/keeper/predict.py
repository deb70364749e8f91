"""Runs the current release once, for `edge run`: inputs as files in a folder that goes away."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.errors import ConfigError, RemoteError
from edge_sdk.keeper.cleanup import Workshop, scratch_folder
from edge_sdk.keeper.disk import remove_tree, write_file
from edge_sdk.keeper.launch import environment_folder
from edge_sdk.keeper.layout import check_digest
from edge_sdk.keeper.trial import PREDICT_SECONDS, Limits, run_runner

#: Name of the only input, where the caller does not know what the model calls it.
ANY_INPUT = ""
_MAX_INPUTS = 64
_NAME = re.compile(r"[^=\0/]{0,200}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_MAGIC = ((b"\x93NUMPY", ".npy"), (b"PK\x03\x04", ".npz"), (b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"))


def predict(
    shop: Workshop, inputs: Any, *, variant: str | None = None, timeout_seconds: float = PREDICT_SECONDS
) -> dict[str, Any]:
    """Run the current release.

    Args:
        shop: The root.
        inputs: By name of the input ("" where there is one only): `{"blob": sha256, "suffix": ".png"}` for a
            file that was put before, or `{"value": nested lists}`.
        variant: Another variant of the same release.
        timeout_seconds: Limit for the runner.

    Returns:
        The runner's own document: outputs, latency_ms, runtime, delegate...

    Raises:
        ConfigError: The inputs have another form.
        RemoteError: Nothing is installed, a blob is missing, or the runner failed.
        EdgeError: The runner refused the inputs with this error.
        OSError: The disk failed.
    """
    layout = shop.layout
    current = layout.current_release()
    if current is None:
        raise RemoteError("no release is installed on this board", hint="edge push BUNDLE BOARD")
    environment = environment_folder(layout)
    if not isinstance(inputs, Mapping) or not 0 < len(inputs) <= _MAX_INPUTS:
        raise ConfigError("predict needs an object of inputs by name")
    scratch = scratch_folder(layout)
    shop.disk.make_folder(scratch, 0o700)
    used: list[str] = []
    try:
        arguments = ["predict", str(layout.releases / current)]
        for index, (name, value) in enumerate(inputs.items()):
            path = _lay_out(shop, scratch / f"input{index}", name, value, used)
            # The = keeps a name that starts with a dash from being read as an option.
            arguments.append(f"--input={name}={path}" if name != ANY_INPUT else f"--input={path}")
        if variant is not None:
            arguments.append(f"--variant={variant}")
        return run_runner(
            layout,
            [*arguments, "--json"],
            environment=environment,
            limits=Limits(timeout_seconds=timeout_seconds),
            act="prediction",
        )
    finally:
        remove_tree(shop.disk, scratch)
        for sha256 in used:
            if sha256 in shop.store.received:  # it came for this prediction only
                shop.store.remove(sha256)


def _lay_out(shop: Workshop, path: Path, name: str, value: Any, used: list[str]) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r:.80} cannot name an input")
    if isinstance(value, Mapping) and "blob" in value:
        sha256 = check_digest(value["blob"])
        shop.store.check(sha256, name=f"input {name!r}")
        suffix = value.get("suffix") or _suffix(shop.store.path(sha256))
        if not isinstance(suffix, str) or (suffix and not _SUFFIX.fullmatch(suffix)):
            raise ConfigError(f"input {name!r}: suffix {suffix!r:.40}")
        target = path.with_name(path.name + suffix)
        shop.disk.link(str(shop.store.path(sha256)), target)
        used.append(sha256)
        return target
    if isinstance(value, Mapping) and "value" in value:
        target = path.with_name(path.name + ".json")
        write_file(shop.disk, target, json.dumps(value["value"]).encode())
        return target
    raise ConfigError(f"input {name!r} has neither a blob nor a value")


def _suffix(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(8)
    return next((suffix for magic, suffix in _MAGIC if start.startswith(magic)), "")
