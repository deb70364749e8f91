"""What can go wrong between `edge push` and a board, done to a real sshd.

Each fault ends in a typed error with the contract's exit code within 30 seconds, and leaves the release that
served before still serving, with nothing half-written beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.deploy.lab import lab_down, lab_up
from edge_sdk.deploy.lab.folder import LabFolder
from edge_sdk.deploy.lab.keys import make_key
from edge_sdk.deploy.lab.process import members, read_process
from edge_sdk.deploy.provision import setup
from edge_sdk.deploy.push import push, status
from edge_sdk.errors import ConnectError
from edge_sdk.progress import Step
from tests.lab.bundles import make_bundle
from tests.lab.cable import cable, require_cable
from tests.lab.environments import ENVIRONMENTS
from tests.lab.project import (
    BALLAST,
    LIMIT_SECONDS,
    Project,
    await_idle,
    check_refusal,
    check_success,
    project,
    releases,
    timed,
    unharmed,
)
from tests.lab.relay import Relay


@pytest.fixture(scope="module")
def porch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with project(tmp_path_factory.mktemp("project")) as made:
        yield made


# Before anything is sent


def test_an_unknown_host_key_is_refused_before_a_login(porch: Project) -> None:
    with Relay(porch.board) as relay, unharmed(porch):
        name = porch.enter(replace(relay.board, host_key=None), "unknown")
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        document = check_refusal(done, error="HostKeyError", code=6, seconds=seconds)
        assert "is unknown" in document["what"]
        assert relay.carried < 6_000


def test_a_changed_host_key_is_refused_before_a_login(porch: Project, tmp_path: Path) -> None:
    another = make_key(tmp_path / "another", comment="another")
    with Relay(porch.board) as relay, unharmed(porch):
        name = porch.enter(replace(relay.board, host_key=another), "changed")
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        document = check_refusal(done, error="HostKeyError", code=6, seconds=seconds)
        assert "CHANGED" in document["what"]
        assert relay.carried < 6_000


def test_a_wrong_user_is_refused(porch: Project) -> None:
    name = porch.enter(replace(porch.board, user="nobody-here"), "wrong-user")
    with unharmed(porch):
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        document = check_refusal(done, error="ConnectError", code=6, seconds=seconds)
        assert "nobody-here" in json.dumps(document)


def test_a_wrong_login_key_is_refused(porch: Project, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger", comment="stranger")
    name = porch.enter(replace(porch.board, key_file=str(tmp_path / "stranger")), "wrong-key")
    with unharmed(porch):
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)


def test_nobody_listens(porch: Project) -> None:
    with Relay(porch.board) as relay:
        name = porch.enter(relay.board, "off")
    with unharmed(porch):
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)


def test_a_board_without_python(porch: Project) -> None:
    name = porch.enter(replace(porch.board, python="/no/such/python3", root="elsewhere"), "no-python")
    with unharmed(porch):
        done, seconds = timed(lambda: porch.edge("board", "setup", name))
        document = check_refusal(done, error="RemoteError", code=6, seconds=seconds)
        assert "/no/such/python3" in json.dumps(document)
        assert not (porch.lab.home / "elsewhere").exists()


def test_a_board_that_was_never_set_up(porch: Project) -> None:
    name = porch.enter(replace(porch.board, root="never"), "never")
    with unharmed(porch):
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        document = check_refusal(done, error="RemoteError", code=6, seconds=seconds)
        assert f"edge board setup {name}" in document["hint"]
        assert not (porch.lab.home / "never").exists()


def test_a_board_whose_python_has_gone(porch: Project) -> None:
    away = porch.lab.environment.with_name("python.away")
    with unharmed(porch):
        porch.lab.environment.rename(away)
        try:
            done, seconds = timed(lambda: porch.push(porch.bundle()))
        finally:
            away.rename(porch.lab.environment)
        check_refusal(done, error="RemoteError", code=6, seconds=seconds)


def test_a_damaged_bundle_never_leaves_the_host(porch: Project) -> None:
    bundle = porch.bundle()
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    with Relay(porch.board) as relay, unharmed(porch):
        done, seconds = timed(lambda: porch.push(bundle, porch.enter(relay.board, "damaged")))
        check_refusal(done, error=("DigestMismatchError", "BundleError"), code=5, seconds=seconds)
        assert relay.carried < BALLAST / 10


# On the board


def test_a_release_that_fails_its_golden_vectors_changes_nothing(porch: Project) -> None:
    with unharmed(porch):
        done, seconds = timed(lambda: porch.push(porch.bundle(spoil_golden=True)))
        check_refusal(done, error="GateError", code=4, seconds=seconds)


def test_the_second_push_of_a_release_moves_less_than_ten_kilobytes(porch: Project) -> None:
    bundle = porch.bundle()
    first = check_success(porch, bundle)
    with Relay(porch.board) as relay:
        name = porch.enter(relay.board, "second")
        done = porch.push(bundle, name)
        [result] = json.loads(done.stdout)["results"]
        assert (result["changed"], result["release"]) == (False, first["release"])
        assert relay.carried < 10_000


def test_two_pushes_at_once(porch: Project) -> None:
    first, second = porch.bundle(), porch.bundle()
    refused: list[tuple[subprocess.CompletedProcess[str], float]] = []
    with Relay(porch.board) as relay:
        name = porch.enter(relay.board, "first")
        relay.after(BALLAST // 2, lambda: refused.append(timed(lambda: porch.push(second))))
        result = check_success(porch, first, name)
    [(done, seconds)] = refused
    check_refusal(done, error="BusyError", code=6, seconds=seconds)
    assert porch.answer()[0] == result["release"]
    check_success(porch, second)


def test_many_pushes_at_once_leave_one_of_them_serving(porch: Project) -> None:
    bundles = [porch.bundle() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(porch.push, bundles))
    codes = [done.returncode for done in results]
    assert set(codes) <= {0, 6}
    assert 0 in codes
    winners = [json.loads(done.stdout)["results"][0]["release"] for done in results if done.returncode == 0]
    assert porch.answer()[0] in winners
    for done in results:
        if done.returncode:
            assert json.loads(done.stdout)["error"] == "BusyError"


# On the way


@pytest.mark.slow  # waits for the silence to be long enough
def test_the_cable_is_pulled_in_the_middle(porch: Project) -> None:
    bundle = porch.bundle()
    with Relay(porch.board) as relay, unharmed(porch):
        name = porch.enter(relay.board, "silent")
        relay.after(BALLAST // 2, relay.go_silent)
        done = porch.push(bundle, name)
        seconds = time.monotonic() - relay.acted_at
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)
        relay.cut()
        await_idle(porch)
    check_success(porch, bundle)


def test_the_connection_breaks_in_the_middle(porch: Project) -> None:
    bundle = porch.bundle()
    with Relay(porch.board) as relay, unharmed(porch):
        name = porch.enter(relay.board, "broken")
        relay.after(BALLAST // 2, relay.cut)
        done = porch.push(bundle, name)
        seconds = time.monotonic() - relay.acted_at
        check_refusal(done, error=("ConnectError", "RemoteError"), code=6, seconds=seconds)
    check_success(porch, bundle)


def test_the_connection_breaks_after_the_last_byte_and_the_board_finishes(porch: Project) -> None:
    before = porch.answer()[0]
    with Relay(porch.board) as relay:

        def watch(step: Step) -> None:
            if step.stage == "trial":
                relay.cut()

        with pytest.raises(ConnectError):
            push(porch.bundle(), relay.board, progress=watch)
    deadline = time.monotonic() + LIMIT_SECONDS
    while status(porch.board)["current"] == before and time.monotonic() < deadline:
        time.sleep(0.2)
    await_idle(porch)
    assert porch.answer()[0] != before


@pytest.mark.slow  # waits for the silence to be long enough
def test_a_frozen_board_in_the_middle(porch: Project) -> None:
    bundle = porch.bundle()
    frozen: list[Any] = []

    def freeze() -> None:
        frozen.extend(members(read_process(porch.lab.process_file), porch.lab.path))
        for process in frozen:
            process.send(signal.SIGSTOP)

    with unharmed(porch), Relay(porch.board) as relay:
        name = porch.enter(relay.board, "frozen")
        relay.after(BALLAST // 2, freeze)
        try:
            done = porch.push(bundle, name)
            seconds = time.monotonic() - relay.acted_at
        finally:
            for process in frozen:
                process.send(signal.SIGCONT)
        assert len(frozen) >= 3
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)
        relay.cut()
        await_idle(porch)
    check_success(porch, bundle)


def test_a_board_that_was_frozen_before(porch: Project) -> None:
    process = read_process(porch.lab.process_file)
    assert process is not None
    with unharmed(porch):
        process.send(signal.SIGSTOP)
        try:
            done, seconds = timed(lambda: porch.push(porch.bundle()))
        finally:
            process.send(signal.SIGCONT)
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)


def test_sshd_is_killed_in_the_middle_and_the_next_push_succeeds(porch: Project) -> None:
    bundle = porch.bundle()

    def kill() -> None:
        for process in members(read_process(porch.lab.process_file), porch.lab.path):
            process.send(signal.SIGKILL)

    answer, files = porch.answer(), releases(porch.root)
    with Relay(porch.board) as relay:
        name = porch.enter(relay.board, "killed")
        relay.after(BALLAST // 2, kill)
        done = porch.push(bundle, name)
        seconds = time.monotonic() - relay.acted_at
    check_refusal(done, error=("ConnectError", "RemoteError"), code=6, seconds=seconds)
    porch.restart()
    assert releases(porch.root) == files
    assert porch.answer() == answer
    check_success(porch, bundle)


def test_the_keeper_is_killed_in_the_middle(porch: Project) -> None:
    bundle = porch.bundle()

    def kill() -> None:
        server = read_process(porch.lab.process_file)
        for process in members(server, porch.lab.path):
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            if b"python" in words and b"sshd" not in words:
                process.send(signal.SIGKILL)

    with unharmed(porch), Relay(porch.board) as relay:
        name = porch.enter(relay.board, "keeper-killed")
        relay.after(BALLAST // 2, kill)
        done = porch.push(bundle, name)
        seconds = time.monotonic() - relay.acted_at
        check_refusal(done, error=("ConnectError", "RemoteError"), code=6, seconds=seconds)
    check_success(porch, bundle)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["at-login", "half-sent", "all-sent"])
def test_ctrl_c(porch: Project, share: float) -> None:
    bundle = porch.bundle()
    started: list[subprocess.Popen[str]] = []

    def interrupt() -> None:
        os.killpg(started[0].pid, signal.SIGINT)

    with Relay(porch.board) as relay:
        name = porch.enter(relay.board, "interrupted")
        before, files = porch.answer(), releases(porch.root)
        relay.after(max(1_000, int(BALLAST * share)), interrupt)
        with porch.start_push(bundle, name) as process:
            started.append(process)
            began = time.monotonic()
            try:
                _, errors = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                # Left running, it would be waited for without end, and haunt the tests after this one.
                process.kill()
                raise
        assert process.returncode == 130, errors
        assert time.monotonic() - began < LIMIT_SECONDS
        assert "interrupted" in errors
        assert "Traceback" not in errors
    await_idle(porch)
    if share < 1.0:
        assert releases(porch.root) == files
        assert porch.answer() == before
    done = porch.push(bundle)
    assert done.returncode == 0, done.stderr


# A board with little room


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Project]:
    """A board whose keeper has a file system of 260 MB to itself; needs root."""
    if os.geteuid() != 0:
        pytest.skip("a file system of fixed size needs root")
    with contextlib.ExitStack() as stack:
        lab = LabFolder.of(tmp_path / ".edge/lab", "small")
        board = lab_up(
            "small", server="sshd", folder=tmp_path / ".edge/lab", inventory=tmp_path / "boards.toml"
        )
        stack.callback(lab_down, folder=tmp_path / ".edge/lab")
        mount = lab.home / "edge"
        mount.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=260m,mode=700", "edge-lab", mount], check=True)
        stack.callback(subprocess.run, ["umount", "-l", str(mount)], check=True)
        setup(board, cache=ENVIRONMENTS)
        made = Project(tmp_path, "small", board)
        assert push(make_bundle(tmp_path / "v1.edge"), board).changed
        yield made


@pytest.mark.board
def test_a_full_disk(small_disk: Project) -> None:
    bundle = small_disk.bundle()
    filler = small_disk.root / "filler"
    room = shutil.disk_usage(small_disk.root).free
    for left in (1_000_000, 0):
        with unharmed(small_disk):
            with filler.open("wb") as stream:
                stream.truncate(0)
                os.posix_fallocate(stream.fileno(), 0, max(1, room - left))
            done, seconds = timed(lambda: small_disk.push(bundle))
            filler.unlink()
            document = check_refusal(done, error="NoSpaceError", code=6, seconds=seconds)
            assert "nothing was changed" in document["hint"]
    check_success(small_disk, bundle)


@pytest.mark.board
def test_a_disk_too_small_for_the_environment(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("a file system of fixed size needs root")
    folder, inventory = tmp_path / ".edge/lab", tmp_path / "boards.toml"
    lab_up("tiny", server="sshd", folder=folder, inventory=inventory)
    lab = LabFolder.of(folder, "tiny")
    mount = lab.home / "edge"
    mount.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "edge-lab", mount], check=True)
    try:
        command = [sys.executable, "-m", "edge_sdk.cli.main", "board", "setup", "tiny", "--json"]
        (tmp_path / ".edge/cache").mkdir()
        (tmp_path / ".edge/cache/environments").symlink_to(ENVIRONMENTS)
        done, seconds = timed(
            lambda: subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        )
        check_refusal(done, error="NoSpaceError", code=6, seconds=seconds)
        assert not list((mount / "environments").iterdir())
        assert not (mount / "environment").is_symlink()
    finally:
        subprocess.run(["umount", "-l", mount], check=True)
        lab_down(folder=folder)


# A real network


@pytest.mark.board
def test_a_real_cable_is_pulled_in_the_middle(porch: Project) -> None:
    require_cable()
    bundle = porch.bundle(ballast=60_000_000)
    pulled_at: list[float] = []
    with unharmed(porch), cable(porch.board) as line:
        name = porch.enter(line.board, "cabled")
        assert porch.edge("status", name).returncode == 0

        def pull(step: Step) -> None:
            if step.stage == "push" and (step.fraction or 0) > 0.3 and not pulled_at:
                pulled_at.append(time.monotonic())
                line.pull()

        with pytest.raises(ConnectError):
            push(bundle, line.board, progress=pull)
        assert time.monotonic() - pulled_at[0] < LIMIT_SECONDS
        line.plug_in()
        await_idle(porch)
    check_success(porch, bundle)


@pytest.mark.board
def test_a_cable_that_was_out_before(porch: Project) -> None:
    require_cable()
    with unharmed(porch), cable(porch.board) as line:
        name = porch.enter(line.board, "cabled")
        line.pull()
        done, seconds = timed(lambda: porch.push(porch.bundle(), name))
        check_refusal(done, error="ConnectError", code=6, seconds=seconds)


# The embedded server, for the same promises where no sshd is installed


def test_the_embedded_server_keeps_them_too(tmp_path: Path) -> None:
    with project(tmp_path, name="inside", server="embedded") as made:
        bundle = made.bundle()
        with Relay(made.board) as relay:
            with unharmed(made):
                name = made.enter(relay.board, "relayed")
                relay.after(BALLAST // 2, relay.cut)
                done, seconds = timed(lambda: made.push(bundle, name))
                check_refusal(done, error=("ConnectError", "RemoteError"), code=6, seconds=seconds)
                await_idle(made)
            check_success(made, bundle, name)
            before = relay.carried
            assert not json.loads(made.push(bundle, name).stdout)["results"][0]["changed"]
            assert relay.carried - before < 10_000
