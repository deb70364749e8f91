"""Every error that edge_sdk raises on purpose.

    EdgeError                      exit code
    ├── ConfigError                2   configuration or usage
    ├── ModelError                 3   the source model
    │   ├── UnsupportedOpError
    │   └── SignatureMismatchError
    ├── ConversionError            4   a conversion failed
    ├── GateError                  4   a check was not met
    ├── BundleError                5   the bundle or the trust in it
    │   ├── DigestMismatchError
    │   ├── UntrustedError
    │   └── IncompatibleTargetError
    ├── BoardError                 6   the board or the way to it
    │   ├── ConnectError
    │   ├── HostKeyError
    │   ├── RemoteError
    │   ├── NoSpaceError
    │   └── BusyError
    ├── RolloutError               7   some boards done, some not
    └── MissingExtraError          8   a package is not installed

Each error says what happened, why, and what to type next. Classes with a fixed
story take fields and write their own text; the others take the text itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class EdgeError(Exception):
    """Root of the tree.

    Args:
        what: What happened, one sentence without a full stop.
        why: The cause, where it is known.
        hint: What the user can type or change next.
        details: Machine-readable fields, carried into `to_dict()`.
    """

    exit_code = 1

    def __init__(self, what: str, *, why: str | None = None, hint: str | None = None, **details: Any) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint
        self.details: dict[str, Any] = details

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"why: {self.why}")
        if self.hint:
            lines.append(f"try: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take other arguments than Exception.args holds; rebuild from the finished state,
        # so that an error survives the trip out of a worker process.
        return (_rebuild, (type(self), self.what, self.why, self.hint, self.details))

    def to_dict(self) -> dict[str, Any]:
        """Return the error as one JSON-ready mapping."""
        return {
            "error": type(self).__name__,
            "exit_code": self.exit_code,
            "what": self.what,
            "why": self.why,
            "hint": self.hint,
            **({"details": self.details} if self.details else {}),
        }


def _rebuild(
    cls: type[EdgeError], what: str, why: str | None, hint: str | None, details: dict[str, Any]
) -> EdgeError:
    error = cls.__new__(cls)
    EdgeError.__init__(error, what, why=why, hint=hint, **details)
    return error


def error_from_dict(data: Mapping[str, Any]) -> EdgeError:
    """Rebuild an error from `EdgeError.to_dict()`; an unknown class name becomes `RemoteError`.

    Used where an error crosses a process or a network: the keeper's answer, a worker's result.
    """
    classes = {cls.__name__: cls for cls in _all_classes(EdgeError)}
    cls = classes.get(str(data.get("error")), RemoteError)
    details = data.get("details")
    return _rebuild(
        cls,
        str(data.get("what") or "the other side failed without a reason"),
        data.get("why"),
        data.get("hint"),
        dict(details) if isinstance(details, Mapping) else {},
    )


def _all_classes(root: type[EdgeError]) -> list[type[EdgeError]]:
    return [root] + [found for child in root.__subclasses__() for found in _all_classes(child)]


class ConfigError(EdgeError):
    """A setting, a file of settings or a command line that cannot be used."""

    exit_code = 2


class ModelError(EdgeError):
    """The source model is missing, is not a model, or cannot be read safely."""

    exit_code = 3


class UnsupportedOpError(ModelError):
    """The model uses operators that the target cannot run.

    Args:
        ops: Operator names as TensorFlow or TFLite writes them.
        target: What cannot run them.
        hint: What to try; a list of the usual cures by default.
    """

    def __init__(self, ops: Sequence[str], *, target: str, hint: str | None = None) -> None:
        names = ", ".join(sorted(set(ops)))
        super().__init__(
            f"operators without a TFLite kernel: {names}",
            why=f"{target} cannot run them",
            hint=hint
            or (
                "allow Select TF ops (--select-tf-ops; needs a runtime with Flex), name a custom-op library "
                "(--custom-op), or cut the model before that operator"
            ),
            ops=sorted(set(ops)),
            target=target,
        )


class SignatureMismatchError(ModelError):
    """Given tensors do not fit the signature.

    Args:
        rows: One row per input: (name, expected, given).
        subject: What was called, for example "predict" or "calibration data".
    """

    def __init__(
        self, rows: Sequence[tuple[str, str, str]], *, subject: str = "predict", hint: str | None = None
    ) -> None:
        rows = tuple(rows)
        names = max([5, *(len(name) for name, _, _ in rows)])
        expected = max([8, *(len(text) for _, text, _ in rows)])
        table = "\n".join(
            f"  {name:<{names}}  {want:<{expected}}  {given}"
            for name, want, given in (("input", "expected", "given"), *rows)
        )
        super().__init__(
            f"{subject}: the inputs do not fit the signature\n{table}",
            hint=hint,
            rows=[list(row) for row in rows],
        )


class ConversionError(EdgeError):
    """A conversion or quantization failed, hung, or was killed."""

    exit_code = 4


class GateError(EdgeError):
    """A check that the user asked for, or a guard, was not met."""

    exit_code = 4


class BundleError(EdgeError):
    """A bundle that cannot be read, or breaks the format's rules."""

    exit_code = 5


class DigestMismatchError(BundleError):
    """Content is not what its digest says.

    Args:
        name: The file or blob.
        expected: SHA-256 that was promised, hexadecimal.
        actual: SHA-256 that was found, hexadecimal.
    """

    def __init__(self, name: str, *, expected: str, actual: str) -> None:
        super().__init__(
            f"{name} is damaged or was changed",
            why=f"expected sha256 {expected}\n     found    sha256 {actual}",
            hint="build or copy the bundle again",
            name=name,
            expected=expected,
            actual=actual,
        )


class UntrustedError(BundleError):
    """Nobody that is trusted has signed this."""


class IncompatibleTargetError(BundleError):
    """The bundle has no variant that this device can run."""


class BoardError(EdgeError):
    """A board, or the way to it, failed."""

    exit_code = 6


class ConnectError(BoardError):
    """No usable connection: network, login, or a dead peer."""


class HostKeyError(BoardError):
    """The board's host key is unknown or is not the pinned one.

    Args:
        board: The board's name in the inventory.
        address: host:port.
        expected: Pinned fingerprint, or None where none is pinned.
        actual: Fingerprint that the board showed.
    """

    def __init__(self, board: str, *, address: str, expected: str | None, actual: str) -> None:
        if expected is None:
            what, hint = (
                f"the host key of {board} ({address}) is unknown",
                f"compare it on the board (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: "
                f"edge board add {board} ... --host-key {actual}",
            )
        else:
            what, hint = (
                f"the host key of {board} ({address}) has CHANGED; nothing was sent",
                f"if the board was reinstalled: edge board remove {board}, then edge board add {board} ...; "
                "if not, somebody may be in between",
            )
        super().__init__(
            what,
            why=f"expected {expected or 'none pinned'}\n     shown    {actual}",
            hint=hint,
            board=board,
            address=address,
            expected=expected,
            actual=actual,
        )


class RemoteError(BoardError):
    """The keeper on the board reported a failure, or spoke out of turn."""


class NoSpaceError(BoardError):
    """Not enough room on a disk.

    Args:
        path: Where.
        needed: Bytes that are needed, reserve included.
        available: Bytes that are free.
    """

    def __init__(self, path: str, *, needed: int | None, available: int | None) -> None:
        sizes = []
        if needed is not None:
            sizes.append(f"{needed:,} bytes needed")
        if available is not None:
            sizes.append(f"{available:,} free")
        super().__init__(
            f"not enough room at {path}",
            why=", ".join(sizes) or "the disk is full",
            hint="free some space there, then run the same command again; nothing was changed",
            path=path,
            needed=needed,
            available=available,
        )


class BusyError(BoardError):
    """Somebody else holds the lock."""


class RolloutError(EdgeError):
    """A rollout ended with some boards failed or halted."""

    exit_code = 7


class MissingExtraError(EdgeError):
    """A package that this step needs is not installed.

    Args:
        package: The distribution that is missing.
        extra: The edge-sdk extra that brings it.
        purpose: What it is needed for.
    """

    exit_code = 8

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{package} is not installed",
            why=f"it is needed to {purpose}",
            hint=f"pip install 'edge-sdk[{extra}]'",
            package=package,
            extra=extra,
        )
