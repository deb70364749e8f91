"""Reads the inputs of `edge-runner` from files and from text.

What a file is shows in its first bytes, not in its name: the keeper hands over blobs that are called
after their digest.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.errors import ConfigError


def read_inputs(
    files: Sequence[str], values: Sequence[str], signature: Signature, contract: Contract
) -> dict[str, Any]:
    """Read what the command line names.

    Args:
        files: "NAME=FILE", or "FILE" for a model with one input. A file is a picture where the contract
            calls the input one, a .npy, a .npz with one array per input, JSON, or raw bytes of the right
            size.
        values: "NAME=JSON".
        signature: The signature that is called.
        contract: Tells which inputs are pictures.

    Returns:
        By input name, ready for `Runner.run`.

    Raises:
        ConfigError: A file that cannot be read, an input that is named twice or left open.
    """
    names = [spec.name for spec in signature.inputs]
    out: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        if name in out:
            raise ConfigError(f"input {name!r} is given twice")
        out[name] = value

    for text in files:
        name, path = _split(text, names)
        found = _read(path, name, signature, contract)
        for key, value in found.items():
            put(key, value)
    for text in values:
        name, separator, content = text.partition("=")
        if not separator:
            raise ConfigError(f"--value {text!r:.80}", why="NAME=JSON is expected")
        try:
            put(name, json.loads(content))
        except ValueError as failure:
            raise ConfigError(f"--value {name}: this is not JSON", why=str(failure)) from failure
    return out


def _split(text: str, names: list[str]) -> tuple[str | None, Path]:
    name, separator, rest = text.partition("=")
    # A name that the model has wins; then a file whose name holds "=" can still be given.
    if separator and (name in names or not Path(text).exists()):
        return name, Path(rest)
    return None, Path(text)


def _read(path: Path, name: str | None, signature: Signature, contract: Contract) -> dict[str, Any]:
    names = [spec.name for spec in signature.inputs]
    try:
        raw = path.read_bytes()
    except OSError as failure:
        raise ConfigError(f"{path} cannot be read", why=failure.strerror or str(failure)) from failure
    if raw[:4] == b"PK\x03\x04" and name is None:
        arrays = _npz(raw, path)
        if len(arrays) == 1 and len(names) == 1 and set(arrays) <= {"x", *names}:
            return {names[0]: next(iter(arrays.values()))}
        return dict(arrays)
    if name is None:
        if len(names) != 1:
            raise ConfigError(
                f"which input is {path}?",
                why="the model has " + ", ".join(names),
                hint=f"--input {names[0]}={path}" if names else None,
            )
        name = names[0]
    return {name: _tensor(raw, path, name, signature, contract)}


def _tensor(raw: bytes, path: Path, name: str, signature: Signature, contract: Contract) -> Any:
    if raw[:6] == b"\x93NUMPY":
        try:
            return np.load(io.BytesIO(raw), allow_pickle=False)
        except (ValueError, EOFError, OSError) as failure:
            raise ConfigError(f"{path} is a damaged .npy file", why=str(failure)) from failure
    rule = contract.preprocess.get(name)
    is_picture = rule is not None and rule.image is not None and signature.name == contract.default_signature
    if is_picture and path.suffix != ".json":
        return raw
    if is_picture:
        # Numbers are the ready tensor; as a list they would be taken for a list of pictures.
        try:
            return np.asarray(json.loads(raw), np.float32)
        except (ValueError, TypeError, RecursionError) as failure:
            raise ConfigError(f"{path} is not a JSON array of numbers", why=str(failure)) from failure
    spec = next((spec for spec in signature.inputs if spec.name == name), None)
    if raw.lstrip()[:1] in (b"[", b"{") or path.suffix == ".json":
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as failure:
            if path.suffix == ".json":
                raise ConfigError(f"{path} is not JSON", why=str(failure)) from failure
    if spec is not None and spec.shape is not None:
        dtype = np.dtype(spec.dtype)
        fixed = [size for size in spec.shape if size is not None]
        step = dtype.itemsize * int(np.prod(fixed, dtype=np.int64))
        free = len(spec.shape) - len(fixed)
        if (free == 0 and len(raw) == step) or (free == 1 and raw and step and len(raw) % step == 0):
            return np.frombuffer(raw, dtype).reshape([-1 if size is None else size for size in spec.shape])
    raise ConfigError(
        f"{path} cannot be read as input {name!r}",
        why=f"it is no .npy and no JSON, and its {len(raw):,} bytes are not a raw {spec or 'tensor'}",
        hint="if it is a picture, describe the picture in edge.toml under [input.NAME] and build again",
    )


def _npz(raw: bytes, path: Path) -> dict[str, np.ndarray]:
    import zipfile

    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as failure:
        raise ConfigError(f"{path} is a damaged .npz file", why=str(failure)) from failure
