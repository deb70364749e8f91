"""One interpreter, a pool of them, and a prediction from end to end.

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

from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.errors import BundleError, ConfigError, EdgeError, ModelError
from edge_sdk.runtime.tensors import Port, accept, dequantize, file_spec, tie, unique_names


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
            inputs=dict(zip(unique_names((d["name"] for d in inputs), default="input"), inputs, strict=True)),
            outputs=dict(
                zip(unique_names((d["name"] for d in outputs), default="output"), outputs, strict=True)
            ),
            primary=True,
        )
    }


def contract_of(file: Mapping[str, FileSignature]) -> Contract:
    """Make the contract of a bare file from its signatures."""
    signatures = tuple(
        Signature(
            name=name,
            inputs=tuple(file_spec(*item) for item in function.inputs.items()),
            outputs=tuple(file_spec(*item) for item in function.outputs.items()),
        )
        for name, function in file.items()
    )
    default = "serving_default" if "serving_default" in file else signatures[0].name
    return Contract(signatures=signatures, default_signature=default)


def signature_for(file: Mapping[str, FileSignature], contract: Contract, name: str) -> FileSignature:
    """Return the file's signature that answers to `name` in the contract.

    Raises:
        ConfigError: The contract has no such signature.
        BundleError: The file has not.
    """
    contract.signature_named(name)
    if name in file:
        return file[name]
    if len(file) == 1 and len(contract.signatures) == 1:
        return next(iter(file.values()))
    raise BundleError(
        f"the model file has no signature {name!r}",
        why="it has: " + ", ".join(repr(other) for other in file),
        hint="build the bundle again",
    )


def ports_of(signature: Signature, function: FileSignature) -> tuple[list[Port], list[Port]]:
    """Tie a contract's inputs and outputs to the file's tensors.

    Raises:
        BundleError: They do not fit.
        ModelError: A tensor that cannot be passed.
    """
    ports: list[list[Port]] = []
    for side, specs, details in (
        ("input", signature.inputs, function.inputs),
        ("output", signature.outputs, function.outputs),
    ):
        names = {spec.name for spec in specs}
        if names - set(details) or (side == "input" and set(details) - names):
            raise BundleError(
                f"the model file's {side}s are not the contract's",
                why=f"contract: {', '.join(sorted(names))}; file: {', '.join(sorted(details))}",
                hint="build the bundle again",
            )
        ports.append([tie(spec, details[spec.name]) for spec in specs])
    return ports[0], ports[1]


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


class Function:
    """A signature that can be called from several threads.

    Args:
        inputs: Its inputs.
        outputs: Its outputs.
        pool: Sessions that call it.
    """

    def __init__(self, inputs: Sequence[Port], outputs: Sequence[Port], pool: Pool) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.pool = pool

    def __call__(self, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Check the inputs, run, and bring the outputs into the contract's dtypes.

        Raises:
            SignatureMismatchError: Names, dtypes or shapes do not fit; nothing was run.
            ModelError: The model fails on these values.
            ConfigError: The pool is closed.
        """
        if self.pool.closed:
            raise closed_error()
        arrays = accept(self.inputs, given)
        session = self.pool.take()
        try:
            outputs = session.run(arrays)
        except BaseException:
            self.pool.drop()
            raise
        self.pool.give(session)
        return {
            port.name: value
            if port.affine is None or not port.converts
            else dequantize(value, port.affine, port.dtype)
            for port, value in zip(self.outputs, outputs, strict=True)
        }


def _make_nothing() -> Session:
    raise closed_error()


def closed_error() -> ConfigError:
    """Return the error of a call after `close`."""
    return ConfigError("this runner is closed", hint="open it again with Runner.open")
