"""The TFLite runtimes: which are installed, which one to use, and interpreters made from them.

Both runtimes offer the same Python class under another module name; this file is the only one that
knows where they differ. Runtime errors are turned into edge_sdk's in one place, `explain_failure`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from edge_sdk.bundle.manifest import RuntimeRequirement
from edge_sdk.errors import (
    BundleError,
    ConfigError,
    EdgeError,
    IncompatibleTargetError,
    MissingExtraError,
    UnsupportedOpError,
)


class RuntimeRow(NamedTuple):
    """Where a runtime lives.

    Attributes:
        module: Module that has the class `Interpreter`.
        distribution: Package to install.
        extra: The edge-sdk extra that brings it.
    """

    module: str
    distribution: str
    extra: str


#: Runtime names as targets and bundles use them, in order of preference where nobody names one.
RUNTIMES: dict[str, RuntimeRow] = {
    "litert": RuntimeRow("ai_edge_litert.interpreter", "ai-edge-litert", "litert"),
    "tflite-runtime": RuntimeRow("tflite_runtime.interpreter", "tflite-runtime", "tflite"),
}


@dataclass(frozen=True)
class RuntimeInfo:
    """A runtime that is installed here.

    Attributes:
        name: A key of `RUNTIMES`.
        version: Version of its package, or "unknown".
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def to_dict(self) -> dict[str, str]:
        """Return plain data."""
        return {"name": self.name, "version": self.version}


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A .tflite for an interpreter: a file (mapped, so shared between interpreters) or its bytes.

    Attributes:
        path: The file, or None.
        content: The bytes, where there is no file of its own.
        label: What to call it in messages.
    """

    path: Path | None = None
    content: bytes | None = None
    label: str = "the model"


@dataclass(frozen=True, kw_only=True)
class Built:
    """An interpreter and who runs its graph. A part is a stretch of operators that a delegate took over.

    Attributes:
        interpreter: Its tensors allocated.
        external_parts: Parts that the given delegates took; None where the runtime does not tell.
        cpu_parts: Parts that XNNPACK took of what was left; None where the runtime does not tell.
    """

    interpreter: Any
    external_parts: int | None
    cpu_parts: int | None


def installed_runtimes() -> tuple[RuntimeInfo, ...]:
    """Return the runtimes installed here, in order of preference. Imports none of them."""
    found = ((name, _package_folder(row)) for name, row in RUNTIMES.items())
    return tuple(
        RuntimeInfo(name, _version(RUNTIMES[name].distribution, folder)) for name, folder in found if folder
    )


def choose_runtime(requirement: RuntimeRequirement | None = None) -> RuntimeInfo:
    """Return the runtime to use.

    Args:
        requirement: What a target or a caller asks for; None takes the first one that works here.

    Raises:
        ConfigError: The requirement names a runtime nobody knows.
        MissingExtraError: The runtime is not installed, or NumPy is too new for it.
        IncompatibleTargetError: Another runtime is installed, or an older version.
    """
    installed = {info.name: info for info in installed_runtimes()}
    if requirement is None:
        if not installed:
            raise MissingExtraError("ai-edge-litert", extra="litert", purpose="run a .tflite model")
        usable = [info for info in installed.values() if _numpy_refusal(info) is None]
        if usable:
            return usable[0]
        requirement = RuntimeRequirement(name=next(iter(installed)))
    row = RUNTIMES.get(requirement.name)
    if row is None:
        raise ConfigError(f"no runtime called {requirement.name!r}", why="runtimes: " + ", ".join(RUNTIMES))
    info = installed.get(requirement.name)
    if info is None:
        if installed:
            raise IncompatibleTargetError(
                f"this needs the runtime {requirement.name}",
                why="installed here: " + ", ".join(str(other) for other in installed.values()),
                hint=f"pip install 'edge-sdk[{row.extra}]', or build for a target that uses "
                + next(iter(installed)),
            )
        raise MissingExtraError(row.distribution, extra=row.extra, purpose="run a .tflite model")
    wanted = requirement.minimum_version
    if wanted and info.version != "unknown" and _numbers(info.version) < _numbers(wanted):
        raise IncompatibleTargetError(
            f"this needs {requirement.name} {wanted} or newer",
            why=f"installed here: {info}",
            hint=f"pip install -U {row.distribution}",
        )
    refusal = _numpy_refusal(info)
    if refusal:
        raise refusal
    return info


def create_interpreter(
    runtime: RuntimeInfo,
    source: ModelSource,
    *,
    threads: int,
    delegates: Sequence[Any] = (),
    registerers: Iterable[Any] = (),
) -> Built:
    """Make an interpreter with its tensors allocated.

    Args:
        runtime: From `choose_runtime`.
        source: A whole .tflite, already checked by `flatbuffer.check_model`.
        threads: CPU threads, 1 or more.
        delegates: Loaded delegates of that runtime.
        registerers: Functions that take a resolver's address and add custom operators.

    Raises:
        EdgeError: Whatever `explain_failure` makes of the runtime's complaint.
    """
    module = load_runtime(runtime)
    options: dict[str, Any] = {"num_threads": threads}
    if source.path is not None:
        options["model_path"] = os.fspath(source.path)
    else:
        options["model_content"] = source.content
    if delegates:
        options["experimental_delegates"] = list(delegates)
    try:
        functions = list(registerers)
        if functions:
            interpreter = module.InterpreterWithCustomOps(custom_op_registerers=functions, **options)
        else:
            interpreter = module.Interpreter(**options)
        # The runtime adds XNNPACK for what is left when it allocates, so the two can be told apart.
        external = delegated_nodes(interpreter)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, MemoryError, TypeError) as failure:
        raise explain_failure(failure, runtime, source.label) from failure
    total = delegated_nodes(interpreter)
    return Built(
        interpreter=interpreter,
        external_parts=external,
        cpu_parts=None if total is None or external is None else total - external,
    )


def delegated_nodes(interpreter: Any) -> int | None:
    """Return how many parts of the graph delegates run, or None where the runtime does not tell.

    A delegate replaces operators by nodes of the kind DELEGATE; both runtimes list them through the same
    private interface, so its absence means "unknown", never a failure.
    """
    try:
        native = interpreter._interpreter
        return sum(1 for index in range(native.NumNodes()) if native.NodeName(index) == "DELEGATE")
    except Exception:
        return None


def load_runtime(runtime: RuntimeInfo) -> Any:
    """Import a runtime's module.

    Raises:
        IncompatibleTargetError: It is installed and cannot be loaded: a shared library is missing, or the
            wheel is made for another Python, processor or C library.
    """
    row = RUNTIMES[runtime.name]
    try:
        return importlib.import_module(row.module)
    except (ImportError, OSError, AttributeError) as failure:
        text = str(failure)
        if "libstdc++" in text:
            hint = "install the C++ library (Debian, Ubuntu, Raspberry Pi OS: apt install libstdc++6)"
        elif "GLIBC" in text:
            hint = "the system's C library is too old for this wheel; use a newer system image"
        else:
            hint = f"pip install --force-reinstall {row.distribution}"
        raise IncompatibleTargetError(
            f"{runtime} is installed but cannot be loaded", why=text, hint=hint
        ) from failure


_NO_VERSION = re.compile(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'")
_NO_CUSTOM_OP = re.compile(r"unresolved custom op: ([^\s.]+)")
_FLEX_NODE = re.compile(r"\((Flex\w+)\)")


def explain_failure(failure: BaseException, runtime: RuntimeInfo, label: str) -> EdgeError:
    """Return the error that a runtime's complaint about a model means."""
    text = str(failure).strip()
    missing = _NO_VERSION.search(text)
    if missing:
        return IncompatibleTargetError(
            f"{runtime} cannot run {label}: it has no {missing[1]} version {missing[2]}",
            why="the file was made for a newer runtime",
            hint="install a newer runtime, or build for this target so that older operator versions are used",
            operator=missing[1],
            version=int(missing[2]),
        )
    custom = _NO_CUSTOM_OP.search(text)
    if custom:
        return UnsupportedOpError(
            [custom[1]],
            target=str(runtime),
            hint=f"name a library that brings {custom[1]} (custom_ops=, --custom-op), or a delegate that "
            "takes it",
        )
    if "Select TensorFlow op" in text:
        return UnsupportedOpError(
            sorted(set(_FLEX_NODE.findall(text))) or ["Flex operators"],
            target=str(runtime),
            hint="name the Flex delegate's library as a delegate, or build without Select TF ops",
        )
    if isinstance(failure, MemoryError):
        return EdgeError(f"not enough memory to run {label}", hint="use a smaller variant or a smaller batch")
    return BundleError(f"{runtime} refuses {label}", why=text or type(failure).__name__)


def _package_folder(row: RuntimeRow) -> Path | None:
    package = row.module.split(".")[0]
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def _version(distribution: str, folder: Path) -> str:
    # The name of the .dist-info folder beside the package tells the version; importlib.metadata says the
    # same and takes some 20 ms to import, a tenth of the time to a first result.
    prefix = distribution.replace("-", "_") + "-"
    try:
        for entry in os.listdir(folder.parent):  # noqa: PTH208 - names alone, without making Paths
            if entry.startswith(prefix) and entry.endswith(".dist-info"):
                return entry[len(prefix) : -len(".dist-info")]
    except OSError:
        pass
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:4])


def _numpy_refusal(info: RuntimeInfo) -> MissingExtraError | None:
    # Built against NumPy 1: with NumPy 2 the import works and the first Interpreter(...) fails.
    if info.name != "tflite-runtime" or _numbers(info.version) > (2, 14, 99):
        return None
    import numpy as np

    if int(np.__version__.split(".")[0]) < 2:
        return None
    return MissingExtraError(
        "numpy<2", extra="tflite", purpose=f"run {info}, which fails with NumPy {np.__version__}"
    )
