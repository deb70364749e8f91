"""One interpreter and a pool of them.

An interpreter is not thread-safe: set, invoke and get must belong to one caller. The pool lends each
caller an interpreter of its own and grows only when all are lent, so a program with one thread pays for
one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.errors import ConfigError, EdgeError, ModelError
from edge_sdk.runtime.tensors import Port, unique_names


@dataclass(frozen=True, kw_only=True)
class FileSignature:
    """A callable of a file as the runtime describes it.

    Attributes:
        name: Signature key; "" for a file that has none.
        inputs: Runtime's tensor details by input name.
        outputs: Runtime's tensor details by output name.
        primary: It is the file's first subgraph, the one that tensor indices of the interpreter speak of.
    """

    name: str
    inputs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    primary: bool


def file_signatures(interpreter: Any) -> dict[str, FileSignature]:
    """Return a file's signatures by name; one called "" with tensor names where it has none."""
    found: dict[str, FileSignature] = {}
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        found[name] = FileSignature(
            name=name,
            inputs=runner.get_input_details(),
            outputs=runner.get_output_details(),
            # Private, and the same in both runtimes; where it is missing, the slower public way is taken.
            primary=getattr(runner, "_subgraph_index", None) == 0,
        )
    if found:
        return found
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return {
        "": FileSignature(
            name="",
            inputs=dict(zip(unique_names(d["name"] for d in inputs), inputs, strict=True)),
            outputs=dict(zip(unique_names(d["name"] for d in outputs), outputs, strict=True)),
            primary=True,
        )
    }


class Session:
    """One interpreter, called through one signature. Used by one thread at a time.

    Args:
        interpreter: Its tensors allocated.
        signature: What is called.
        inputs: The signature's inputs; arrays are given in this order.
        outputs: The signature's outputs; arrays come back in this order.
    """

    def __init__(
        self, interpreter: Any, signature: FileSignature, inputs: Sequence[Port], outputs: Sequence[Port]
    ) -> None:
        self._interpreter = interpreter
        self._inputs = inputs
        self._outputs = [port.index for port in outputs]
        self._output_names = [port.name for port in outputs]
        self._free = [port for port in inputs if not port.fixed]
        self._sizes = {
            port.index: tuple(int(size) for size in signature.inputs[port.name]["shape"])
            for port in self._free
        }
        # Other subgraphs cannot be reached by tensor index; the runtime's own runner copies, sizes and
        # allocates on every call.
        self._call = None if signature.primary else interpreter.get_signature_runner(signature.name)

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run once.

        Args:
            arrays: One for each input, in the file's dtype, of a shape that the port fits.

        Returns:
            Copies of the outputs, which stay valid.

        Raises:
            ModelError: The model fails on these values or sizes. The session must not be used again.
        """
        try:
            if self._call is not None:
                result = self._call(
                    **{port.name: array for port, array in zip(self._inputs, arrays, strict=True)}
                )
                return [result[name] for name in self._output_names]
            interpreter = self._interpreter
            if self._free:
                self._resize(arrays)
            for port, array in zip(self._inputs, arrays, strict=True):
                interpreter.set_tensor(port.index, array)
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in self._outputs]
        except (ValueError, RuntimeError) as failure:
            given = ", ".join(
                f"{port.name} {array.dtype}{list(array.shape)}"
                for port, array in zip(self._inputs, arrays, strict=True)
            )
            raise ModelError(f"the model failed on {given}", why=str(failure).strip()) from failure
        except MemoryError as failure:
            raise EdgeError("not enough memory to run the model", hint="use a smaller batch") from failure

    def _resize(self, arrays: Sequence[np.ndarray]) -> None:
        changed = False
        for port, array in zip(self._inputs, arrays, strict=True):
            if not port.fixed and self._sizes[port.index] != array.shape:
                self._interpreter.resize_tensor_input(port.index, array.shape, strict=True)
                self._sizes[port.index] = array.shape
                changed = True
        if changed:
            self._interpreter.allocate_tensors()


class Pool:
    """Sessions that are lent to one caller at a time.

    Args:
        first: A session that exists already.
        create: Makes another one.
        size: How many there may be.
    """

    def __init__(self, first: Session, create: Callable[[], Session], size: int) -> None:
        self._changed = threading.Condition()
        self._idle = [first]
        self._create = create
        self._room = size - 1
        self.closed = False

    def take(self) -> Session:
        """Return a session for the caller alone; waits while all are lent.

        Raises:
            ConfigError: The pool is closed.
            EdgeError: Another session could not be made.
        """
        with self._changed:
            while not self.closed:
                if self._idle:
                    return self._idle.pop()
                if self._room > 0:
                    self._room -= 1
                    break
                self._changed.wait()
            else:
                raise closed_error()
        try:
            return self._create()
        except BaseException:
            self.drop()
            raise

    def give(self, session: Session) -> None:
        """Take a session back."""
        with self._changed:
            if not self.closed:
                self._idle.append(session)
                self._changed.notify()

    def drop(self) -> None:
        """Forget a lent session that must not be used again; another one may be made in its place."""
        with self._changed:
            self._room += 1
            self._changed.notify()

    def close(self) -> None:
        """Free every session, those that are lent when they come back. Calling again does nothing."""
        with self._changed:
            self.closed = True
            self._idle.clear()
            self._create = _make_nothing  # the other one holds the model's bytes
            self._changed.notify_all()


def _make_nothing() -> Session:
    raise closed_error()


def closed_error() -> ConfigError:
    """Return the error of a call after `close`."""
    return ConfigError("this runner is closed", hint="open it again with Runner.open")
