from __future__ import annotations

import threading
import time
from pathlib import Path

from edge_sdk.errors import DigestMismatchError
from edge_sdk.keeper.settle import Settler
from tests.keeper.harness import KeeperProcess, refusal
from tests.keeper.releases import digest


def test_in_order_in_another_thread_and_waited_for() -> None:
    done: list[str] = []
    threads: set[str] = set()

    def settle(sha256: str) -> None:
        time.sleep(0.01)
        threads.add(threading.current_thread().name)
        done.append(sha256)

    settler = Settler(settle)
    assert not settler.busy
    settler.wait()
    for name in "abc":
        settler.add(name)
    assert settler.busy
    settler.wait()
    assert done == ["a", "b", "c"]
    assert not settler.busy
    assert threads == {"settle"}
    settler.add("d")
    settler.wait()
    assert done[-1] == "d"


def test_adding_does_not_wait() -> None:
    gate = threading.Event()
    settler = Settler(lambda sha256: gate.wait(5) and None)
    settler.add("a")
    settler.add("b")
    assert settler.busy
    gate.set()
    settler.wait()


def send(keeper: KeeperProcess, data: bytes, sha256: str | None = None) -> None:
    keeper.writer.send({"do": "put", "sha256": sha256 or digest(data), "size": len(data)})
    keeper.writer.send_data(data)


def test_pipelined_puts_are_answered_in_order(tmp_path: Path) -> None:
    blobs = [bytes([index]) * (1000 * (20 - index)) for index in range(20)]
    wrong = digest(b"something else")
    with KeeperProcess(tmp_path / "edge") as keeper:
        for index, data in enumerate(blobs):
            send(keeper, data)
            if index == 9:
                send(keeper, b"x" * 5000, wrong)
                send(keeper, data)
        keeper.writer.send({"do": "have", "sha256": [*map(digest, blobs), wrong]})
        for index, data in enumerate(blobs):
            assert keeper.answer() == {"stored": True, "sha256": digest(data)}
            if index == 9:
                assert isinstance(refusal(keeper.answer), DigestMismatchError)
                assert keeper.answer() == {"stored": False, "sha256": digest(data)}
        assert keeper.answer() == {"missing": [wrong]}


def test_a_blob_that_arrived_whole_is_kept_when_the_link_drops(tmp_path: Path) -> None:
    data = b"whole" * 100_000
    with KeeperProcess(tmp_path / "edge") as keeper:
        send(keeper, data)
        keeper.end_input()
        assert keeper.process.wait(30) == 0
    with KeeperProcess(tmp_path / "edge") as keeper:
        assert keeper.ask("have", sha256=[digest(data)]) == {"missing": []}
    assert list((tmp_path / "edge" / "incoming").iterdir()) == []
