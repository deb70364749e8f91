"""The samples that variants are calibrated with and compared on, as one cached step.

What comes in is a `.npz`, a folder of pictures or `module:function` (`edge_sdk.quantize.calibration` has
the rule); what comes out is one `.npz` of checked tensors named after the inputs, so that every later step
sees the same bytes. Reading happens in a worker: a data function is the user's own code.

Without any data, `synthesize` makes random inputs from a fixed seed. They are called synthetic wherever
their numbers appear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.contract.spec import Contract, ImagePreprocess, TensorSpec
from edge_sdk.convert.child import report
from edge_sdk.errors import ConfigError, ModelError

INPUTS_FILE = "inputs.npz"
LABELS_FILE = "labels.npy"
SYNTHETIC = "synthetic"
SYNTHETIC_SAMPLES = 16
_SEED = 20_240_229
#: A free size besides the batch; large enough for the usual strides and windows.
_FREE_SIZE = 32


def data_digest(spec: str) -> str | None:
    """Return a digest of the data as it lies on disk, or None where only running it tells.

    Raises:
        ConfigError: The path does not exist or cannot be read.
    """
    from edge_sdk.quantize.functions import is_function

    path = Path(spec)
    if not path.exists() and is_function(spec):
        return None
    try:
        if path.is_file():
            return sha256_of(path)
        digest = hashlib.sha256()
        for item in sorted(path.rglob("*")):
            if item.is_file():
                digest.update(f"{item.relative_to(path).as_posix()}\0{sha256_of(item)}\n".encode())
        if not path.is_dir():
            raise ConfigError(
                f"{spec} does not exist",
                hint="samples are a .npz file, a folder of pictures, or module:function",
            )
        return digest.hexdigest()
    except OSError as failure:
        raise ConfigError(f"{spec} cannot be read", why=failure.strerror or str(failure)) from failure


def collect(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Read samples and store them as checked tensors. Runs in a worker.

    Args:
        arguments: spec, contract (`Contract.to_dict()`), limit (int or None), labels (whether they are
            kept where there are any), folder (to write `INPUTS_FILE` and, with labels, `LABELS_FILE` into).

    Returns:
        {"count", "has_labels", "label_names", "sha256"}; the digest is of the stored content.

    Raises:
        ConfigError: The data cannot be read.
        SignatureMismatchError: It does not fit the signature.
    """
    import numpy as np

    from edge_sdk.quantize.calibration import load_samples

    contract = Contract.from_dict(arguments["contract"])
    found = load_samples(arguments["spec"], contract, limit=arguments["limit"], progress=report)
    folder = Path(arguments["folder"])
    _store(folder / INPUTS_FILE, found.inputs)
    digest = sha256_of(folder / INPUTS_FILE)
    labels = found.labels if arguments["labels"] else None
    if labels is not None:
        np.save(folder / LABELS_FILE, labels, allow_pickle=False)
        digest = hashlib.sha256(f"{digest} {sha256_of(folder / LABELS_FILE)}".encode()).hexdigest()
    return {
        "count": len(next(iter(found.inputs.values()))),
        "has_labels": labels is not None,
        "label_names": list(found.label_names),
        "sha256": digest,
    }


def synthesize(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write random inputs from a fixed seed; the same arguments and answer as `collect`. Runs in a worker.

    Pictures have uniform pixels that go through the contract's scaling; other real inputs are uniform in
    -1..1; integers are 0 or 1, which is valid for most tables and masks.
    """
    import numpy as np

    contract = Contract.from_dict(arguments["contract"])
    random = np.random.default_rng(_SEED)
    inputs = {}
    for spec in contract.signature.inputs:
        entry = contract.preprocess.get(spec.name)
        inputs[spec.name] = _made_up(random, spec, entry.image if entry else None)
    folder = Path(arguments["folder"])
    _store(folder / INPUTS_FILE, inputs)
    return {
        "count": SYNTHETIC_SAMPLES,
        "has_labels": False,
        "label_names": [],
        "sha256": sha256_of(folder / INPUTS_FILE),
    }


def _made_up(random: Any, spec: TensorSpec, image: ImagePreprocess | None) -> Any:
    import numpy as np

    if spec.shape is None:
        raise ModelError(
            f"input {spec.name!r} has no fixed rank, so no input can be made up",
            hint="give real samples: --evaluation DATA or --calibration DATA",
        )
    if image is not None:
        channels = 1 if image.color == "gray" else 3
        pixels = random.integers(0, 256, (SYNTHETIC_SAMPLES, 1, image.height, image.width, channels))
        mean, std = np.asarray(image.mean, np.float32), np.asarray(image.std, np.float32)
        values = (pixels * np.float32(image.scale) - mean) / std
        return (values if image.layout == "nhwc" else values.transpose(0, 1, 4, 2, 3)).astype(np.float32)
    sizes = [
        size if size is not None else (1 if axis == 0 else _FREE_SIZE) for axis, size in enumerate(spec.shape)
    ]
    shape = (SYNTHETIC_SAMPLES, *sizes)
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return random.uniform(-1.0, 1.0, shape).astype(dtype)
    if dtype.kind in "iub":
        return random.integers(0, 2, shape).astype(dtype)
    raise ModelError(
        f"input {spec.name!r} is {spec.dtype}; no such input can be made up",
        hint="give real samples: --evaluation DATA or --calibration DATA",
    )


def _store(path: Path, inputs: Mapping[str, Any]) -> None:
    """Write an .npz with the same bytes for the same arrays (np.savez stores no times)."""
    import numpy as np

    np.savez(path, **{name: inputs[name] for name in sorted(inputs)})
