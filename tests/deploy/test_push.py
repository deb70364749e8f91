from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.plan import Plan
from edge_sdk.deploy.push import current_session, logs, predict, preview, push, rollback, status
from edge_sdk.deploy.session import Blob, Hello, open_session
from edge_sdk.deploy.transport import open_transport
from edge_sdk.errors import (
    BusyError,
    ConfigError,
    ConnectError,
    EdgeError,
    GateError,
    HostKeyError,
    IncompatibleTargetError,
    RemoteError,
)
from edge_sdk.progress import Step
from tests.deploy.bundles import make_bundle
from tests.deploy.server import Server


def current(board: Board) -> str | None:
    with open_session(board) as session:
        return session.hello.current


def test_a_second_push_of_the_same_release_moves_less_than_10_kb(ready_board: Board, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "conv.edge", version="twice", padding=os.urandom(500_000))
    first = push(bundle, ready_board)
    second = push(bundle, ready_board)
    assert (first.changed, second.changed) == (True, False)
    assert second.release == first.release
    assert first.bytes_sent > 500_000
    # Counted on the socket: key exchange, login and all requests included.
    assert second.bytes_sent + second.bytes_received < 10_000
    assert second.bytes_sent < 6_000


def test_only_new_content_travels(ready_board: Board, tmp_path: Path) -> None:
    padding = os.urandom(500_000)
    push(make_bundle(tmp_path / "a.edge", version="content 1", padding=padding), ready_board)
    result = push(make_bundle(tmp_path / "b.edge", version="content 2", padding=padding), ready_board)
    assert result.changed
    assert result.bytes_sent < 20_000


def test_the_plan_is_shown_before_anything_is_sent(ready_board: Board, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "conv.edge", version="shown", padding=os.urandom(200_000))
    before = current(ready_board)
    planned = preview(bundle, ready_board)
    assert current(ready_board) == before
    with open_transport(ready_board) as transport:
        shown: list[tuple[Plan, int]] = []
        result = push(
            bundle,
            ready_board,
            transport=transport,
            show=lambda plan: shown.append((plan, transport.bytes_sent)),
        )
    ((plan, sent_before),) = shown
    assert plan == planned
    assert plan.bytes_to_send > 200_000
    assert sent_before < 10_000
    assert result.release.endswith(plan.manifest_sha256[:12])
    assert 200_000 < result.bytes_sent < 260_000


def test_progress_comes_from_both_sides(ready_board: Board, tmp_path: Path) -> None:
    steps: list[Step] = []
    push(make_bundle(tmp_path / "conv.edge", version="steps"), ready_board, progress=steps.append)
    stages = [step.stage for step in steps]
    for stage in ("connect", "push", "check", "install", "trial", "switch"):
        assert stage in stages
    assert all(step.subject == "desk" for step in steps)


def test_a_bad_release_is_refused_and_the_old_one_runs_on(ready_board: Board, tmp_path: Path) -> None:
    good = push(make_bundle(tmp_path / "good.edge", version="good"), ready_board)
    with pytest.raises(GateError, match="failed its golden vectors") as caught:
        push(make_bundle(tmp_path / "bad.edge", version="bad", wrong_golden=True), ready_board)
    assert caught.value.details["board"] == "desk"
    assert current(ready_board) == good.release


def test_rollback_status_and_logs(ready_board: Board, tmp_path: Path) -> None:
    first = push(make_bundle(tmp_path / "a.edge", version="roll 1"), ready_board)
    second = push(make_bundle(tmp_path / "b.edge", version="roll 2"), ready_board)
    back = rollback(ready_board)
    assert (back["release"], back["previous"]) == (first.release, second.release)
    found = status(ready_board, verify=True)
    assert found["current"] == found["good"] == first.release
    assert found["problems"] == []
    assert rollback(ready_board, second.release)["release"] == second.release
    with pytest.raises(RemoteError, match="999-0123456789ab"):
        rollback(ready_board, "999-0123456789ab")
    text = logs(ready_board, lines=2)
    assert text.count("\n") == 2
    assert "rolled back" in text


def test_predictions_from_files_and_values(ready_board: Board, tmp_path: Path) -> None:
    from PIL import Image

    push(make_bundle(tmp_path / "conv.edge", version="predict"), ready_board)
    pixels = np.random.default_rng(3).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    np.save(tmp_path / "x.npy", (pixels[None] / 255).astype(np.float32))
    by_picture = predict(ready_board, {"": tmp_path / "x.png"})["outputs"]["probabilities"]
    by_array = predict(ready_board, {"image": tmp_path / "x.npy"})["outputs"]["probabilities"]
    by_value = predict(ready_board, {"image": (pixels[None] / 255).tolist()})["outputs"]["probabilities"]
    scores = [[item["score"] for item in found[0]] for found in (by_picture, by_array, by_value)]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-6)
    with pytest.raises(EdgeError, match=r"(?s)wrong.*|image"):
        predict(ready_board, {"wrong": tmp_path / "x.npy"})
    with pytest.raises(ConfigError, match="cannot be read"):
        predict(ready_board, {"": tmp_path / "none.png"})


# Refusals


def test_a_changed_host_key_sends_nothing(ready_board: Board, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "conv.edge", version="key")
    board = dataclasses.replace(ready_board, host_key="SHA256:" + "A" * 43)
    with pytest.raises(HostKeyError):
        push(bundle, board)


def test_a_board_that_is_not_set_up(shared_server: Server, tmp_path: Path) -> None:
    board = shared_server.board(root=str(shared_server.home / "nothing here"))
    with pytest.raises(RemoteError, match="desk is not set up") as caught:
        push(make_bundle(tmp_path / "conv.edge"), board)
    assert caught.value.hint == "edge board setup desk"


def test_a_bundle_for_another_target(ready_board: Board, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "conv.edge", runtimes={"android": "litert"})
    with pytest.raises(IncompatibleTargetError, match="was not built for 'host'"):
        push(bundle, ready_board)


def test_a_login_that_prints_is_named(ready_board: Board, server: Server) -> None:
    server.settings = ["ForceCommand echo Welcome to this board; sleep 1"]
    server.start()
    with (
        pytest.raises(RemoteError, match="does not speak the keeper's protocol") as caught,
        open_session(server.board(root=ready_board.root)),
    ):
        pass
    assert "Welcome" in str(caught.value.why)


def test_a_keeper_of_another_protocol(tmp_path: Path) -> None:
    launcher = tmp_path / "edge" / "bin" / "edge-keeper"
    launcher.parent.mkdir(parents=True)
    hello = '{"hello":{"protocol":7,"keeper":"9.0","facts":{"python":"3.11.2","architecture":"x86_64"}}}'
    launcher.write_text(f"#!/bin/sh\nprintf 'J\\000\\000\\000\\{len(hello):o}%s' '{hello}'\nsleep 1\n")
    launcher.chmod(0o755)
    board = Board(name="desk", host=str(tmp_path), target="host", transport="local")
    with pytest.raises(RemoteError, match="speaks another protocol: 7"), open_session(board):
        pass


def test_two_pushes_at_once(ready_board: Board, tmp_path: Path) -> None:
    with open_session(ready_board) as holder:
        holder.put([Blob.of(b"holds the lock", "x")])
        with pytest.raises(BusyError, match="somebody else") as caught:
            push(make_bundle(tmp_path / "conv.edge", version="busy"), ready_board)
        assert "127.0.0.1" in str(caught.value.why)
    push(make_bundle(tmp_path / "conv.edge", version="busy"), ready_board)


def test_an_unknown_request_is_answered(ready_board: Board) -> None:
    with open_session(ready_board) as session:
        with pytest.raises(RemoteError, match="does not know the request 'dance'"):
            session.request("dance")
        assert session.request("logs")["text"]


# Faults


@pytest.fixture
def own_board(server: Server, ready_board: Board) -> Board:
    """The board that is ready, reached through a server that the test may harm."""
    server.start()
    return server.board(root=ready_board.root, python=ready_board.python)


def large(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "large.edge", version=f"large {time.time()}", padding=os.urandom(8_000_000))


def test_a_link_that_breaks_keeps_the_old_release(own_board: Board, server: Server, tmp_path: Path) -> None:
    before = current(own_board)

    def cut(step: Step) -> None:
        if step.stage == "push" and step.fraction and step.fraction > 0.3:
            kill(pid for pid in server.children() if pid_name(pid).startswith("sshd"))

    with pytest.raises(ConnectError):
        push(large(tmp_path), own_board, progress=cut)
    assert current(own_board) == before
    assert push(make_bundle(tmp_path / "x.edge", version="after the cut"), own_board).changed


def test_a_keeper_that_dies_is_said_so(own_board: Board, server: Server, tmp_path: Path) -> None:
    before = current(own_board)

    def end_keeper(step: Step) -> None:
        if step.stage == "push" and step.fraction and step.fraction > 0.3:
            kill(pid for pid in server.children() if not pid_name(pid).startswith("sshd"))

    with pytest.raises((RemoteError, ConnectError)) as caught:
        push(large(tmp_path), own_board, progress=end_keeper)
    assert caught.value.hint
    assert current(own_board) == before


@pytest.mark.parametrize("whom", ["all", "keeper"])
def test_a_frozen_board_is_noticed_and_changes_nothing(
    own_board: Board, server: Server, tmp_path: Path, whom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_sdk.deploy.transport.ssh.SILENCE_SECONDS", 2.0)
    before = current(own_board)
    frozen: list[int] = []

    def freeze(step: Step) -> None:
        if step.stage == "push" and step.fraction and step.fraction > 0.3 and not frozen:
            frozen.extend(
                pid for pid in server.children() if whom == "all" or not pid_name(pid).startswith("sshd")
            )
            kill(frozen, signal.SIGSTOP)

    started = time.monotonic()
    with pytest.raises(ConnectError, match="gives no answer"):
        push(large(tmp_path), own_board, progress=freeze)
    assert time.monotonic() - started < 15
    assert frozen
    kill(frozen)
    assert current(own_board) == before


def test_stopping_in_the_middle_keeps_the_old_release(own_board: Board, tmp_path: Path) -> None:
    before = current(own_board)

    def stop(step: Step) -> None:
        if step.stage == "push" and step.fraction and step.fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(large(tmp_path), own_board, progress=stop)
    wait_until_free(own_board)
    assert current(own_board) == before
    incoming = Path(own_board.root) / "incoming"
    assert list(incoming.iterdir()) == []


def wait_until_free(board: Board) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            with open_session(board) as session:
                session.put([Blob.of(b"takes the lock", "x")])
            return
        except BusyError:
            time.sleep(0.1)
    raise AssertionError("the lock stays held")


def kill(pids: Iterable[int], number: int = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # ended by itself in between
            os.kill(pid, number)


def pid_name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


# The keeper's code


def test_an_older_keeper_is_replaced_and_a_newer_one_stays(
    ready_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge_sdk.deploy import push as room

    def hello(code: str, version: str) -> Hello:
        return Hello.from_dict(
            {"protocol": 1, "keeper": version, "code": code, "facts": {"python": "3", "architecture": "x"}}
        )

    assert not room.is_outdated(hello("a", "0.1.0"), "a")
    assert room.is_outdated(hello("a", "0.0.9"), "b")
    assert room.is_outdated(hello("a", room.__version__), "b")
    assert not room.is_outdated(hello("a", "99.0.0"), "b")

    code = room.board_code()
    changed = code_with(code, "edge_sdk/keeper/zz_newer.py", b"")
    monkeypatch.setattr(room, "board_code", lambda: changed)
    with open_transport(ready_board) as transport:
        with current_session(ready_board, transport) as session:
            assert session.hello.code == room.code_identity(changed)
        monkeypatch.setattr(room, "board_code", lambda: code)
        with current_session(ready_board, transport) as session:
            assert session.hello.code == room.code_identity(code)


def code_with(code: bytes, name: str, content: bytes) -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO(code)
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o100644 << 16
        archive.writestr(entry, content)
    return buffer.getvalue()


def test_boards_in_parallel_threads(ready_board: Board, old_runtime_board: Board, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "conv.edge", version="parallel")
    results: dict[str, Any] = {}

    def act(board: Board) -> None:
        results[board.name] = push(bundle, board)

    threads = [threading.Thread(target=act, args=(board,)) for board in (ready_board, old_runtime_board)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: result.changed for name, result in results.items()} == {"desk": True, "attic": True}
