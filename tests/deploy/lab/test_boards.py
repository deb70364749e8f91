"""Up, down, list: boards that come and go reliably."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import Board, add_board, load_inventory
from edge_sdk.deploy.lab import lab_boards, lab_down, lab_up
from edge_sdk.deploy.lab.folder import LabFolder
from edge_sdk.deploy.lab.process import ServerProcess, read_process, started_at
from edge_sdk.errors import BoardError, BusyError, ConfigError
from tests.lab.connection import connected, run, start

LAB = Path(".edge/lab")


def process_of(name: str = "porch") -> ServerProcess:
    process = read_process(LabFolder.of(LAB, name).process_file)
    assert process is not None
    return process


def test_a_board_enters_the_inventory_and_keeps_to_its_folder(
    board: Board, server: str, tmp_path: Path
) -> None:
    assert load_inventory(Path("boards.toml")) == {"porch": board}
    assert board.target == "host"
    assert {path.name for path in tmp_path.iterdir()} == {".edge", "boards.toml"}
    [shown] = lab_boards()
    assert (shown.name, shown.running, shown.server) == ("porch", True, server)
    assert Path(str(board.key_file)).stat().st_mode & 0o777 == 0o600


def test_up_again_changes_nothing(board: Board, make_board: Callable[..., Board]) -> None:
    process = process_of()
    assert make_board() == board
    assert process_of() == process


def test_down_and_up_again_is_the_same_board(board: Board, make_board: Callable[..., Board]) -> None:
    Path(LAB, "porch/home/kept").touch()
    assert lab_down() == ["porch"]
    assert not lab_boards()[0].running
    assert lab_down() == ["porch"]
    assert make_board() == board
    with connected(board) as client:
        assert run(client, "ls")[1] == b"kept\n"


def test_down_with_remove_leaves_nothing(board: Board) -> None:
    lab_down("porch", remove=True)
    assert not Path(LAB, "porch").exists()
    assert load_inventory(Path("boards.toml")) == {}
    assert lab_boards() == []


def test_down_ends_all_that_runs_on_the_board(board: Board) -> None:
    with connected(board) as client:
        busy = start(client, "echo $$; exec sleep 1000")
        left = start(client, "setsid sleep 1001 > /dev/null 2>&1 < /dev/null & echo $!")
        pids = [process_of().pid, int(busy.recv(20)), int(left.recv(20))]
        assert all(started_at(pid) for pid in pids)
        lab_down("porch")
    assert [started_at(pid) for pid in pids] == [None, None, None]


def test_down_ends_a_frozen_board(board: Board) -> None:
    process = process_of()
    os.kill(process.pid, signal.SIGSTOP)
    lab_down("porch")
    assert not process.alive


def test_a_killed_server_comes_back_at_the_same_address(
    board: Board, make_board: Callable[..., Board]
) -> None:
    process = process_of()
    os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lab_boards()[0].running
    assert make_board() == board
    assert process_of() != process
    with connected(board) as client:
        assert run(client, "true")[0] == 0


def test_a_pid_that_belongs_to_somebody_else_now_is_left_alone(board: Board) -> None:
    path = LabFolder.of(LAB, "porch").process_file
    real = process_of()
    with subprocess.Popen(["sleep", "1000"]) as stranger:
        path.write_text(json.dumps({"pid": stranger.pid, "started": real.started}))
        assert not lab_boards()[0].running
        lab_down("porch")
        assert stranger.poll() is None
        stranger.kill()
    # The mark in its environment found the embedded server even so; sshd rewrites its environment's memory.
    real.send(signal.SIGKILL)


def test_the_server_outlives_the_command_and_its_interrupts(
    server: str, make_board: Callable[..., Board]
) -> None:
    command = [sys.executable, "-m", "edge_sdk.cli.main", "lab", "up", "porch", "--bare", "--server", server]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as edge:
        output, errors = edge.communicate(timeout=60)
    assert edge.returncode == 0, errors.decode()
    assert json.loads(output)["board"]["name"] == "porch"
    process = process_of()
    # What a terminal sends to its foreground group, and when it closes.
    for number in (signal.SIGINT, signal.SIGHUP):
        with pytest.raises(ProcessLookupError):
            os.killpg(edge.pid, number)
    assert process.alive
    with connected(make_board(server=server)) as client:
        assert run(client, "true")[0] == 0


def test_two_boards_are_strangers(server: str, make_board: Callable[..., Board]) -> None:
    first, second = make_board("first", server=server), make_board("second", server=server)
    assert first.port != second.port
    assert first.host_key != second.host_key
    assert Path(str(first.key_file)).read_text() != Path(str(second.key_file)).read_text()
    assert lab_down("first") == ["first"]
    with connected(second) as client:
        assert run(client, "true")[0] == 0


def test_a_folder_with_spaces_and_signs_will_do(server: str, tmp_path: Path) -> None:
    odd = tmp_path / "my 100% 'odd' folder"
    odd.mkdir()
    board = lab_up("porch", server=server, folder=odd)
    try:
        with connected(board) as client:
            status, output, errors = run(client, 'pwd; python3 -c "import sys; print(sys.prefix)"')
            assert (status, errors) == (0, b"")
            assert output.decode().split("\n")[:2] == [str(odd / "porch/home"), str(odd / "porch/python")]
    finally:
        lab_down(folder=odd)


def test_a_half_made_board_is_made_again(make_board: Callable[..., Board]) -> None:
    lab = LabFolder.of(LAB, "porch")
    lab.host_key.parent.mkdir(parents=True)
    lab.host_key.write_text("cut off")
    board = make_board()
    with connected(board) as client:
        assert run(client, "true")[0] == 0


def test_a_server_that_cannot_start_says_why_and_leaves_no_process(
    make_board: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge_sdk.deploy.lab.boards as boards

    monkeypatch.setattr(
        boards, "_command", lambda lab, record: ["sh", "-c", "echo the disk is upside down; exit 3"]
    )
    with pytest.raises(BoardError) as refusal:
        make_board()
    assert "upside down" in str(refusal.value)
    assert read_process(LabFolder.of(LAB, "porch").process_file) is None
    assert load_inventory(Path("boards.toml")) == {}


def test_a_program_that_is_missing_is_a_board_error(
    make_board: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge_sdk.deploy.lab.boards as boards

    monkeypatch.setattr(boards, "_command", lambda lab, record: ["/no/such/program"])
    with pytest.raises(BoardError, match="could not be started"):
        make_board()


def test_auto_uses_the_embedded_server_where_sshd_fails(
    make_board: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge_sdk.deploy.lab.boards as boards

    original = boards.server_command
    monkeypatch.setattr(boards, "find_sshd", lambda: Path("/bin/false"))
    monkeypatch.setattr(boards, "server_command", lambda *given: original(*given))
    said: list[str] = []
    board = make_board(progress=lambda step: said.append(step.message))
    assert lab_boards()[0].server == "embedded"
    assert any("embedded server" in message for message in said)
    with connected(board) as client:
        assert run(client, "true")[0] == 0
    with pytest.raises(BoardError):
        make_board("second", server="sshd")


def test_auto_uses_the_embedded_server_where_there_is_no_sshd(
    make_board: Callable[..., Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    import edge_sdk.deploy.lab.boards as boards

    monkeypatch.setattr(boards, "find_sshd", lambda: None)
    make_board()
    assert lab_boards()[0].server == "embedded"
    with pytest.raises(ConfigError, match="no sshd for a lab board"):
        make_board("second", server="sshd")


def test_what_a_board_is_does_not_change_silently(make_board: Callable[..., Board]) -> None:
    make_board(server="embedded")
    with pytest.raises(ConfigError, match="exists with server embedded, not sshd"):
        make_board(server="sshd")
    with pytest.raises(ConfigError, match="exists with runtime litert, not tflite-runtime"):
        make_board(runtime="tflite-runtime")


def test_the_name_of_a_real_board_is_not_taken(make_board: Callable[..., Board]) -> None:
    real = Board(name="porch", host="192.0.2.7", user="pi", target="raspberry-pi-4")
    add_board(Path("boards.toml"), real)
    with pytest.raises(ConfigError, match="has another board called 'porch'"):
        make_board()
    assert load_inventory(Path("boards.toml")) == {"porch": real}
    assert not LAB.exists()


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "-x", "a b", "x" * 41])
def test_names_that_are_no_folder_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a board's name"):
        lab_up(name)


def test_wrong_words_are_refused_before_anything_is_made() -> None:
    with pytest.raises(ConfigError, match="no lab server called 'dropbear'"):
        lab_up("porch", server="dropbear")
    with pytest.raises(ConfigError, match="no runtime called 'torch'"):
        lab_up("porch", runtime="torch")
    assert lab_boards() == []
    with pytest.raises(ConfigError, match="no lab board called 'porch2'"):
        lab_down("porch2")


def test_two_commands_at_once_do_not_both_make_the_board(make_board: Callable[..., Board]) -> None:
    with LabFolder.of(LAB, "porch").locked(), pytest.raises(BusyError, match="being brought up or down"):
        make_board()
