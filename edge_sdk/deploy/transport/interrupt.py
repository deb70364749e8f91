"""Ctrl-C in the midst of a library that holds locks."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def breaking_on_interrupt(break_off: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C break the connection while the block runs, and raise KeyboardInterrupt after it.

    Python raises KeyboardInterrupt between any two instructions of the main thread. Between the
    `acquire` of a lock and its `try`, the lock is never released: paramiko's own thread then waits for it
    for ever, and closing the connection waits for that thread. So the exception is kept out of paramiko:
    the block ends by the broken connection.

    Only the main thread gets signals, and only Python's own handler is replaced: a program that handles
    SIGINT in its own way is left alone.

    Args:
        break_off: Called from the signal handler; must take no lock.

    Raises:
        KeyboardInterrupt: SIGINT came; in place of whatever the block raised.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        break_off()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupted:
            raise KeyboardInterrupt from None
