"""The whole way to an arm64 board: set up, pushed to, and its prediction compared with the host's golden.

The board is an emulated Raspberry Pi 4 with Debian, Python and sshd, and nothing else. Everything beyond that
was resolved on this host and brought over SSH.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.provision import setup
from edge_sdk.deploy.push import predict, push, rollback, status
from edge_sdk.errors import BoardError, RemoteError
from tests.lab.arm64 import arm64_board, require_arm64
from tests.lab.bundles import make_bundle
from tests.lab.connection import connected, run
from tests.lab.environments import ENVIRONMENTS

pytestmark = [pytest.mark.board, pytest.mark.timeout(900)]

VARIANTS = {"float32": "conv_float.tflite", "full_int8_io": "conv_int8.tflite"}


@pytest.fixture(scope="module")
def bare_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    require_arm64()
    with arm64_board(tmp_path_factory.mktemp("arm64"), target="raspberry-pi-4") as board:
        yield board


def target_file(folder: Path, runtime: str) -> str:
    """Return a target for the emulated board that uses the runtime: a file of the user's own."""
    path = folder / f"emulated-{runtime}.toml"
    path.write_text(
        'title = "Emulated Raspberry Pi 4"\n'
        'platform = "linux"\n'
        'architecture = "aarch64"\n'
        f'[runtime]\nname = "{runtime}"\n'
        '[[delegates]]\nname = "xnnpack"\n'
    )
    return str(path)


@pytest.mark.parametrize("runtime", ["litert", "tflite-runtime"])
def test_the_board_predicts_what_the_host_recorded(bare_board: Board, runtime: str, tmp_path: Path) -> None:
    target = target_file(tmp_path, runtime)
    board = replace(bare_board, target=target, root=f"edge-{runtime}")
    began = time.monotonic()
    done = setup(board, cache=ENVIRONMENTS)
    assert done.runtime == runtime
    assert done.facts.architecture == "aarch64"
    assert done.facts.glibc == "2.36"
    assert "Raspberry Pi 4" in str(done.facts.model)
    again = setup(board, cache=ENVIRONMENTS)
    assert not again.changed
    print(f"{runtime}: set up in {time.monotonic() - began:.1f} s, {done.bytes_sent:,} bytes")

    path = make_bundle(tmp_path / "tiny.edge", targets=[target], variants=VARIANTS)
    image = tmp_path / "image.npy"
    releases = []
    for variant in VARIANTS:
        pushed = push(path, board, variant=variant)
        releases.append(pushed.release)
        assert pushed.changed
        assert pushed.trial is not None
        assert pushed.trial["passed"] is True
        assert pushed.trial["runtime"]["name"] == runtime
        with Bundle.open(path) as bundle:
            golden = bundle.manifest.variant(variant).golden
            assert golden is not None
            vectors = GoldenVectors.from_bytes(bundle.read(golden.file))
        # The trial has run every case on the board; asking from here goes the other way round once more.
        np.save(image, next(vectors.cases())["image"])
        answer = predict(board, {"image": image})
        assert (answer["variant"], answer["release"]) == (variant, pushed.release)
        given = np.array(answer["outputs"]["probabilities"], np.float32)
        expected = vectors.expected(0)["probabilities"]
        np.testing.assert_allclose(given, expected, atol=golden.atol, rtol=golden.rtol)
        assert not push(path, board, variant=variant).changed
    check_libraries(board)
    assert rollback(board)["release"] == releases[0]
    assert status(board)["current"] == releases[0]


def test_a_board_without_the_cpp_library_is_told_so(bare_board: Board, tmp_path: Path) -> None:
    root = Path(str(bare_board.key_file)).parent / "root"
    board = replace(bare_board, target=target_file(tmp_path, "litert"), root="edge-without")
    library = root / "usr/lib/aarch64-linux-gnu/libstdc++.so.6"
    with away(library), pytest.raises(BoardError) as refusal:
        setup(board, cache=ENVIRONMENTS)
    assert "libstdc++6" in str(refusal.value)
    assert refusal.value.exit_code == 6


def test_a_board_without_python_is_told_so(bare_board: Board, tmp_path: Path) -> None:
    root = Path(str(bare_board.key_file)).parent / "root"
    board = replace(bare_board, target=target_file(tmp_path, "litert"), root="edge-without")
    with away(root / "usr/bin/python3"), pytest.raises(RemoteError, match="no Python"):
        setup(board, cache=ENVIRONMENTS)


def test_the_targets_name_their_own_architecture(bare_board: Board) -> None:
    with pytest.raises(BoardError, match="is armv7l, but pi is aarch64"):
        setup(replace(bare_board, target="generic-armv7", root="edge-without"), cache=ENVIRONMENTS)


def check_libraries(board: Board) -> None:
    """Check that what was sent is for the board's processor and not for the host's."""
    with connected(board) as client:
        found = run(client, f"find {board.root}/environment/ -name '*.so*' -type f")[1].decode().split()
        assert len(found) > 5
        for library in found[:: max(1, len(found) // 10)]:
            # Byte 18 of an ELF file is its machine; 0xb7 is AArch64.
            assert run(client, f"od -An -tx1 -j18 -N1 {library}")[1].split() == [b"b7"], library


@contextlib.contextmanager
def away(path: Path) -> Iterator[None]:
    """Take a file off the board's disk for a while."""
    hidden = path.with_name(path.name + ".away")
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)
