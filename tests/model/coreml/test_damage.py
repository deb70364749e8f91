"""Packages that nobody should have written: each is refused with a reason and a way out, nothing else."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_sdk.errors import ModelError
from edge_sdk.model.coreml.package import Package, open_package
from edge_sdk.model.coreml.program import Blob, Constant, ValueType
from tests.bundle.packages import MODEL, _field, _varint, tiny_package

WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"
FP16, FP32, STRING, INT32 = 10, 11, 2, 23
_DEEP = b"[" * 200_000


def _type(data_type: int, *sizes: int) -> bytes:
    dimensions = b"".join(_field(3, _field(1, _field(1, size))) for size in sizes)
    return _field(1, _field(1, data_type) + _field(2, len(sizes)) + dimensions)


def _constant(data_type: int, *sizes: int, immediate: bytes = b"") -> bytes:
    return _field(2, _type(data_type, *sizes)) + _field(3, _field(1, immediate))


def _floats(*values: float) -> bytes:
    return _field(1, _field(1, np.asarray(values, "<f4").tobytes()))


def _blob(offset: int, data_type: int = FP32, size: int = 4) -> bytes:
    place = _field(1, "@model_path/weights/weight.bin") + _field(2, offset)
    return _field(2, _type(data_type, size)) + _field(5, place)


def _model(*values: bytes, kind: str = "const", outputs: bool = True) -> bytes:
    """Return the tiny model with operations in front that hold a constant each."""
    operations = b""
    for number, value in enumerate(values):
        entry = _field(1, "val") + _field(2, value)
        made = _field(3, _field(1, f"constant_{number}") + _field(2, _type(FP32, 4))) if outputs else b""
        operations += _field(3, _field(1, kind) + made + _field(5, entry))
    block = operations + _field(2, "x")
    function = _field(2, "CoreML6") + _field(3, _field(1, "CoreML6") + _field(2, block))
    program = _field(1, 1) + _field(2, _field(1, "main") + _field(2, function))
    return _field(1, 7) + _field(502, program)


def _weights(
    values: bytes = bytes(16), *, version: int = 2, sentinel: int = 0xDEADBEEF, kind: int = 2, at: int = 128
) -> bytes:
    header = np.asarray([1, version], "<u4").tobytes().ljust(64, b"\0")
    record = np.asarray([sentinel, kind], "<u4").tobytes() + np.asarray([len(values), at, 0], "<u8").tobytes()
    return header + record.ljust(64, b"\0") + values


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "X.mlpackage"
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def _package(folder: Path, model: bytes, weights: bytes | None = None) -> Path:
    files = {**tiny_package(), MODEL: model}
    return _write(folder, files if weights is None else {**files, WEIGHTS: weights})


def _refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_package(path)
    assert caught.value.exit_code == 3
    assert caught.value.what
    assert caught.value.why
    assert caught.value.hint
    return str(caught.value.why)


def _constants(package: Package) -> list[Blob | Constant]:
    return [
        item
        for function in package.program.functions.values()
        for operation in function.block.walk()
        for items in (*operation.inputs.values(), operation.attributes.values())
        for item in items
        if isinstance(item, (Blob, Constant))
    ]


def test_the_package_that_the_damaged_ones_come_from_is_read(tmp_path: Path) -> None:
    values = np.arange(4, dtype="<f4")
    model = _model(_blob(64), _constant(FP32, 2, immediate=_floats(1, 2)))
    with open_package(_package(tmp_path, model, _weights(values.tobytes()))) as package:
        blob, constant = _constants(package)
        np.testing.assert_array_equal(package.read(blob), values)
        np.testing.assert_array_equal(package.read(constant), np.asarray([1, 2], np.float32))
        assert (package.size_of(blob), package.size_of(constant), package.parameters) == (16, 8, 4)


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"{", b"\xff\xfe", b"null", b"3", _DEEP, b'{"a":' * 100_000, b"1" * 5000, b"\xef\xbb\xbf{}",
        b'{"itemInfoEntries": [], "rootModelIdentifier": 0}',
        b'{"itemInfoEntries": {}, "rootModelIdentifier": []}',
        b'{"itemInfoEntries": {"m": {"path": 3}}, "rootModelIdentifier": "m"}',
        b'{"itemInfoEntries": {"m": {"path": "\\ud800"}}, "rootModelIdentifier": "m"}',
        b'{"itemInfoEntries": {"m": {"path": "a\\u0000b"}}, "rootModelIdentifier": "m"}',
        b'{"itemInfoEntries": {"m": {"path": "' + b"n" * 5000 + b'"}}, "rootModelIdentifier": "m"}',
        b'{"itemInfoEntries": {"m": {"path": "com.apple.CoreML"}}, "rootModelIdentifier": "m"}',
        b" " * (2**20 + 1),
    ],
    ids=lambda manifest: f"{manifest[:60]!r}",
)  # fmt: skip
def test_manifests(tmp_path: Path, manifest: bytes) -> None:
    _refused(_write(tmp_path, {**tiny_package(), "Manifest.json": manifest}))


@pytest.mark.parametrize(
    ("model", "weights", "why"),
    [
        (b"", None, "0 bytes"),
        (_field(1, 7), None, "no ML Program"),
        (_field(1, 99) + _field(502, b""), None, "version 99"),
        (_field(1, 7) + _field(502, b"") + _field(2, _field(20, b"")), None, "not there"),
        (_model(_blob(64)), None, "is missing"),
        (_model(_blob(64)), b"", "0 bytes"),
        (_model(_blob(64)), _weights(version=3), "version 3"),
        (_model(_blob(64)), _weights()[:-1], "leads to bytes"),
        (_model(_blob(64)), _weights()[:100], "no place"),
        (_model(_blob(64)), _weights(sentinel=0), "0xDEADBEEF"),
        (_model(_blob(64)), _weights(kind=1), "is fp16; the program says fp32"),
        (_model(_blob(64)), _weights(kind=77), "is type 77"),
        (_model(_blob(64)), _weights(at=2**63), "leads to bytes"),
        (_model(_blob(64, size=5)), _weights(), "its type needs 20"),
        (_model(_blob(65)), _weights(), "no place"),
        (_model(_blob(0)), _weights(), "no place"),
        (_model(_blob(2**63)), _weights(), "no place"),
        (_model(_blob(2**40)), _weights(), "no place"),
        (_model(_blob(64, STRING)), _weights(), "fp32; the program says string"),
        (_model(_constant(FP32, 2**39)), None, "holds 0 values"),
        (_model(_constant(FP32, 2**39, 2**39)), None, "more values than any tensor"),
        (_model(_constant(FP32, 0, 2**39, 2**39)), None, "more values than any tensor"),
        (_model(_constant(FP32, *[1] * 70, immediate=_floats(1))), None, "70 dimensions"),
        (_model(_constant(FP32, 2**63)), None, "a dimension of"),
        (_model(_constant(INT32, 1, immediate=_floats(np.nan))), None, "holds fractions"),
        (_model(_constant(99, 1)), None, "element type 99"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_models_and_weights(tmp_path: Path, model: bytes, weights: bytes | None, why: str) -> None:
    tracemalloc.start()
    try:
        assert why in _refused(_package(tmp_path, model, weights))
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "nest", [lambda inner: _field(3, _field(1, "loop") + _field(4, inner))], ids=["blocks"]
)
def test_nesting(tmp_path: Path, nest: Callable[[bytes], bytes]) -> None:
    block = b""
    for _ in range(2000):
        block = nest(block)
    function = _field(2, "CoreML6") + _field(3, _field(1, "CoreML6") + _field(2, block))
    program = _field(2, _field(1, "main") + _field(2, function))
    assert "nested deeper" in _refused(_package(tmp_path, _field(1, 7) + _field(502, program)))


def test_nested_constants(tmp_path: Path) -> None:
    value = _constant(FP32, immediate=_floats(1))
    for _ in range(500):
        value = _field(2, _field(3, b"")) + _field(3, _field(2, _field(1, value)))
    assert "nested deeper" in _refused(_package(tmp_path, _model(value)))


def test_a_number_beyond_its_type_and_a_constexpr_without_output_are_read(tmp_path: Path) -> None:
    model = _model(_constant(FP16, 1, immediate=_floats(1e9)), _blob(64), kind="constexpr_x", outputs=False)
    with open_package(_package(tmp_path, model, _weights())) as package:
        constant, _ = _constants(package)
        assert np.isinf(package.read(constant))
        assert package.parameters == 4


def test_a_tuple_of_unlike_constants_is_an_array_of_objects(tmp_path: Path) -> None:
    rows = [_constant(FP32, 2, size, immediate=_floats(*range(2 * size))) for size in (1, 2)]
    rows += [_constant(STRING, immediate=_field(4, _field(1, text))) for text in ("a" * 2**16, *"bcd" * 2000)]
    value = _field(2, _field(3, b"")) + _field(3, _field(2, b"".join(_field(1, row) for row in rows)))
    with open_package(_package(tmp_path, _model(value))) as package:
        (constant,) = _constants(package)
        found = package.read(constant)
        assert found.shape == (len(rows),)
        assert found[0].shape == (2, 1)
        assert package.size_of(constant) < 1e6


def test_what_goes_away_after_opening_is_named(tmp_path: Path) -> None:
    path = _package(tmp_path, _model(_blob(64)), _weights())
    package = open_package(path)
    package.close()
    (path / WEIGHTS).unlink()
    for question in (package.read, package.size_of):
        with pytest.raises(ModelError, match="is missing"):
            question(_constants(package)[0])
    with pytest.raises(ModelError, match="fixed shape"):
        package.size_of(Constant(ValueType("fp32", (None,)), np.zeros(0, np.float32)))


def test_arrays_outlive_a_package_that_was_opened_often(tmp_path: Path) -> None:
    path = _package(tmp_path, _model(_blob(64)), _weights(np.arange(4, dtype="<f4").tobytes()))
    kept = []
    for _ in range(300):
        with open_package(path) as package:
            kept.append(package.read(_constants(package)[0]))
    assert sum(float(array.sum()) for array in kept) == 300 * 6
    del kept
    open_files = Path("/proc/self/fd")
    if open_files.exists():
        assert sum(str(link.resolve()).startswith(str(path)) for link in open_files.iterdir()) == 0


_FILES = {
    "Manifest.json": tiny_package()["Manifest.json"],
    # The description of one, the program of the other: of two messages the last one counts.
    MODEL: tiny_package()[MODEL]
    + _model(
        _blob(64),
        _constant(FP16, 2, immediate=_floats(1, 2)),
        _constant(INT32, 3, immediate=_field(2, _field(1, b"".join(map(_varint, (1, 2, 300)))))),
        _constant(STRING, 2, immediate=_field(4, _field(1, "first") + _field(1, "zwölf"))),
    ),
    WEIGHTS: _weights(),
}


def _survives(path: Path) -> None:
    began, named = time.perf_counter(), True
    tracemalloc.start()
    try:
        with open_package(path) as package:
            package.parameters  # noqa: B018 - it must not fail
            for item in _constants(package):
                try:
                    package.read(item)
                    package.size_of(item)
                except ModelError:
                    continue
    except ModelError as failure:
        named = bool(failure.what and failure.why and failure.hint)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert named
    assert most < 8e6
    assert time.perf_counter() - began < 20  # a busy machine; a quiet one takes milliseconds


@pytest.mark.parametrize("name", _FILES)
def test_every_truncation(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, _FILES)
    for cut in range(len(_FILES[name])):
        (path / name).write_bytes(_FILES[name][:cut])
        _survives(path)


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=6))
def test_every_flip(tmp_path: Path, name: str, flips: list[tuple[int, int]]) -> None:
    damaged = bytearray(_FILES[name])
    for place, mask in flips:
        damaged[place % len(damaged)] ^= mask
    _survives(_write(tmp_path, {**_FILES, name: bytes(damaged)}))


def test_manifests_of_any_json(tmp_path: Path) -> None:
    leaf = st.none() | st.integers() | st.text(max_size=5)
    anything = st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )

    @settings(max_examples=150, deadline=None)
    @given(entries=anything, root=anything)
    def check(entries: object, root: object) -> None:
        listing = json.dumps({"itemInfoEntries": entries, "rootModelIdentifier": root}).encode()
        _survives(_write(tmp_path, {**_FILES, "Manifest.json": listing}))

    check()
