from __future__ import annotations

from pathlib import Path

import pytest

from edge_sdk.deploy.inventory import (
    Board,
    add_board,
    find_board,
    fingerprint,
    load_inventory,
    parse_address,
    remove_board,
)
from edge_sdk.errors import ConfigError, NoSpaceError

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
# ssh-keygen -lf of the line above (GitHub's published key).
KEY_FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def board(**changes: object) -> Board:
    fields: dict[str, object] = {"name": "porch", "host": "10.0.0.2", "user": "pi", "target": "host"}
    return Board(**{**fields, **changes})  # type: ignore[arg-type]


def test_add_read_and_remove(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "boards.toml"
    porch = board(host_key=KEY, key_file="~/.ssh/porch", port=2222)
    add_board(path, porch)
    add_board(path, board(name="attic", root="my edge"))
    assert load_inventory(path) == {"porch": porch, "attic": board(name="attic", root="my edge")}
    assert remove_board(path, "porch") == porch
    assert list(load_inventory(path)) == ["attic"]
    remove_board(path, "attic")
    assert load_inventory(path) == {}


def test_comments_and_order_survive(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    path.write_text(
        '# ours\n[boards.porch] # by the door\nhost = "10.0.0.2" # static\nuser = "pi"\ntarget = "host"\n'
    )
    add_board(path, board(name="attic"))
    text = path.read_text()
    assert text.startswith('# ours\n[boards.porch] # by the door\nhost = "10.0.0.2" # static\n')
    add_board(path, board(name="attic", host="10.0.0.3"), replace=True)
    remove_board(path, "attic")
    assert path.read_text().startswith('# ours\n[boards.porch] # by the door\nhost = "10.0.0.2" # static\n')
    assert find_board("porch", path) == board()


def test_a_name_is_added_once(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    add_board(path, board())
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="exists already"):
        add_board(path, board(host="10.0.0.9"))
    assert path.read_bytes() == before


def test_an_unknown_board_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    with pytest.raises(ConfigError, match="no board called 'porch'") as caught:
        find_board("porch", path)
    assert "edge board add porch" in str(caught.value.hint)
    add_board(path, board())
    with pytest.raises(ConfigError) as caught:
        find_board("proch", path)
    assert caught.value.hint == "did you mean 'porch'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("board = 1", "unknown key 'board'"),
        ("boards = 1", "is not a table"),
        ("[boards]\nporch = 1", "boards.porch is not a table"),
        ("[boards.porch]\nuser = 'pi'\ntarget = 'host'", "boards.porch.host is missing"),
        ("[boards.porch]\nhost = 'a'\nuser = 'pi'\ntarget = 'host'\nhostkey = 'x'", "unknown key"),
        ("[boards.porch]\nhost = 'a'\nuser = 'pi'\ntarget = 'host'\nport = '22'", "expected int"),
        ("[boards.porch]\nhost = 'a'\nuser = 'pi'\ntarget = 'host'\nname = 'b'", "unknown key 'name'"),
        ("[boards.porch]\nhost = 'a'\ntarget = 'host'", "user is missing"),
        ("[boards.porch", "not valid TOML"),
    ],
)
def test_broken_inventories_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "boards.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_inventory(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "../up"},
        {"name": "-x"},
        {"name": "a b"},
        {"host": ""},
        {"host": "-oProxyCommand=x"},
        {"host": "a\nb"},
        {"port": 0},
        {"port": 65536},
        {"root": ""},
        {"root": "-rf"},
        {"python": "x\n"},
        {"transport": "carrier pigeon"},
        {"user": ""},
        {"host_key": "ssh-ed25519"},
        {"host_key": "ssh-ed25519 AAAA"},
        {"host_key": "ssh-ed25519 !!!!"},
        {"host_key": "SHA256:short"},
        {"host_key": "@cert-authority * " + KEY},
        {"host_key": KEY.replace("ssh-ed25519", "ssh-rsa")},
    ],
)
def test_values_that_cannot_be(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        board(**changes)


def test_fingerprints_are_those_of_ssh_keygen() -> None:
    assert fingerprint(KEY) == KEY_FINGERPRINT
    assert fingerprint(KEY + " comment") == KEY_FINGERPRINT
    assert fingerprint(KEY_FINGERPRINT) == KEY_FINGERPRINT


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("pi@192.168.1.20", ("pi", "192.168.1.20", 22)),
        ("pi@board.local:2222", ("pi", "board.local", 2222)),
        ("root@[fe80::1]:2222", ("root", "fe80::1", 2222)),
        ("root@[fe80::1]", ("root", "fe80::1", 22)),
    ],
)
def test_addresses(text: str, parts: tuple[str, str, int]) -> None:
    assert parse_address(text) == parts


@pytest.mark.parametrize(
    "text", ["", "board", "pi@", "@host", "pi@host:", "pi@host:x", "pi@a:b:c", "pi @host"]
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an address"):
        parse_address(text)


def test_a_full_disk_leaves_the_old_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "boards.toml"
    add_board(path, board())
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NoSpaceError):
        add_board(path, board(name="attic"))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["boards.toml"]
