from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.deploy.environment import EnvironmentRecord, is_pruned, make_environment, pack, runtime_of
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.provision import check_facts, setup
from edge_sdk.deploy.push import predict, push
from edge_sdk.deploy.session import Facts, open_session
from edge_sdk.errors import BoardError, ConfigError, MissingExtraError, RemoteError
from edge_sdk.targets import load_target
from edge_sdk.wheels.fetch import Platform, find_uv, plan_wheels, uv_platform
from tests.deploy.bundles import make_bundle
from tests.deploy.conftest import ENVIRONMENTS
from tests.deploy.server import Server

PI = Platform((3, 11), "aarch64", (2, 36))
FACTS = Facts(python="3.11.2", architecture="x86_64", glibc="2.36", libstdcxx=True)


def local_board(home: Path, **changes: object) -> Board:
    fields: dict[str, object] = {"name": "desk", "host": str(home), "target": "host", "transport": "local"}
    return Board(**{**fields, **changes})  # type: ignore[arg-type]


# The real thing


def test_setup_push_and_predict_over_ssh(ready_board: Board, tmp_path: Path) -> None:
    result = push(make_bundle(tmp_path / "conv.edge", version="provision"), ready_board)
    assert result.changed
    assert result.trial
    assert result.trial["passed"] is True
    assert result.trial["runtime"]["name"] == "litert"
    report = predict(ready_board, {"": picture(tmp_path / "x.png")})
    assert report["release"] == result.release
    assert [item["index"] for item in report["outputs"]["probabilities"][0]]


def test_setup_push_and_predict_with_tflite_runtime(old_runtime_board: Board, tmp_path: Path) -> None:
    result = push(make_bundle(tmp_path / "conv.edge"), old_runtime_board)
    assert result.trial
    assert result.trial["runtime"] == {"name": "tflite-runtime", "version": "2.14.0"}
    report = predict(old_runtime_board, {"image": picture(tmp_path / "x.png")})
    assert report["runtime"]["name"] == "tflite-runtime"


def test_a_second_setup_changes_nothing_and_sends_little(ready_board: Board) -> None:
    result = setup(ready_board, cache=ENVIRONMENTS)
    assert not result.changed
    assert result.packages["ai-edge-litert"].startswith("2.3")
    # The bootstrap sends the keeper's code each time, and nothing else.
    assert result.bytes_sent < 600_000


def test_the_board_has_only_what_was_sent(ready_board: Board) -> None:
    with open_session(ready_board) as session:
        packages = session.request("status")["environment"]["report"]["packages"]
    assert set(packages) == {"numpy", "litert", "pillow"}


def picture(path: Path) -> Path:
    from PIL import Image

    Image.new("RGB", (40, 30), (200, 120, 10)).save(path)
    return path


# What boards lack


def test_a_board_without_python(shared_server: Server) -> None:
    board = shared_server.board(python="python3.99", root=str(shared_server.home / "none"))
    with pytest.raises(RemoteError, match=r"has no Python called 'python3.99'") as caught:
        setup(board, cache=ENVIRONMENTS)
    assert "apt-get install python3" in str(caught.value.hint)


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.8.18", "3.9.18"])
def test_a_too_old_python_is_named(tmp_path: Path, version: str) -> None:
    python = (
        Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions" / version / "bin" / "python"
    )
    if not python.exists():
        pytest.skip(f"no Python {version} here")
    with pytest.raises(RemoteError, match=f"too old: {version}"):
        setup(local_board(tmp_path, python=str(python)), cache=ENVIRONMENTS)


def test_a_root_that_cannot_be_written(tmp_path: Path, bare_python: Path) -> None:
    (tmp_path / "edge").write_text("a file")
    with pytest.raises(RemoteError, match="cannot be written"):
        setup(local_board(tmp_path, python=str(bare_python)), cache=ENVIRONMENTS)


def test_missing_libraries_and_wrong_targets_are_named() -> None:
    board = local_board(Path("/nowhere"))
    host = load_target("host")
    with pytest.raises(BoardError, match="no C") as caught:
        check_facts(board, dataclasses.replace(FACTS, libstdcxx=False), host)
    assert "sudo apt-get install libstdc++6" in str(caught.value.hint)
    with pytest.raises(BoardError, match="GNU C library"):
        check_facts(board, dataclasses.replace(FACTS, glibc=None), host)
    with pytest.raises(BoardError, match="is aarch64, but desk is x86_64"):
        check_facts(board, FACTS, load_target("raspberry-pi-4"))
    with pytest.raises(BoardError, match="is for android"):
        check_facts(board, FACTS, load_target("android"))
    with pytest.raises(BoardError, match="cannot be understood"):
        check_facts(board, dataclasses.replace(FACTS, python="unknown"), host)
    assert check_facts(board, FACTS, host) == Platform((3, 11), "x86_64", (2, 36))


def test_an_unknown_target_is_found_before_the_board_is_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no target called 'hots'"):
        setup(local_board(tmp_path / "none", target="hots"))


# Choosing wheels


@pytest.mark.parametrize(
    ("runtime", "platform", "message"),
    [
        ("tflite-runtime", Platform((3, 12), "aarch64", (2, 36)), "no wheel for Python 3.12"),
        ("tflite-runtime", Platform((3, 13), "armv7l", (2, 41)), "no wheel for Python 3.13"),
        ("tflite-runtime", Platform((3, 11), "aarch64", (2, 31)), "too old for tflite-runtime"),
        ("litert", Platform((3, 11), "armv7l", (2, 36)), "no wheel for armv7l"),
        ("litert", Platform((3, 11), "aarch64", (2, 17)), "too old for litert"),
        ("litert", Platform((3, 11), "riscv64", (2, 36)), "no wheel for riscv64"),
    ],
)
def test_boards_without_wheels_get_a_sentence(runtime: str, platform: Platform, message: str) -> None:
    with pytest.raises(BoardError, match=message):
        plan_wheels(RuntimeRequirement(name=runtime), platform, "desk")


def test_the_choice_for_a_too_new_python_is_named() -> None:
    with pytest.raises(BoardError) as caught:
        plan_wheels(RuntimeRequirement(name="tflite-runtime"), Platform((3, 13), "aarch64", (2, 41)), "desk")
    assert "LiteRT" in str(caught.value.hint)
    assert "Python 3.11" in str(caught.value.hint)


def test_numpy_stays_below_2_for_tflite_runtime() -> None:
    plan = plan_wheels(RuntimeRequirement(name="tflite-runtime"), PI, "desk")
    assert "numpy>=1.23,<2" in plan.requirements


def test_a_minimum_version_is_kept() -> None:
    plan = plan_wheels(RuntimeRequirement(name="litert", minimum_version="2.3.0"), PI, "desk")
    assert plan.requirements[0] == "ai-edge-litert>=2.3,<2.4,>=2.3.0"


def test_32_bit_boards_take_numpy_from_their_system() -> None:
    plan = plan_wheels(
        RuntimeRequirement(name="tflite-runtime"), Platform((3, 11), "armv7l", (2, 36)), "desk"
    )
    assert plan.system_packages
    assert len(plan.requirements) == 1


@pytest.mark.parametrize(
    ("glibc", "name"),
    [
        ((2, 17), "2_17"),
        ((2, 27), "2_17"),
        ((2, 28), "2_28"),
        ((2, 36), "2_36"),
        ((2, 41), "2_40"),
        ((3, 0), "2_40"),
    ],
)
def test_uv_gets_the_newest_platform_that_fits(glibc: tuple[int, int], name: str) -> None:
    assert uv_platform(Platform((3, 11), "aarch64", glibc)) == f"aarch64-manylinux_{name}"


def test_uv_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(find_uv()).exists()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="uv is not installed"):
        find_uv()


def test_the_arm64_environment_of_each_runtime_can_be_made() -> None:
    for runtime, distribution in (("litert", "ai-edge-litert"), ("tflite-runtime", "tflite-runtime")):
        plan = plan_wheels(RuntimeRequirement(name=runtime), PI, "desk")
        environment = make_environment(plan, cache=ENVIRONMENTS)
        assert environment.record.architecture == "aarch64"
        assert environment.record.identity.startswith(
            f"{runtime}-{environment.record.packages[distribution]}-cp311-aarch64-"
        )
        assert {"numpy", "pillow", distribution} <= set(environment.record.packages)
        names = zipfile.ZipFile(environment.path).namelist()
        assert any(name.endswith("aarch64-linux-gnu.so") for name in names)
        assert not any("x86_64" in name for name in names)


def test_the_32_bit_environment_can_be_made() -> None:
    plan = plan_wheels(
        RuntimeRequirement(name="tflite-runtime"), Platform((3, 11), "armv7l", (2, 36)), "desk"
    )
    record = make_environment(plan, cache=ENVIRONMENTS).record
    assert record.system_packages
    assert set(record.packages) == {"tflite-runtime"}


def test_no_way_to_the_index_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_wheels(RuntimeRequirement(name="litert"), PI, "desk")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(BoardError, match=r"no packages for Python 3\.11, aarch64") as caught:
        make_environment(plan, cache=tmp_path / "cache")
    assert "network" in str(caught.value.hint)
    # Nothing half-made stays in the cache.
    assert list((tmp_path / "cache").iterdir()) == []


# The zip


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    for name, text in {
        "ai_edge_litert/__init__.py": "",
        "ai_edge_litert/libLiteRtWebGpuAccelerator.so": "large",
        "ai_edge_litert/aot/compile.py": "",
        "ai_edge_litert-2.3.0.dist-info/METADATA": "Name: ai-edge-litert",
        "ai_edge_litert-2.3.0.dist-info/RECORD": "lists",
        "numpy/__init__.py": "1",
        "numpy/tests/test_x.py": "",
        "numpy/include/x.h": "",
        "numpy/__pycache__/x.pyc": "",
        "numpy-2.4.6.dist-info/licenses/LICENSE.txt": "BSD",
        "numpy.libs/libopenblas.so": "elf",
        "bin/f2py": "#!python",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "numpy.libs/libopenblas.so").chmod(0o755)
    return folder


def test_the_zip_is_deterministic_and_plain(packages: Path) -> None:
    plan = plan_wheels(RuntimeRequirement(name="litert"), PI, "desk")
    data, record = pack(packages, plan)
    os.utime(packages / "numpy/__init__.py", (0, 1_000_000_000))
    (packages / "numpy/__init__.py").chmod(0o600)
    assert pack(packages, plan) == (data, record)
    assert record.sha256 == hashlib.sha256(data).hexdigest()
    path = packages / "x.zip"
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in archive.infolist())
        modes = {entry.filename: stat.S_IMODE(entry.external_attr >> 16) for entry in archive.infolist()}
        facts = json.loads(archive.read("environment.json"))
    assert set(names) == {
        "environment.json",
        "ai_edge_litert/__init__.py",
        "ai_edge_litert-2.3.0.dist-info/METADATA",
        "numpy/__init__.py",
        "numpy-2.4.6.dist-info/licenses/LICENSE.txt",
        "numpy.libs/libopenblas.so",
    }
    assert modes["numpy.libs/libopenblas.so"] == 0o755
    assert modes["numpy/__init__.py"] == 0o644
    assert facts["packages"] == {"ai-edge-litert": "2.3.0", "numpy": "2.4.6"}
    assert record.identity.startswith("litert-2.3.0-cp311-aarch64-")


def test_another_content_is_another_identity(packages: Path) -> None:
    plan = plan_wheels(RuntimeRequirement(name="litert"), PI, "desk")
    before = pack(packages, plan)[1].identity
    (packages / "numpy/__init__.py").write_text("2")
    assert pack(packages, plan)[1].identity != before


def test_licences_stay() -> None:
    assert not is_pruned("numpy-2.4.6.dist-info/licenses/LICENSE.txt")
    assert not is_pruned("numpy/testing/__init__.py")
    assert is_pruned("numpy/core/tests/test_x.py")


@pytest.mark.parametrize(
    ("identity", "runtime"),
    [
        ("litert-2.3.0-cp311-aarch64-0123456789ab", "litert"),
        ("tflite-runtime-2.14.0-cp311-armv7l-0123456789ab", "tflite-runtime"),
        ("something-else", None),
        (None, None),
    ],
)
def test_the_runtime_of_an_environment(identity: str | None, runtime: str | None) -> None:
    assert runtime_of(identity) == runtime


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    plan = plan_wheels(RuntimeRequirement(name="tflite-runtime"), PI, "desk")
    cache = tmp_path / "cache"
    first = make_environment(plan, cache=cache)
    data = first.path.read_bytes()
    first.path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert make_environment(plan, cache=cache).path.read_bytes() == data
    next(cache.glob("*.json")).write_text("{}")
    again = make_environment(plan, cache=cache)
    assert isinstance(again.record, EnvironmentRecord)
    assert again.record == first.record


def test_the_pruned_environment_needs_nothing_that_was_pruned(ready_board: Board) -> None:
    # Imports everything that the runner may import, with the board's packages alone.
    environment = Path(ready_board.root) / "environment"
    program = (
        f"import sys; sys.path.insert(0, {str(environment)!r})\n"
        "import numpy, numpy.fft, numpy.linalg, numpy.random, numpy.lib.npyio\n"
        "from ai_edge_litert.interpreter import Interpreter, load_delegate\n"
        "from PIL import Image; Image.init(); assert 'WEBP' in Image.OPEN and 'JPEG' in Image.OPEN\n"
    )
    subprocess.run([ready_board.python, "-I", "-S", "-B", "-c", program], check=True)
