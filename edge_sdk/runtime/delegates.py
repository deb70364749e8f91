"""The ladder of delegates: try each accelerator in order, end on the CPU, keep a verdict for each rung.

A rung is refused when its library cannot be loaded, when it declines to be created, when the model does
not start with it, when it takes none of the model's operators, or when the first run fails. A crash
inside a vendor's library cannot be caught in this process; the keeper therefore tries a release in a
child process before it goes live.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import DelegateSpec
from edge_sdk.errors import ConfigError, EdgeError
from edge_sdk.runtime.interpreter import Built, RuntimeInfo, load_runtime

CPU = "cpu"
XNNPACK = "xnnpack"

#: Makes an interpreter with the given delegates.
Create = Callable[[Sequence[Any]], Built]


@dataclass(frozen=True)
class DelegateVerdict:
    """What became of one rung.

    Attributes:
        name: The delegate; "xnnpack" or, where XNNPACK took no operator, "cpu" for the last rung.
        verdict: "chosen" or "refused".
        reason: Why, for people.
    """

    name: str
    verdict: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"name": self.name, "verdict": self.verdict, "reason": self.reason}


@dataclass(frozen=True, kw_only=True)
class Climbed:
    """The outcome of the ladder.

    Attributes:
        interpreter: Ready to run.
        external: The spec of the external delegate that was chosen, or None for the CPU.
        verdicts: One for each rung that was looked at, the chosen one last.
    """

    interpreter: Any
    external: DelegateSpec | None
    verdicts: tuple[DelegateVerdict, ...]


def climb(
    specs: Sequence[DelegateSpec],
    runtime: RuntimeInfo,
    create: Create,
    *,
    threads: int,
    try_run: Callable[[Any], None],
) -> Climbed:
    """Take the first rung that works.

    Args:
        specs: In order of preference. "xnnpack" (or "cpu") stands for the CPU and ends the ladder; it
            follows the last rung even where it is not listed.
        runtime: The runtime the delegates are loaded into.
        create: Makes an interpreter with the given delegates.
        threads: CPU threads, for the verdict's text.
        try_run: Runs an interpreter once; called for external delegates only, since some fail no earlier.

    Raises:
        EdgeError: The model does not run on the CPU either; the reasons of the other rungs are in `why`.
    """
    refused: list[DelegateVerdict] = []
    for spec in specs:
        if spec.name in (XNNPACK, CPU):
            break
        try:
            delegate = load_external(spec, runtime)
            built = create([delegate])
            if built.external_parts == 0:
                raise EdgeError("it takes none of the model's operators")
            try_run(built.interpreter)
        except EdgeError as failure:
            refused.append(DelegateVerdict(spec.name, "refused", _one_line(failure)))
            continue
        chosen = DelegateVerdict(spec.name, "chosen", _external_reason(built))
        return Climbed(interpreter=built.interpreter, external=spec, verdicts=(*refused, chosen))
    try:
        built = create([])
    except EdgeError as failure:
        if refused:
            rungs = "; ".join(f"{verdict.name}: {verdict.reason}" for verdict in refused)
            failure.why = f"{failure.why or failure.what}; delegates that were tried first: {rungs}"
        raise
    return Climbed(
        interpreter=built.interpreter, external=None, verdicts=(*refused, _cpu_verdict(built, threads))
    )


def load_external(spec: DelegateSpec, runtime: RuntimeInfo) -> Any:
    """Load an external delegate.

    Raises:
        ConfigError: It names no library, the library cannot be loaded, is not a delegate, or declines.
    """
    if not spec.library:
        raise ConfigError(f"delegate {spec.name!r} names no library")
    try:
        # Looked at before the runtime does: its own loader leaves a half-made object behind, whose
        # finalizer then prints a traceback.
        library = ctypes.PyDLL(spec.library)
        for symbol in ("tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"):
            getattr(library, symbol)
    except OSError as failure:
        raise ConfigError(f"{spec.library} cannot be loaded: {failure}") from failure
    except AttributeError as failure:
        raise ConfigError(f"{spec.library} is not a TFLite delegate: {failure}") from failure
    try:
        return load_runtime(runtime).load_delegate(spec.library, dict(spec.options))
    except (ValueError, RuntimeError, OSError) as failure:
        raise ConfigError(f"the delegate declines: {failure}") from failure


def load_custom_operators(libraries: Sequence[Path | str], runtime: RuntimeInfo) -> list[Any]:
    """Load libraries that bring custom operators; return functions for `create_interpreter`.

    A library exports a C function that takes a `tflite::MutableOpResolver*` and adds its operators. It is
    named after a colon ("libops.so:RegisterMyOps"); without one, the names in `REGISTER_FUNCTIONS` are
    looked for. Libraries are loaded with global symbols, the runtime's own symbols included, because a
    small library leaves `AddCustom` to the runtime (tflite-runtime exports it; LiteRT's wheel does not, so
    a library for LiteRT carries its own).

    Raises:
        ConfigError: A library cannot be loaded, or has no such function.
    """
    if not libraries:
        return []
    module = load_runtime(runtime)
    native = getattr(getattr(module, "_interpreter_wrapper", None), "__file__", None)
    if native:
        ctypes.CDLL(native, mode=ctypes.RTLD_GLOBAL)
    return [_registerer(str(entry)) for entry in libraries]


#: Names that are looked for in a custom-operator library: TFLite's own for selective builds, and ours.
REGISTER_FUNCTIONS = ("RegisterSelectedOps", "EdgeRegisterCustomOps")


def _registerer(entry: str) -> Any:
    file, separator, symbol = entry.rpartition(":")
    if not separator or Path(entry).exists():
        file, symbol = entry, ""
    if "/" in file and not Path(file).exists():
        raise ConfigError(f"custom operators: {file} does not exist")
    try:
        # Not PyDLL: ctypes gives the interpreter lock back during the call, and the functions need none.
        library = ctypes.CDLL(file, mode=ctypes.RTLD_GLOBAL)
    except OSError as failure:
        raise ConfigError(
            f"custom operators: {file} cannot be loaded",
            why=str(failure),
            hint="an undefined tflite symbol means that this runtime does not export it: link the library "
            "with its own copy"
            if "undefined symbol" in str(failure)
            else "is it made for this processor and C library?",
        ) from failure
    for name in (symbol,) if symbol else REGISTER_FUNCTIONS:
        try:
            function = getattr(library, name)
        except AttributeError:
            continue
        function.argtypes, function.restype = [ctypes.c_void_p], None
        return function
    raise ConfigError(
        f"custom operators: {file} has no function {symbol or ' or '.join(REGISTER_FUNCTIONS)}",
        hint="name the function after a colon: libops.so:RegisterMyOps",
    )


def _external_reason(built: Built) -> str:
    if built.external_parts is None:
        return "loaded; whether it took operators is unknown"
    rest = f", XNNPACK took {built.cpu_parts} more" if built.cpu_parts else ""
    return f"took {_parts(built.external_parts)}{rest}"


def _cpu_verdict(built: Built, threads: int) -> DelegateVerdict:
    count = f"{threads} thread" + ("" if threads == 1 else "s")
    if built.cpu_parts == 0:
        return DelegateVerdict(CPU, "chosen", f"plain kernels, {count}: XNNPACK takes none of the operators")
    known = "" if built.cpu_parts is None else f", XNNPACK took {_parts(built.cpu_parts)}"
    return DelegateVerdict(XNNPACK, "chosen", f"CPU, {count}{known}")


def _parts(taken: int) -> str:
    return f"{taken} part" + ("" if taken == 1 else "s") + " of the graph"


def _one_line(failure: EdgeError) -> str:
    text = failure.what if not failure.why else f"{failure.what}: {failure.why}"
    return " ".join(text.split())
