"""Python packages: unpacked, imported, tried with the current release, switched; or the old ones stay."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from edge_sdk.errors import BundleError, EdgeError, GateError, NoSpaceError, RemoteError
from edge_sdk.keeper.code import board_code, code_identity
from edge_sdk.keeper.environment import import_failure
from tests.keeper.harness import PACKAGES, KeeperProcess, link_environment, refusal
from tests.keeper.releases import digest, tiny_model

#: What a host leaves out; enough here to keep the zip small.
_LEFT_OUT = ("/tests/", "/aot/", "/tools/", "/vendors/", "WebGpu", ".pyi", ".h", ".a", "/__pycache__/")


def pack(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return out.getvalue()


@pytest.fixture(scope="module")
def real_packages() -> dict[str, bytes]:
    """The packages of this Python that the runner needs, as a host would send them."""
    files: dict[str, bytes] = {}
    for package in PACKAGES:
        for file in distribution(package).files or []:
            name = file.as_posix()
            if name.startswith("..") or any(part in name for part in _LEFT_OUT) or name.endswith(_LEFT_OUT):
                continue
            path = Path(str(file.locate()))
            if path.is_file():
                files[name] = path.read_bytes()
    return files


def fake_packages(
    version: str = "1", *, runtime: str = "raise SystemExit", numpy: str = ""
) -> dict[str, bytes]:
    """Packages with the right names and nothing in them: for what is refused before they matter."""
    numpy_metadata = f"Metadata-Version: 2.1\nName: numpy\nVersion: {version}\n"
    return {
        "numpy/__init__.py": numpy.encode(),
        f"numpy-{version}.dist-info/METADATA": numpy_metadata.encode(),
        "tflite_runtime/__init__.py": b"",
        "tflite_runtime/interpreter.py": runtime.encode(),
        f"tflite_runtime-{version}.dist-info/METADATA": (
            f"Metadata-Version: 2.1\nName: tflite-runtime\nVersion: {version}\n".encode()
        ),
    }


def test_real_packages_are_brought_and_serve(tmp_path: Path, real_packages: dict[str, bytes]) -> None:
    root = tmp_path / "edge"
    zipped = pack(real_packages)
    with KeeperProcess(root) as keeper:
        keeper.put(board_code())
        keeper.ask("code", sha256=code_identity(board_code()))
        keeper.put(zipped)
        answer = keeper.ask("environment", id="litert-1", sha256=digest(zipped))
        assert answer["changed"]
        assert answer["environment"] == "litert-1"
        assert set(answer["report"]["packages"]) == {"numpy", "litert", "pillow"}
        assert answer["report"]["failures"] == {}
        assert {step["stage"] for step in keeper.steps} >= {"unpack", "check", "switch"}
        assert keeper.ask("have", sha256=[digest(zipped)])["missing"]  # the folder replaces the zip
        assert list((root / "environments/litert-1/numpy/__pycache__").glob("__init__.*.pyc"))
        again = keeper.ask("environment", id="litert-1", sha256=digest(zipped))  # nothing has to be sent
        assert not again["changed"]
        assert keeper.push(tiny_model())["trial"]["passed"]
        status = keeper.ask("status")
        assert status["environment"]["environment"] == "litert-1"
        assert status["releases"][0]["environment"] == "litert-1"
    with KeeperProcess(root, command=["sh", "-c", f"{root}/bin/edge-keeper serve"]) as keeper:
        assert keeper.hello["environment"] == "litert-1"
        assert keeper.hello["environment_report"]["packages"] == answer["report"]["packages"]


def test_packages_that_break_the_current_release_are_not_switched_to(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    link_environment(root)
    zipped = pack(fake_packages(runtime="class Interpreter: pass\n"))
    with KeeperProcess(root) as keeper:
        current = keeper.push(tiny_model())["release"]
        keeper.put(zipped)
        error = refusal(keeper.ask, "environment", id="broken", sha256=digest(zipped))
        assert isinstance(error, GateError)
        assert current in error.what
        assert "--force" in str(error.hint)
        assert keeper.ask("status")["environment"]["environment"] == "linked"
        assert sorted(path.name for path in (root / "environments").iterdir()) == ["linked"]
        assert keeper.ask("environment", id="broken", sha256=digest(zipped), force=True)["changed"]
        assert keeper.ask("status")["environment"]["environment"] == "broken"
        assert keeper.ask("status")["current"] == current


@pytest.mark.parametrize(
    ("files", "kind", "reason"),
    [
        (fake_packages(runtime="raise ImportError('x')"), RemoteError, "tflite-runtime: ImportError: x"),
        (fake_packages(numpy="import os; os.abort()"), RemoteError, "SIGABRT"),
        (
            fake_packages(runtime="raise ImportError('libstdc++.so.6: cannot open shared object file')"),
            RemoteError,
            "apt-get install libstdc++6",
        ),
        ({"numpy/__init__.py": b""}, RemoteError, "found: nothing"),
        ({"../x": b""}, BundleError, "unsafe name"),
    ],
    ids=["import", "crash", "libstdc++", "incomplete", "name"],
)
def test_bad_packages_change_nothing(
    tmp_path: Path, files: dict[str, bytes], kind: type[EdgeError], reason: str
) -> None:
    root = tmp_path / "edge"
    zipped = pack(files)
    with KeeperProcess(root) as keeper:
        keeper.put(zipped)
        error = refusal(keeper.ask, "environment", id="new", sha256=digest(zipped))
        assert isinstance(error, kind)
        assert reason in str(error)
        assert keeper.ask("status")["environment"] is None
    assert list((root / "environments").iterdir()) == []
    assert not (root / "x").exists()


def test_packages_that_would_fill_the_disk_are_refused_before_unpacking(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    program = (
        "import sys\nfrom pathlib import Path\nimport edge_sdk.keeper.cleanup as cleanup\n"
        "from edge_sdk.keeper.session import serve\n"
        "cleanup.free_bytes = lambda path: 80 * 2**20\nsys.exit(serve(Path(sys.argv[1])))"
    )
    zipped = pack({"zeros": bytes(50 * 2**20)})
    with KeeperProcess(root, command=[sys.executable, "-c", program, str(root)]) as keeper:
        keeper.put(zipped)
        error = refusal(keeper.ask, "environment", id="big", sha256=digest(zipped))
        assert isinstance(error, NoSpaceError)
    assert list((root / "environments").iterdir()) == []


def test_the_systems_packages_can_be_seen_where_asked(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    zipped = pack({"marker.py": b""})
    with KeeperProcess(root) as keeper:
        keeper.put(zipped)
        answer = keeper.ask("environment", id="thin", sha256=digest(zipped), system_packages=True)
        # NumPy and the runtime are those that this Python sees by itself.
        assert {"numpy", "litert"} <= set(answer["report"]["packages"])
        assert keeper.push(tiny_model())["trial"]["passed"]
    record = json.loads((root / "environments/thin/edge-environment.json").read_text())
    assert all(path.endswith("-packages") for path in record["system_paths"])


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("ImportError: libstdc++.so.6: cannot open shared object file", "libstdc++6"),
        ("ImportError: /lib/libc.so.6: version `GLIBC_2.34' not found", "C library is older"),
        ("ImportError: libstdc++.so.6: version `GLIBCXX_3.4.29' not found", "C library is older"),
        ("AttributeError: _ARRAY_API not found", "numpy<2"),
        ("ImportError: x.so: wrong ELF class: ELFCLASS64", "another CPU"),
        ("ImportError: something else", "edge board setup"),
    ],
)
def test_the_cure_is_named(text: str, cure: str) -> None:
    assert cure in str(import_failure({"litert": text}).hint)
