"""Golden vectors: recorded inputs with the outputs they must give, within a tolerance.

Recorded at build time from the very file that is shipped, run on the board before a release goes live.

Stored as an `.npz` with arrays "inputs.NAME" and "outputs.NAME". The first axis of every array counts the
cases; `array[i]` is the whole tensor of call i, its batch axis included:

    contract float32[1,28,28,1], eight cases -> inputs.image float32[8,1,28,28,1]

The bytes are deterministic (stored ZIP, fixed time, sorted names), and reading never unpickles and never
allocates more than the file holds.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.errors import BundleError, ConfigError

#: Golden vectors are a handful of cases; a board must be able to hold them beside the model.
MAX_GOLDEN_BYTES = 256 * 2**20
MAX_ARRAYS = 512
MAX_FAILURES = 20

_MEMBER = re.compile(r"(inputs|outputs)\.(.{1,400})\.npy", re.DOTALL)
_KINDS = "biufc"


@dataclass(frozen=True)
class GoldenVectors:
    """Cases with their expected outputs.

    Attributes:
        inputs: By input name; first axis = cases, then the tensor's own shape.
        outputs: By output name; first axis = cases, then the tensor's own shape.

    Raises:
        ConfigError: No case, unequal counts, or a dtype without fixed size (objects, strings).
    """

    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for side, arrays in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not arrays:
                raise ConfigError(f"golden vectors without {side}")
            for name, array in arrays.items():
                if array.dtype.kind not in _KINDS:
                    raise ConfigError(f"golden {side}.{name} has dtype {array.dtype}", why="numbers only")
                if array.ndim == 0 or len(array) == 0:
                    raise ConfigError(f"golden {side}.{name} has no case", why="the first axis counts cases")
        counts = {f"{name}: {len(array)}" for name, array in (*self.inputs.items(), *self.outputs.items())}
        if len({text.rpartition(": ")[2] for text in counts}) > 1:
            raise ConfigError("golden arrays have different numbers of cases", why=", ".join(sorted(counts)))

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def cases(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the inputs of each case, ready for `predict`."""
        for index in range(len(self)):
            yield {name: array[index] for name, array in self.inputs.items()}

    def expected(self, index: int) -> dict[str, np.ndarray]:
        """Return the outputs that case `index` must give."""
        return {name: array[index] for name, array in self.outputs.items()}

    def to_bytes(self) -> bytes:
        """Return the `.npz`; equal vectors give equal bytes."""
        arrays = {
            **{f"inputs.{name}.npy": array for name, array in self.inputs.items()},
            **{f"outputs.{name}.npy": array for name, array in self.outputs.items()},
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(arrays):
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.create_system = 3  # the same on every machine
                info.external_attr = 0o100644 << 16
                archive.writestr(info, _npy(arrays[name]))
        if buffer.tell() > MAX_GOLDEN_BYTES:
            raise ConfigError(
                f"the golden vectors are {buffer.tell():,} bytes",
                why=f"the limit is {MAX_GOLDEN_BYTES:,}",
                hint="record fewer cases",
            )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, raw: bytes) -> GoldenVectors:
        """Read an `.npz` that may come from anywhere.

        Raises:
            BundleError: Not golden vectors, too large, or damaged.
        """
        if len(raw) > MAX_GOLDEN_BYTES:
            raise BundleError(
                f"the golden vectors are {len(raw):,} bytes", why=f"the limit is {MAX_GOLDEN_BYTES:,}"
            )
        found: dict[str, dict[str, np.ndarray]] = {"inputs": {}, "outputs": {}}
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                members = archive.infolist()
                if len(members) > MAX_ARRAYS:
                    raise BundleError(f"the golden vectors hold {len(members)} arrays")
                for member in members:
                    match = _MEMBER.fullmatch(member.filename)
                    if match is None or match[2] in found[match[1]]:
                        raise BundleError(f"golden vectors with an odd array name: {member.filename!r:.120}")
                    # Stored members cannot grow: no more bytes come out than went in.
                    if member.compress_type != zipfile.ZIP_STORED or member.file_size > len(raw):
                        raise BundleError(f"golden array {match[0]!r:.120} is compressed; it must be stored")
                    found[match[1]][match[2]] = _array(archive.read(member))
            return cls(inputs=found["inputs"], outputs=found["outputs"])
        except BundleError:
            raise
        except ConfigError as failure:
            raise BundleError(failure.what, why=failure.why) from failure
        except Exception as failure:
            # zipfile and NumPy's header parser raise a dozen classes on damaged bytes; all mean the same.
            raise BundleError("the golden vectors cannot be read", why=str(failure)) from failure


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    np.lib.format.write_array(buffer, little.reshape(array.shape), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _array(raw: bytes) -> np.ndarray:
    stream = io.BytesIO(raw)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise BundleError("a golden array has another .npy version than 1.0")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    size = math.prod(shape) * dtype.itemsize
    if fortran or dtype.kind not in _KINDS or size != len(raw) - stream.tell():
        raise BundleError(f"a golden array of {dtype}{list(shape)} does not fit its {len(raw):,} bytes")
    # A copy: the array is then aligned and may be changed by its owner.
    array: np.ndarray = np.frombuffer(raw, dtype=dtype, offset=stream.tell()).reshape(shape).copy()
    return array


@dataclass(frozen=True)
class GoldenResult:
    """Outcome of running golden vectors.

    Attributes:
        passed: Every value of every case was within the tolerance.
        cases: How many cases were run.
        max_abs_error: Largest difference that was seen; infinite where values could not be compared
            (NaN, another shape, a missing output).
        failures: One line for each output of a case that failed; at most `MAX_FAILURES`.
    """

    passed: bool
    cases: int
    max_abs_error: float
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready data; an infinite error becomes null."""
        return {
            "passed": self.passed,
            "cases": self.cases,
            "max_abs_error": self.max_abs_error if math.isfinite(self.max_abs_error) else None,
            "failures": list(self.failures),
        }


def check_golden(
    vectors: GoldenVectors,
    predict: Callable[[dict[str, np.ndarray]], Mapping[str, np.ndarray]],
    *,
    atol: float,
    rtol: float,
) -> GoldenResult:
    """Run every case and compare: |value - expected| <= atol + rtol * |expected|.

    NaN never passes, not even where NaN was recorded; nor does another shape, dtype or output name.

    Args:
        vectors: The cases.
        predict: Called once a case with the inputs by name.
        atol: Absolute tolerance.
        rtol: Relative tolerance.

    Raises:
        EdgeError: Whatever `predict` raises.
    """
    worst = 0.0
    failures: list[str] = []
    for index, inputs in enumerate(vectors.cases()):
        outputs = predict(inputs)
        for name, expected in vectors.expected(index).items():
            error, problem = _compare(outputs.get(name), expected, atol, rtol)
            worst = max(worst, error)
            if problem:
                failures.append(f"case {index}, output {name!r}: {problem}")
    return GoldenResult(
        passed=not failures, cases=len(vectors), max_abs_error=worst, failures=tuple(failures[:MAX_FAILURES])
    )


def _compare(value: Any, expected: np.ndarray, atol: float, rtol: float) -> tuple[float, str | None]:
    if value is None:
        return math.inf, "missing"
    value = np.asarray(value)
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return math.inf, (
            f"expected {expected.dtype}{list(expected.shape)}, got {value.dtype}{list(value.shape)}"
        )
    if value.size == 0:
        return 0.0, None
    wide = np.complex128 if value.dtype.kind == "c" else np.float64
    given, wanted = value.astype(wide), expected.astype(wide)
    if not np.isfinite(given).all() or not np.isfinite(wanted).all():
        side = "the output" if np.isfinite(wanted).all() else "the recorded output"
        return math.inf, f"{side} holds NaN or infinity"
    error = np.abs(given - wanted)
    # Large integers may be different and yet equal as float64.
    error = np.where((value != expected) & (error == 0), 1.0, error)
    outside = error > atol + rtol * np.abs(wanted)
    worst = float(error.max())
    if not outside.any():
        return worst, None
    place = np.unravel_index(int(np.argmax(np.where(outside, error, -1.0))), value.shape)
    return worst, (
        f"{int(outside.sum())} of {value.size} values are outside the tolerance; worst at "
        f"{[int(i) for i in place]}: expected {expected[place]:.6g}, got {value[place]:.6g} "
        f"(atol {atol:g}, rtol {rtol:g})"
    )
