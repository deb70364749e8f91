"""`edge board`, `push`, `run`, `status`, `rollback`, `logs` as a user types them, against a real sshd."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.cli.run import read_wishes
from edge_sdk.deploy.inventory import Board, add_board, fingerprint, load_inventory
from edge_sdk.errors import ConfigError
from tests.deploy.bundles import make_bundle
from tests.deploy.conftest import bare_python, ready_board, server, shared_server
from tests.deploy.server import Server

__all__ = ["bare_python", "ready_board", "server", "shared_server"]

INVENTORY = Path("boards.toml")


def edge(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **environment},
        timeout=120,
    )


def address(server: Server) -> str:
    board = server.board()
    return f"{board.user}@127.0.0.1:{server.port}"


def document(*arguments: str, code: int = 0) -> Any:
    done = edge(*arguments, "--json")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


# board add


def test_without_a_host_key_nothing_is_pinned_and_the_command_is_shown(shared_server: Server) -> None:
    arguments = ("board", "add", "desk", address(shared_server), "--target", "host")
    done = edge(*arguments, "--key", str(shared_server.key_file), COLUMNS="400")
    assert done.returncode == 6
    assert done.stdout == ""
    assert not INVENTORY.exists()
    shown = fingerprint(shared_server.host_key)
    command = f"edge board add desk {address(shared_server)} --target host --key {shared_server.key_file}"
    assert f"{command} --host-key {shown}" in done.stderr
    # The command that was shown works as it stands.
    again = edge(*command.split()[1:], "--host-key", shown)
    assert again.returncode == 0, again.stderr
    assert load_inventory(INVENTORY)["desk"].host_key == shared_server.host_key


def test_the_error_as_json(shared_server: Server) -> None:
    found = document("board", "add", "desk", address(shared_server), "--target", "host", code=6)
    assert found["error"] == "HostKeyError"
    assert found["details"]["actual"] == fingerprint(shared_server.host_key)


def test_a_whole_host_key_needs_no_connection() -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl comment"
    found = document(
        "board", "add", "far", "pi@192.0.2.1", "--target", "host", "--host-key", key, "--key", "~/.ssh/far"
    )
    assert found["host_key"] == key.removesuffix(" comment")
    assert found["key_file"] == "~/.ssh/far"
    assert "port" not in found


def test_a_fingerprint_of_another_key_of_the_board(shared_server: Server) -> None:
    other = (shared_server.folder / "host_ecdsa.pub").read_text()
    arguments = ("board", "add", "desk", address(shared_server), "--target", "host")
    found = document(*arguments, "--host-key", fingerprint(other))
    assert found["host_key"] == " ".join(other.split()[:2])


def test_a_wrong_fingerprint_is_refused(shared_server: Server) -> None:
    arguments = ("board", "add", "desk", address(shared_server), "--target", "host")
    found = document(*arguments, "--host-key", "SHA256:" + "A" * 43, code=6)
    assert "CHANGED" in found["what"]
    assert not INVENTORY.exists()


def test_accepting_the_shown_key(shared_server: Server) -> None:
    arguments = ("board", "add", "desk", address(shared_server), "--target", "host", "--accept-host-key")
    assert document(*arguments)["host_key"] == shared_server.host_key
    assert document(*arguments, code=2)["what"].startswith("board 'desk' exists already")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 6), ("\n", 6)])
def test_on_a_terminal_it_asks(shared_server: Server, answer: str, code: int) -> None:
    arguments = ("board", "add", "desk", address(shared_server), "--target", "host")
    status, talk = on_terminal([*arguments], answer)
    assert status == code, talk
    assert fingerprint(shared_server.host_key) in talk
    assert INVENTORY.exists() == (code == 0)


def on_terminal(arguments: list[str], answer: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_sdk.cli.main", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "300", "TERM": "xterm"},
    )
    os.close(theirs)
    talk, sent = b"", False
    while True:
        if not select.select([ours], [], [], 60)[0]:
            process.kill()
            break
        try:
            data = os.read(ours, 65536)
        except OSError:
            break
        if not data:
            break
        talk += data
        if b"[y/N]" in talk and not sent:
            os.write(ours, answer.encode())
            sent = True
    os.close(ours)
    return process.wait(), talk.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("desk", "no-user", "--target", "host"), 2, "is not an address"),
        (("desk", "pi@127.0.0.1", "--target", "hots"), 2, "no target called"),
        (("a b", "pi@127.0.0.1", "--target", "host"), 2, "is no name for a board"),
        (("desk", "pi@127.0.0.1:1", "--target", "host"), 6, "nothing listens"),
        (("desk", "pi@none.invalid", "--target", "host"), 6, "address of desk is unknown"),
        (("desk", "pi@127.0.0.1", "--target", "host", "--host-key", "nonsense"), 2, "not a host key"),
    ],
)
def test_mistakes_in_add(arguments: tuple[str, ...], code: int, message: str) -> None:
    found = document("board", "add", *arguments, code=code)
    assert message in found["what"]
    assert found["hint"]
    assert not INVENTORY.exists()


def test_list_and_remove() -> None:
    assert "no boards here" in edge("board", "list").stdout
    add_board(INVENTORY, Board(name="desk", host="10.0.0.2", user="pi", target="host"))
    assert "not pinned" in edge("board", "list").stdout
    assert document("board", "list")[0]["name"] == "desk"
    assert document("board", "remove", "desk")["host"] == "10.0.0.2"
    assert document("board", "list") == []
    assert document("board", "remove", "desk", code=2)["what"] == "no board called 'desk'"


def test_a_local_board_is_set_up_and_used(own_folder: Path, bare_python: Path) -> None:
    (own_folder / "home").mkdir()
    document("board", "add", "here", "local:home", "--target", "host", "--python", str(bare_python))
    cache = own_folder / ".edge" / "cache"
    cache.mkdir(parents=True)
    from tests.deploy.conftest import ENVIRONMENTS

    (cache / "environments").symlink_to(ENVIRONMENTS)
    found = document("board", "setup", "here")
    assert found["changed"] is True
    text = edge("board", "setup", "here").stdout
    assert "here was ready already" in text
    assert "ai-edge-litert 2.3" in text


# push and after


@pytest.fixture
def desk(ready_board: Board) -> Board:
    """The board that is ready, in the inventory of this test's folder."""
    add_board(INVENTORY, ready_board)
    return ready_board


def test_the_whole_way(desk: Board, own_folder: Path) -> None:
    bundle = str(make_bundle(own_folder / "conv.edge", version="cli 1"))
    plan = document("push", "desk", "--bundle", bundle, "--dry-run")["plans"][0]
    assert plan["variant"] == "float32"
    (first,) = document("push", "desk", "--bundle", bundle)["results"]
    assert first["changed"] is True
    assert first["trial"]["passed"] is True
    (again,) = document("push", "--bundle", bundle)["results"]
    assert again["changed"] is False
    assert again["bytes_sent"] + again["bytes_received"] < 10_000
    make_bundle(own_folder / "build" / "next.edge", version="cli 2")
    done = edge("push", "desk")
    assert done.returncode == 0, done.stderr
    assert "now runs" in done.stdout
    assert "litert 2.3" in done.stdout
    assert "float32.tflite" in done.stderr

    picture(own_folder / "x.png")
    prediction = document("run", "desk", "--input", "x.png")
    assert prediction["runtime"]["name"] == "litert"
    text = edge("run", "desk", "--input", "image=x.png").stdout
    assert prediction["outputs"]["probabilities"][0][0]["label"] in text
    assert "ms on desk, litert" in text
    assert document("run", "desk", "--input", "none.png", code=2)["what"] == "none.png does not exist"

    assert first["release"] in edge("rollback", "desk").stdout
    assert document("status", "desk")["current"] == first["release"]
    assert first["release"] in edge("status", "desk").stdout
    assert document("rollback", "desk", "--to", first["release"])["changed"] is False
    assert "rolled back" in document("logs", "desk", "--lines", "1")["lines"][0]
    assert "rolled back" in edge("logs", "desk").stdout


def picture(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (20, 20), (9, 200, 30)).save(path)


def test_several_boards_where_one_fails(desk: Board, own_folder: Path) -> None:
    bundle = str(make_bundle(own_folder / "conv.edge", version=f"several {time.time()}"))
    add_board(INVENTORY, Board(name="gone", host="127.0.0.1", port=1, user="pi", target="host",
                               host_key=desk.host_key, key_file=desk.key_file))  # fmt: skip
    found = document("push", "gone", "desk", "--bundle", bundle, code=7)
    assert found["error"] == "RolloutError"
    assert [item["board"] for item in found["details"]["results"]] == ["desk"]
    assert found["details"]["failures"][0]["error"] == "ConnectError"


def test_what_push_needs(own_folder: Path) -> None:
    assert "has no boards" in document("push", code=2)["what"]
    for name in ("one", "two"):
        add_board(INVENTORY, Board(name=name, host="127.0.0.1", user="pi", target="host"))
    assert document("push", code=2)["what"] == "which board?"
    assert "there is no bundle" in document("push", "one", code=2)["what"]
    assert document("push", "one", "--bundle", "none.edge", code=5)["what"] == "none.edge does not exist"
    assert document("push", "three", code=2)["what"] == "no board called 'three'"
    for name in ("a", "b"):
        make_bundle(own_folder / "build" / f"{name}.edge")
    assert document("push", "one", code=2)["what"] == "which bundle?"


def test_ctrl_c_while_sending_keeps_the_old_release(
    ready_board: Board, server: Server, own_folder: Path
) -> None:
    server.start()
    board = server.board(root=ready_board.root, python=ready_board.python)
    add_board(INVENTORY, board)
    before = document("status", "desk")["current"]
    bundle = make_bundle(
        own_folder / "large.edge", version=f"large {time.time()}", padding=os.urandom(60_000_000)
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_sdk.cli.main", "push", "desk", "--bundle", str(bundle)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    incoming = Path(board.root) / "incoming"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        path.stat().st_size > 1_000_000 for path in incoming.glob("*.part")
    ):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, talk = process.communicate(timeout=60)
    assert process.returncode == 130, talk
    assert out == ""
    assert "interrupted" in talk
    assert "Traceback" not in talk
    assert document("status", "desk")["current"] == before
    deadline = time.monotonic() + 20
    while any(incoming.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(incoming.iterdir())


# run


def test_wishes(own_folder: Path) -> None:
    for name in ("a.png", "x=y.png"):
        (own_folder / name).write_bytes(b"")
    assert read_wishes(["a.png"], []) == {"": Path("a.png")}
    assert read_wishes(["image=a.png"], ["kind=[1]"]) == {"image": Path("a.png"), "kind": [1]}
    assert read_wishes(["x=y.png"], []) == {"": Path("x=y.png")}
    assert read_wishes([], ["[[1, 2]]"]) == {"": [[1, 2]]}
    for inputs, values, message in (
        ([], [], "nothing to run"),
        (["b.png"], [], "does not exist"),
        (["image=b.png"], [], "b.png does not exist"),
        (["a.png", "x=y.png"], [], "two inputs without a name"),
        (["image=a.png"], ["image=1"], "'image' is given twice"),
        ([], ["image=[1"], "is not NAME=JSON"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_wishes(inputs, values)
