"""`edge lab` as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.deploy.lab.conftest import require_server
from tests.lab.bundles import make_bundle, sample_image
from tests.lab.environments import ENVIRONMENTS


def edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *arguments], capture_output=True, text=True, timeout=300
    )


@pytest.fixture(autouse=True)
def folder_with_wheels(tmp_path: Path) -> Iterator[None]:
    """Resolve the wheels once for all tests, and end what they started."""
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    (tmp_path / ".edge/cache").mkdir(parents=True)
    (tmp_path / ".edge/cache/environments").symlink_to(ENVIRONMENTS)
    yield
    edge("lab", "down")


@pytest.mark.parametrize(
    ("server", "runtime"), [("sshd", "litert"), ("embedded", "litert"), ("embedded", "tflite-runtime")]
)
def test_from_nothing_to_a_prediction(server: str, runtime: str, tmp_path: Path) -> None:
    require_server(server)
    up = edge("lab", "up", "porch", "--server", server, "--runtime", runtime, "--json")
    if up.returncode == 2 and "no Python on this machine can run" in up.stdout:
        pytest.skip(up.stderr)
    assert up.returncode == 0, up.stderr
    document = json.loads(up.stdout)
    assert document["setup"]["runtime"] == runtime
    make_bundle(tmp_path / "tiny.edge", targets=[document["board"]["target"]])
    np.save(tmp_path / "image.npy", sample_image())
    pushed = edge("push", "porch", "--bundle", "tiny.edge")
    assert pushed.returncode == 0, pushed.stderr
    answered = edge("run", "porch", "--input", "image.npy", "--json")
    assert answered.returncode == 0, answered.stderr
    answer = json.loads(answered.stdout)
    assert answer["runtime"]["name"] == runtime
    assert sum(answer["outputs"]["probabilities"][0]) == pytest.approx(1.0)

    [shown] = json.loads(edge("lab", "list", "--json").stdout)
    assert (shown["name"], shown["running"], shown["server"]) == ("porch", True, server)
    assert "porch is down" in edge("lab", "down").stdout
    assert edge("push", "porch", "--bundle", "tiny.edge").returncode == 6
    again = edge("lab", "up", "porch", "--runtime", runtime, "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["setup"]["changed"] is False
    assert edge("run", "porch", "--input", "image.npy").returncode == 0


def test_words_for_people() -> None:
    up = edge("lab", "up", "--bare")
    assert up.returncode == 0, up.stderr
    assert "edge board setup lab" in up.stdout
    assert "making a board with Python" in up.stderr
    listing = edge("lab", "list").stdout
    assert "up (pid" in listing
    assert "litert" in listing
    assert edge("lab", "down", "--remove").stdout == "lab is down and removed\n"
    assert "no lab boards here" in edge("lab", "list").stdout
    assert edge("lab", "down").stdout == "no lab boards here\n"


def test_refusals_are_usage_errors() -> None:
    for arguments in (("up", "--runtime", "torch"), ("up", "../porch"), ("down", "nobody")):
        done = edge("lab", *arguments, "--json")
        assert done.returncode == 2
        assert json.loads(done.stdout)["error"] == "ConfigError"
