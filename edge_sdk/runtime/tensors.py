"""Between a contract's tensors and a file's: names, checks, quantization.

Quantization follows the definition of TensorFlow Lite's reference kernels, in float32:

    stored = clamp(round(real / scale) + zero_point), round to nearest, ties away from zero
    real = scale * (stored - zero_point)

so that a caller's float and the file's own QUANTIZE operator give the same integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge_sdk.contract.spec import TensorSpec
from edge_sdk.errors import BundleError, ModelError, SignatureMismatchError


@dataclass(frozen=True)
class Affine:
    """Quantization parameters as arrays that broadcast against a tensor.

    Attributes:
        scales: float32.
        zero_points: int32.
    """

    scales: np.ndarray
    zero_points: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output of the called signature, tied to a tensor of the file.

    Attributes:
        name: Name in the contract.
        index: Tensor index in the file's subgraph.
        dtype: What callers give and get.
        stored: What the file holds.
        shape: Sizes; None where a caller may choose.
        affine: What the stored integers stand for; None where nothing is quantized.
    """

    name: str
    index: int
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    shape: tuple[int | None, ...]
    affine: Affine | None = None
    fixed: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fixed", None not in self.shape)

    @property
    def converts(self) -> bool:
        """Whether callers see real numbers and the file holds integers."""
        return self.dtype != self.stored

    def spec(self) -> TensorSpec:
        """Return the port as callers see it."""
        return TensorSpec(name=self.name, dtype=self.dtype.name, shape=self.shape)

    def expects(self) -> str:
        """Describe what is accepted, for messages."""
        also = f" or {self.stored}" if self.affine is not None and self.converts else ""
        return f"{self.spec()}{also}"

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether a tensor of this shape may be given."""
        if self.fixed:
            return shape == self.shape
        return len(shape) == len(self.shape) and all(
            given >= 1 if wanted is None else given == wanted
            for given, wanted in zip(shape, self.shape, strict=True)
        )


def tie(spec: TensorSpec, detail: Mapping[str, Any]) -> Port:
    """Tie a tensor of a contract to one of the file.

    Args:
        spec: What callers rely on.
        detail: The runtime's description of the file's tensor.

    Raises:
        ModelError: A dtype that NumPy cannot hold (strings, 4-bit integers, bfloat16).
        BundleError: The two do not fit: another rank, size or dtype, and no quantization to bridge it.
    """
    stored = _dtype(spec.name, detail["dtype"])
    dtype = _dtype(spec.name, spec.dtype)
    shape = file_shape(detail)
    if spec.shape is not None and shape and not _compatible(spec.shape, shape):
        raise BundleError(
            f"tensor {spec.name!r}: the contract says {spec}, the file has {list(shape)}",
            hint="build the bundle again",
        )
    if spec.shape is not None and len(spec.shape) == len(shape):
        # Free only where both leave it free: some converters fix the batch to 1.
        shape = tuple(
            mine if theirs is None else theirs for mine, theirs in zip(spec.shape, shape, strict=True)
        )
    parameters = detail["quantization_parameters"]
    quantized = len(parameters["scales"]) > 0 and stored.kind in "iu"
    if dtype != stored and not (quantized and dtype.kind == "f"):
        raise BundleError(
            f"tensor {spec.name!r}: the contract says {dtype}, the file holds {stored} without quantization",
            hint="build the bundle again",
        )
    return Port(
        name=spec.name,
        index=int(detail["index"]),
        dtype=dtype,
        stored=stored,
        shape=shape,
        affine=affine_of(parameters, len(shape)) if quantized else None,
    )


def file_spec(name: str, detail: Mapping[str, Any]) -> TensorSpec:
    """Describe a tensor of a file as a contract would: quantized integers are float32 to callers."""
    stored = np.dtype(detail["dtype"])
    if stored.kind not in "biufc":
        dtype = "string"
    elif stored.kind in "iu" and len(detail["quantization_parameters"]["scales"]):
        dtype = "float32"
    else:
        dtype = stored.name
    return TensorSpec(name=name, dtype=dtype, shape=file_shape(detail))


def file_shape(detail: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return a tensor's shape with None for free sizes."""
    signature = detail["shape_signature"]
    sizes = signature if len(signature) else detail["shape"]
    return tuple(None if size < 0 else int(size) for size in sizes)


def unique_names(names: Iterable[str], *, default: str) -> list[str]:
    """Make tensor names usable as keys, for files without signatures.

    An empty name becomes `default` and its position ("input_0"); a name seen before gets "_1", "_2"...
    `edge_sdk.model.tflite_file` names them the same way, so a contract made there fits here.
    """
    out: list[str] = []
    for position, name in enumerate(names):
        candidate = stem = name or f"{default}_{position}"
        suffix = 1
        while candidate in out:
            candidate, suffix = f"{stem}_{suffix}", suffix + 1
        out.append(candidate)
    return out


def accept(ports: Sequence[Port], given: Mapping[str, Any]) -> list[np.ndarray]:
    """Check what a caller gives and bring it into the file's dtypes. Nothing native is called.

    Args:
        ports: The signature's inputs.
        given: By input name: arrays in the contract's dtype or the stored one; lists and numbers are
            converted.

    Returns:
        Arrays in the order of `ports`.

    Raises:
        SignatureMismatchError: A missing or unknown name, a wrong dtype or shape, or NaN for an input that
            is stored as integers. Names every input.
    """
    out: list[np.ndarray] = []
    if len(given) == len(ports):
        for port in ports:
            value = given.get(port.name)
            if value is None:
                break
            if not isinstance(value, np.ndarray):
                value = _from_python(value, port)
                if value is None:
                    break
            if value.dtype != port.stored:
                if value.dtype != port.dtype or port.affine is None or not port.fits(value.shape):
                    break
                value = quantize(value, port.affine, port.stored)
                if value is None:
                    break
            elif not port.fits(value.shape):
                break
            out.append(value)
        else:
            return out
    raise _mismatch(ports, given)


def quantize(real: np.ndarray, affine: Affine, dtype: np.dtype[Any]) -> np.ndarray | None:
    """Return the stored integers of `dtype` for real numbers, or None where there is NaN among them."""
    with np.errstate(over="ignore"):  # infinity is clipped like any number that is too large
        scaled = real.astype(np.float32, copy=False) / affine.scales
    if np.isnan(scaled).any():
        return None
    limits = np.iinfo(dtype)
    # The clamp comes first so that no value is too large for the integer arithmetic that follows.
    room = float(limits.max) - float(limits.min) + 1.0
    scaled = np.clip(scaled, -room, room)
    # trunc and the difference are exact, so a value just below one half is not lifted to it.
    whole = np.trunc(scaled)
    rest = scaled - whole
    rounded = whole.astype(np.int64) + (rest >= 0.5) - (rest <= -0.5)
    return np.asarray(np.clip(rounded + affine.zero_points, limits.min, limits.max), dtype=dtype)


def dequantize(stored: np.ndarray, affine: Affine, dtype: np.dtype[Any]) -> np.ndarray:
    """Return the real numbers that stored integers stand for, as `dtype`."""
    real = affine.scales * (stored.astype(np.int32) - affine.zero_points).astype(np.float32)
    return np.asarray(real, dtype=dtype)


def _from_python(value: Any, port: Port) -> np.ndarray | None:
    """Convert a number or nested list; None where it does not fit the dtype."""
    try:
        array = np.asarray(value)
        if array.dtype == port.dtype or array.dtype.kind not in "biuf":
            return array
        if array.dtype.kind == "f" and port.dtype.kind != "f":
            return None
        converted = array.astype(port.dtype)
        # Integers must survive as they are; floats may lose digits.
        return converted if array.dtype.kind == "f" or np.array_equal(converted, array) else None
    except (ValueError, TypeError, OverflowError):
        return None


def _mismatch(ports: Sequence[Port], given: Mapping[str, Any]) -> SignatureMismatchError:
    import difflib

    known = {port.name: port for port in ports}
    rows = [(port.name, port.expects(), _describe(port, given)) for port in ports]
    unknown = [name for name in given if name not in known]
    rows += [(str(name), "no such input", _kind(given[name])) for name in unknown]
    missing = [name for name in known if name not in given]
    hint = None
    for name in unknown:
        near = difflib.get_close_matches(str(name), missing, n=1)
        if near:
            hint = f"did you mean {near[0]!r} instead of {name!r}?"
            break
    else:
        for port in ports:
            value = given.get(port.name)
            if not isinstance(value, np.ndarray):
                continue
            if value.dtype not in (port.dtype, port.stored):
                hint = f"{port.name}.astype({port.dtype.name!r}) gives the dtype"
                break
            if port.shape[:1] == (1,) and value.shape == port.shape[1:]:
                hint = f"{port.name}[None] adds the batch axis"
                break
    return SignatureMismatchError(rows, hint=hint)


def _describe(port: Port, given: Mapping[str, Any]) -> str:
    if port.name not in given:
        return "missing"
    value = given[port.name]
    text = _kind(value)
    if (
        isinstance(value, np.ndarray)
        and port.converts
        and value.dtype == port.dtype
        and value.dtype.kind == "f"
        and np.isnan(value).any()
    ):
        text += " with NaN"
    return text


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{','.join(map(str, value.shape))}]"
    if isinstance(value, (list, tuple, int, float, bool)):
        try:
            array = np.asarray(value)
        except (ValueError, OverflowError):
            return f"an uneven {type(value).__name__}"
        return f"{type(value).__name__} of {array.dtype}[{','.join(map(str, array.shape))}]"
    return type(value).__name__


def _dtype(name: str, dtype: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(dtype)
        if found.kind in "biufc":
            return found
    except TypeError:
        pass
    raise ModelError(
        f"tensor {name!r} holds {getattr(dtype, '__name__', dtype)}, which the runner cannot pass",
        why="it passes numbers that NumPy has: floats, integers, booleans, complex numbers",
        hint="move the text or 4-bit part out of the model",
    )


def _compatible(contract: tuple[int | None, ...], stored: tuple[int | None, ...]) -> bool:
    return len(contract) == len(stored) and all(
        mine is None or theirs is None or mine == theirs
        for mine, theirs in zip(contract, stored, strict=True)
    )


def affine_of(parameters: Mapping[str, Any], rank: int) -> Affine | None:
    """Return the runtime's quantization parameters of a tensor, or None where it is not quantized."""
    if len(parameters["scales"]) == 0:
        return None
    scales = np.asarray(parameters["scales"], dtype=np.float32)
    zero_points = np.asarray(parameters["zero_points"], dtype=np.int32)
    shape = [1] * rank
    if scales.size > 1:
        shape[int(parameters["quantized_dimension"])] = scales.size
        return Affine(scales.reshape(shape), zero_points.reshape(shape))
    return Affine(scales.reshape(()), zero_points.reshape(()))
