"""From a bare Python to an installed keeper: as `edge board setup` does it, on every Python that is here."""

from __future__ import annotations

import ast
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge_sdk.errors import RemoteError
from edge_sdk.keeper.bootstrap import bootstrap_command, bootstrap_input, bootstrap_text, serve_command
from edge_sdk.keeper.code import board_code, code_identity
from tests.keeper.harness import KeeperProcess, link_environment, refusal
from tests.keeper.releases import tiny_model

#: Interpreters of other versions that may be installed beside the tests' own.
_VERSIONS = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
PYTHONS = sorted(_VERSIONS.glob("*/bin/python"))
NEW = [path for path in PYTHONS if path.parts[-3].startswith(("3.10.", "3.12.", "3.13."))]
OLD = [path for path in PYTHONS if path.parts[-3].startswith(("2.7.", "3.6.", "3.7.", "3.9."))]


def bare(python: str | Path, folder: Path) -> KeeperProcess:
    """Bootstrap a keeper with a Python in a folder as a login would: through a shell."""
    return KeeperProcess(
        folder,
        command=["sh", "-c", f"cd {folder}; {bootstrap_command(python=str(python), root='my edge')}"],
        environment={"PYTHONPATH": "/nowhere", "PYTHONHOME": ""},
        start=bootstrap_input(board_code()),
    )


def test_the_code_is_the_same_bytes_each_time() -> None:
    code = board_code()
    assert code == board_code()
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {name.split("/")[1] for name in names} == {
            "__init__.py", "errors.py", "progress.py", "contract", "bundle", "runtime", "keeper",
        }  # fmt: skip
        assert all(name.endswith(".py") for name in names)
        for name in names:
            ast.parse(archive.read(name), name, feature_version=(3, 10))


@pytest.mark.parametrize("python", [Path(sys.executable), *NEW], ids=lambda path: path.parts[-3])
def test_from_nothing_to_an_installed_keeper(tmp_path: Path, python: Path) -> None:
    identity = code_identity(board_code())
    root = tmp_path / "my edge"
    with bare(python, tmp_path) as keeper:
        assert keeper.hello["root"] == str(root)
        assert keeper.hello["code"] is None
        answer = keeper.ask("code", sha256=identity)  # the bootstrap has left it there: nothing is sent twice
        assert answer == {"code": identity, "changed": True, "previous": None}
        assert not keeper.ask("code", sha256=identity)["changed"]
        keeper.ask("bye")
        assert keeper.close() == 0
    assert keeper.talk == ""
    assert list((root / "code" / identity / "edge_sdk/keeper/__pycache__").glob("session.*.pyc"))
    assert subprocess.run(["sh", "-n", root / "bin/edge-runner"], check=True)

    command = serve_command(root=str(root))
    with KeeperProcess(root, command=["sh", "-c", command]) as keeper:
        assert keeper.hello["code"] == identity
        assert keeper.put(b"x")["stored"]
    done = subprocess.run(
        [root / "bin/edge-keeper", "status"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert f"code       {identity}" in done.stdout


def test_the_whole_way_with_the_installed_launchers(tmp_path: Path) -> None:
    root = tmp_path / "my edge"
    with bare(sys.executable, tmp_path) as keeper:
        keeper.ask("code", sha256=code_identity(board_code()))
    link_environment(root)
    with KeeperProcess(root, command=["sh", "-c", serve_command(root=str(root))]) as keeper:
        keeper.ask("code", sha256=code_identity(board_code()))
        release = keeper.push(tiny_model())["release"]
    # A folder with modules of the same names must not be seen, wherever the user stands.
    (tmp_path / "edge_sdk").mkdir()
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    done = subprocess.run(
        [root / "bin/edge-runner", "status", root / "current", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert release in done.stdout
    done = subprocess.run(
        [root / "bin/edge-keeper", "rollback", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert "no earlier release" in done.stdout
    assert "no earlier release" in done.stderr


def test_another_code_replaces_it_and_a_broken_one_does_not(tmp_path: Path) -> None:
    root = tmp_path / "my edge"
    first, second = board_code(), _with(board_code(), {"edge_sdk/keeper/facts.py": "# newer\n"})
    broken = _with(board_code(), {"edge_sdk/keeper/session.py": "import nowhere\n"})
    with bare(sys.executable, tmp_path) as keeper:
        keeper.ask("code", sha256=code_identity(first))
        keeper.put(broken)
        error = refusal(keeper.ask, "code", sha256=code_identity(broken))
        assert isinstance(error, RemoteError)
        assert "nowhere" in str(error)
        keeper.put(second)
        answer = keeper.ask("code", sha256=code_identity(second))
        assert answer == {"code": code_identity(second), "changed": True, "previous": code_identity(first)}
        assert "not on the board" in str(refusal(keeper.ask, "code", sha256="0" * 64))
    with KeeperProcess(root, command=["sh", "-c", serve_command(root=str(root))]) as keeper:
        assert keeper.hello["code"] == code_identity(second)
    assert not list((root / "code").glob("*.tmp"))


@pytest.mark.parametrize("python", OLD, ids=lambda path: path.parts[-3])
def test_an_old_python_says_so(tmp_path: Path, python: Path) -> None:
    error = refusal(bare, python, tmp_path)
    assert isinstance(error, RemoteError)
    assert "Python is too old" in error.what
    assert "3.10" in str(error.why)
    assert "--python" in str(error.hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not OLD, reason="no older Python is installed here")
def test_the_text_is_parsed_by_the_oldest() -> None:
    subprocess.run([OLD[0], "-c", "import sys; compile(sys.stdin.read(), 'x', 'exec')"],
                   input=bootstrap_text().encode(), check=True)  # fmt: skip


def test_too_much_code_and_no_code(tmp_path: Path) -> None:
    command = ["sh", "-c", bootstrap_command(python=sys.executable, root=str(tmp_path / "edge"))]
    error = refusal(KeeperProcess, tmp_path, command=command, start=(2**40).to_bytes(8, "big"))
    assert "too large" in error.what
    done = subprocess.run(command, input=b"\0\0\0", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (6, b"")
    assert not (tmp_path / "edge").exists()


def test_a_root_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "my edge").write_text("a file is in the way")
    error = refusal(bare, sys.executable, tmp_path)
    assert "cannot be written" in error.what
    assert "--root" in str(error.hint)


def test_no_keeper_and_no_python_end_with_127(tmp_path: Path) -> None:
    for command in (serve_command(root=str(tmp_path / "none")), bootstrap_command(python="python-none")):
        done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
        assert done.returncode == 127


def test_a_root_in_the_home_folder(tmp_path: Path) -> None:
    assert serve_command(root="~/edge") == "exec ~/edge/bin/edge-keeper serve"
    assert shutil.which("sh")
    environment: Mapping[str, str] = {"HOME": str(tmp_path)}
    command = ["sh", "-c", bootstrap_command(python=sys.executable, root="~/an edge")]
    with KeeperProcess(
        tmp_path, command=command, environment=environment, start=bootstrap_input(board_code())
    ) as keeper:
        assert keeper.hello["root"] == str(tmp_path / "an edge")


def _with(code: bytes, changes: Mapping[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry) + changes.get(entry.filename, "").encode())
    return out.getvalue()
