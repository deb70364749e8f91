"""Sessions with a real keeper over pipes: requests, refusals, hostile peers, two peers, a lost peer."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest

import edge_sdk
from edge_sdk.errors import (
    BundleError,
    BusyError,
    ConfigError,
    DigestMismatchError,
    GateError,
    IncompatibleTargetError,
    RemoteError,
)
from edge_sdk.keeper.protocol import PROTOCOL_VERSION
from tests.keeper.harness import KeeperProcess, link_environment, refusal
from tests.keeper.releases import digest, tiny_model


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with a space and a quote in its path, and an environment."""
    root = tmp_path / "an edge's root"
    link_environment(root)
    return root


def test_the_board_speaks_first(tmp_path: Path) -> None:
    with KeeperProcess(tmp_path / "edge") as keeper:
        hello = keeper.hello
        assert hello["protocol"] == PROTOCOL_VERSION
        assert hello["keeper"] == edge_sdk.__version__
        assert hello["current"] is hello["good"] is hello["environment"] is None
        assert hello["releases"] == []
        assert hello["facts"]["free_bytes"] > 0
        assert keeper.ask("bye") == {}
        assert keeper.close() == 0
    assert keeper.talk == ""
    assert (tmp_path / "edge").stat().st_mode & 0o777 == 0o700


def test_push_predict_push_again_rollback(root: Path) -> None:
    first, second = tiny_model("1"), tiny_model("2")
    image = np.random.default_rng(1).random((1, 16, 16, 3), dtype=np.float32)
    with KeeperProcess(root) as keeper:
        answer = keeper.push(first)
        assert answer["changed"]
        assert answer["release"] == f"1-{first.sha256[:12]}"
        assert answer["trial"]["passed"]
        assert answer["trial"]["runtime"]["name"] == "litert"
        assert (
            (root / "current").readlink() == (root / "good").readlink() == Path("releases", answer["release"])
        )
        assert [step["stage"] for step in keeper.steps[-4:]] == ["check", "install", "trial", "switch"]

        started = time.monotonic()
        assert keeper.push(first) == {
            "release": answer["release"],
            "changed": False,
            "previous": None,
            "trial": None,
        }
        assert time.monotonic() - started < 2

        keeper.put(_npy(image))
        by_file = keeper.ask("predict", inputs={"image": {"blob": digest(_npy(image))}})
        by_value = keeper.ask("predict", inputs={"": {"value": image.tolist()}})
        assert by_file["outputs"] == by_value["outputs"]
        assert sum(by_file["outputs"]["probabilities"][0]) == pytest.approx(1, abs=1e-4)
        assert by_file["release"] == answer["release"]
        assert not (root / "blobs/sha256" / digest(_npy(image))[:2] / digest(_npy(image))).exists()
        assert list((root / "incoming").iterdir()) == []

    with KeeperProcess(root) as keeper:
        assert keeper.push(second)["previous"] == f"1-{first.sha256[:12]}"
        assert keeper.ask("rollback") == {
            "release": f"1-{first.sha256[:12]}",
            "changed": True,
            "previous": f"2-{second.sha256[:12]}",
        }
        error = refusal(keeper.ask, "rollback")
        assert "no earlier release" in error.what
        status = keeper.ask("status", verify=True)
        assert status["current"] == status["good"] == f"1-{first.sha256[:12]}"
        assert status["problems"] == []
        assert [row["version"] for row in status["releases"]] == ["1", "2"]
        assert keeper.ask("rollback", to=f"2-{second.sha256[:12]}")["changed"]
        assert [event["event"] for event in keeper.ask("status")["history"]] == [
            "install", "install", "rollback", "rollback",
        ]  # fmt: skip
        assert "installed 2-" in keeper.ask("logs", lines=20)["text"]
        assert len(keeper.ask("logs", lines=2)["text"].splitlines()) == 2


def test_a_release_that_fails_its_trial_changes_nothing(root: Path) -> None:
    with KeeperProcess(root) as keeper:
        current = keeper.push(tiny_model("good"))["release"]
        error = refusal(keeper.push, tiny_model("spoiled", spoil=True))
        assert isinstance(error, GateError)
        assert error.details["cause"] == "golden"
        assert "expected" in str(error)
        assert not error.details["trial"]["passed"]
        error = refusal(keeper.push, tiny_model("broken", break_model=True))
        assert isinstance(error, BundleError)
        assert error.details["cause"] == "refused"
        error = refusal(keeper.push, tiny_model("slow"), timeout_seconds=0.02)
        assert isinstance(error, GateError)
        assert error.details["cause"] == "hang"
        error = refusal(keeper.push, tiny_model("fat"), memory_bytes=2**20)
        assert isinstance(error, GateError)
        assert error.details["cause"] == "memory"
        status = keeper.ask("status", verify=True)
        assert status["current"] == status["good"] == current
        assert [row["release"] for row in status["releases"]] == [current]
        assert status["report"]["outcome"] == "failed"
        assert [event["cause"] for event in status["history"]] == [
            None,
            "golden",
            "refused",
            "hang",
            "memory",
        ]
        assert [path.name for path in (root / "releases").iterdir()] == [current]
        # Numbers are not used twice, not even those of releases that failed.
        assert keeper.push(tiny_model("next"))["release"].startswith("6-")


def test_what_does_not_fit_the_board_is_refused(root: Path) -> None:
    with KeeperProcess(root) as keeper:
        error = refusal(keeper.push, tiny_model(), target="jetson")
        assert isinstance(error, IncompatibleTargetError)
        assert "edge build --target jetson" in str(error)
        assert isinstance(refusal(keeper.push, tiny_model(), variant="int3"), BundleError)
        error = refusal(keeper.push, tiny_model(runtime="tflite-runtime"))
        assert error.exit_code in (5, 8)
        assert "tflite-runtime" in str(error)
        assert keeper.ask("status")["current"] is None


def test_a_board_without_packages_says_so(tmp_path: Path) -> None:
    with KeeperProcess(tmp_path / "edge") as keeper:
        assert "edge board setup" in str(refusal(keeper.push, tiny_model()))
        assert "edge push" in str(refusal(keeper.ask, "predict", inputs={"": {"value": 1}}))


def test_inputs_of_another_form_are_refused(root: Path) -> None:
    with KeeperProcess(root) as keeper:
        keeper.push(tiny_model())
        for inputs in (None, [], {}, {"a": 1}, {"a": {}}, {"a=b": {"value": 1}}, {"../a": {"value": 1}}):
            assert isinstance(refusal(keeper.ask, "predict", inputs=inputs), ConfigError), inputs
        inputs = {"image": {"blob": "0" * 64}}
        assert "not on the board" in str(refusal(keeper.ask, "predict", inputs=inputs))
        inputs = {"image": {"value": [1, 2]}}
        assert "expected" in str(refusal(keeper.ask, "predict", inputs=inputs))
        assert list((root / "incoming").iterdir()) == []


def test_an_unknown_request_is_answered_and_the_session_goes_on(tmp_path: Path) -> None:
    with KeeperProcess(tmp_path / "edge") as keeper:
        assert "does not know the request 'fly'" in str(refusal(keeper.ask, "fly"))
        for request in (
            {"do": "have", "sha256": "x"},
            {"do": "have", "sha256": ["../../etc/passwd"]},
            {"do": "install", "manifest": "../x"},
            {"do": "install", "manifest": "0" * 64, "target": 7},
            {"do": "rollback", "to": "../../etc"},
            {"do": "environment", "id": "../x", "sha256": "0" * 64},
            {"do": "code", "sha256": None},
            {"do": None},
            {},
        ):
            keeper.writer.send(request)
            assert refusal(keeper.answer).exit_code == 6, request
        assert keeper.ask("have", sha256=[]) == {"missing": []}


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"J" + struct.pack(">I", 2**31),
        b"J" + struct.pack(">I", 3) + b"[1]",
        b"J" + struct.pack(">I", 200_000) + b"[" * 200_000,
        b"D" + struct.pack(">I", 5) + b"hello",
        b"J" + struct.pack(">I", 9) + b"{}",
        b"\0" * 4096,
    ],
    ids=["http", "huge", "no object", "nested", "data first", "cut", "zeros"],
)
def test_a_peer_that_breaks_the_rules_is_dropped(tmp_path: Path, noise: bytes) -> None:
    with KeeperProcess(tmp_path / "edge") as keeper:
        keeper.raw(noise)
        keeper.end_input()
        assert isinstance(refusal(keeper.answer), RemoteError)
        with pytest.raises(EOFError):
            keeper.answer()
        assert keeper.close() == 6
    assert "Traceback" not in keeper.talk


def test_puts_are_refused_or_whole(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    data = os.urandom(700_000)
    with KeeperProcess(root) as keeper:
        error = refusal(keeper.put, data, sha256="0" * 64)
        assert isinstance(error, DigestMismatchError)
        assert keeper.put(data)["stored"] is True
        assert keeper.put(data)["stored"] is False
        assert keeper.put(b"")["stored"] is True
        assert keeper.ask("have", sha256=[digest(data), digest(b""), "1" * 64]) == {"missing": ["1" * 64]}
        assert list((root / "incoming").iterdir()) == []
        blob = root / "blobs/sha256" / digest(data)[:2] / digest(data)
        assert blob.stat().st_mode & 0o777 == 0o444
        assert blob.read_bytes() == data


@pytest.mark.parametrize("size", [-1, 2**60, "7", None, True, 1.5])
def test_a_put_without_a_size_ends_the_session(tmp_path: Path, size: object) -> None:
    with KeeperProcess(tmp_path / "edge") as keeper:
        keeper.writer.send({"do": "put", "sha256": "0" * 64, "size": size})
        assert "is no size" in str(refusal(keeper.answer))
        with pytest.raises(EOFError):
            keeper.answer()


def test_more_data_than_announced_ends_the_session(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    with KeeperProcess(root) as keeper:
        keeper.writer.send({"do": "put", "sha256": digest(b"abc"), "size": 3})
        keeper.writer.send_data(b"abcd")
        assert "put announced" in str(refusal(keeper.answer))
        with pytest.raises(EOFError):
            keeper.answer()
    assert list((root / "incoming").iterdir()) == []


def test_a_refused_blob_is_skipped_and_the_next_one_is_stored(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    with KeeperProcess(root) as keeper:
        for sha256 in ("0" * 64, digest(b"good")):  # pipelined: both are sent before an answer is read
            keeper.writer.send({"do": "put", "sha256": sha256, "size": 4})
            keeper.writer.send_data(b"go")
            keeper.writer.send_data(b"od")
        assert isinstance(refusal(keeper.answer), DigestMismatchError)
        assert keeper.answer()["stored"]


def test_a_full_answer_comes_before_the_data(tmp_path: Path) -> None:
    """A blob that cannot fit is refused at once: the host need not send gigabytes to hear it."""
    with KeeperProcess(tmp_path / "edge") as keeper:
        keeper.writer.send({"do": "put", "sha256": "0" * 64, "size": 4, "needs": 2**50})
        error = refusal(keeper.answer)
        assert type(error).__name__ == "NoSpaceError"
        assert error.details["needed"] > 2**50
        assert keeper.ask("have", sha256=[]) == {"missing": []}  # stopped early: that is fine too


def test_a_link_that_drops_leaves_nothing_behind(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    with KeeperProcess(root) as keeper:
        keeper.writer.send({"do": "put", "sha256": "0" * 64, "size": 10_000_000})
        keeper.writer.send_data(bytes(500_000))
        keeper.end_input()
        assert "middle of a blob" in str(refusal(keeper.answer))
    assert list((root / "incoming").iterdir()) == []


def test_an_install_ends_well_when_the_host_is_gone(root: Path) -> None:
    pack = tiny_model()
    keeper = KeeperProcess(root)
    for data in pack.blobs.values():
        keeper.put(data)
    keeper.writer.send({"do": "install", "manifest": pack.sha256, "target": "host"})
    assert keeper.close() == 0  # both pipes are closed while the trial runs
    assert (root / "current/manifest.json").read_bytes() == pack.manifest


def test_two_pushers(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    with KeeperProcess(root) as first, KeeperProcess(root) as second:
        first.put(b"mine")
        error = refusal(second.put, b"yours")
        assert isinstance(error, BusyError)
        assert f"process {first.process.pid}" in str(error)
        assert error.details["holder"]["age_seconds"] >= 0
        assert second.ask("status")["busy"]["pid"] == first.process.pid
        assert isinstance(refusal(second.ask, "rollback"), BusyError)
        assert second.ask("have", sha256=[digest(b"mine")]) == {"missing": []}
        first.kill()  # the kernel frees the lock at once
        assert second.put(b"yours")["stored"]
        assert second.ask("status")["busy"] is None


def test_a_silent_peer_gives_the_lock_back(tmp_path: Path) -> None:
    root = tmp_path / "edge"
    program = (
        "import sys\nfrom pathlib import Path\nimport edge_sdk.keeper.session as session\n"
        "session.LOCK_IDLE_SECONDS = 0.3\nsys.exit(session.serve(Path(sys.argv[1])))"
    )
    import sys

    with KeeperProcess(root, command=[sys.executable, "-c", program, str(root)]) as sleeper:
        sleeper.put(b"mine")
        with KeeperProcess(root) as other:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                time.sleep(0.1)
                try:
                    assert other.put(b"yours")["stored"]
                    break
                except BusyError:
                    continue
            assert isinstance(refusal(sleeper.put, b"more"), BusyError)
        assert sleeper.put(b"more")["stored"]  # it woke up, and the lock is free again


def test_a_long_request_gives_signs_of_life(root: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nimport edge_sdk.keeper.session as session\n"
        "session.HEARTBEAT_SECONDS = 0.02\nsys.exit(session.serve(Path(sys.argv[1])))"
    )
    import sys

    with KeeperProcess(root, command=[sys.executable, "-c", program, str(root)]) as keeper:
        keeper.push(tiny_model())
        beats = [step for step in keeper.steps if step["stage"] == "trial"]
        assert len(beats) > 3


def _npy(array: np.ndarray) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
