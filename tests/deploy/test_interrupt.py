"""Ctrl-C while paramiko holds its locks."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from edge_sdk.deploy.transport.interrupt import breaking_on_interrupt


@pytest.fixture(autouse=True)
def pythons_own_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_block_runs_to_its_end_and_then_the_interrupt_is_raised() -> None:
    steps: list[str] = []

    def work() -> None:
        with breaking_on_interrupt(lambda: steps.append("broken off")):
            signal.raise_signal(signal.SIGINT)
            steps.append("lock released")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["broken off", "lock released"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_the_broken_connection_raises_is_not_what_is_told() -> None:
    def work() -> None:
        with breaking_on_interrupt(lambda: None):
            signal.raise_signal(signal.SIGINT)
            raise OSError("the link broke")

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert caught.value.__suppress_context__


def test_without_an_interrupt_nothing_is_broken_off() -> None:
    with pytest.raises(OSError, match="the board"), breaking_on_interrupt(pytest.fail):
        raise OSError("the board is gone")


def test_blocks_may_nest() -> None:
    broken: list[str] = []

    def work() -> None:
        with breaking_on_interrupt(lambda: broken.append("outer")):
            with breaking_on_interrupt(lambda: broken.append("inner")):
                signal.raise_signal(signal.SIGINT)
            broken.append("behind the inner block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert broken == ["outer", "behind the inner block"]


def test_a_handler_of_the_program_is_left_alone() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    with breaking_on_interrupt(pytest.fail):
        signal.raise_signal(signal.SIGINT)
    assert seen == [signal.SIGINT]


def test_other_threads_get_no_handler() -> None:
    handlers: list[object] = []

    def work() -> None:
        with breaking_on_interrupt(pytest.fail):
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
