"""The whole way to an arm64 board: set up, pushed to, and its prediction compared with the host's golden.

The board is an emulated Raspberry Pi 4 with Debian, Python and sshd, and nothing else. Everything beyond that
was resolved on this host and brought over SSH.
"""

from __future__ import annotations

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
        for index, case in enumerate(vectors.cases()):
            np.save(image, case["image"])
            answer = predict(board, {"image": image})
            assert (answer["variant"], answer["release"]) == (variant, pushed.release)
            given = np.array(answer["outputs"]["probabilities"], np.float32)
            expected = vectors.expected(index)["probabilities"]
            np.testing.assert_allclose(given, expected, atol=golden.atol, rtol=golden.rtol)
        assert not push(path, board, variant=variant).changed
    assert rollback(board)["release"] == releases[0]
    assert status(board)["current"] == releases[0]


def test_wheels_for_the_host_were_not_sent(bare_board: Board) -> None:
    with connected(bare_board) as client:
        found = run(client, "find edge-litert/ edge-tflite-runtime/ -name '*.so*' -type f | head -n 200")[1]
    libraries = found.decode().split()
    assert libraries
    with connected(bare_board) as client:
        for library in libraries[:: max(1, len(libraries) // 20)]:
            # Byte 18 of an ELF file is its machine; 0xb7 is AArch64.
            assert run(client, f"od -An -tx1 -j18 -N1 {library}")[1].split() == [b"b7"], library
