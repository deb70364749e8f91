from __future__ import annotations

import threading
from typing import Any

import pytest

from edge_sdk.errors import ConfigError
from edge_sdk.runtime.session import Pool, file_signatures


def pool(size: int, made: list[Any]) -> Pool:
    def create() -> Any:
        made.append(object())
        return made[-1]

    return Pool(create(), create, size)


def test_grows_only_when_all_are_lent() -> None:
    made: list[Any] = []
    lender = pool(3, made)
    for _ in range(5):
        lender.give(lender.take())
    assert len(made) == 1
    first, second = lender.take(), lender.take()
    assert first is not second
    assert len(made) == 2
    lender.give(second)
    assert lender.take() is second


def test_waits_for_a_session_when_full() -> None:
    lender = pool(1, [])
    session = lender.take()
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(lender.take()))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    lender.give(session)
    thread.join(5)
    assert got == [session]


def test_a_dropped_session_makes_room() -> None:
    made: list[Any] = []
    lender = pool(1, made)
    lender.take()
    lender.drop()
    assert lender.take() is made[1]


def test_a_session_that_cannot_be_made_leaves_its_room() -> None:
    made: list[Any] = [object()]

    def create() -> Any:
        if len(made) == 1:
            made.append(None)
            raise MemoryError
        return made[0]

    lender = Pool(made[0], create, 2)
    held = lender.take()
    with pytest.raises(MemoryError):
        lender.take()
    assert lender.take() is held


def test_closing_wakes_who_waits() -> None:
    lender = pool(1, [])
    session = lender.take()
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            lender.take()
        except ConfigError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    lender.close()
    lender.close()
    thread.join(5)
    assert "closed" in str(caught[0])
    lender.give(session)
    with pytest.raises(ConfigError, match="closed"):
        lender.take()


def test_signatures_of_a_file(models: Any) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(models / "many_signatures.tflite"))
    interpreter.allocate_tensors()
    found = file_signatures(interpreter)
    assert {name: function.primary for name, function in found.items()} == {"decode": True, "encode": False}
    assert list(found["encode"].inputs) == ["sample"]
