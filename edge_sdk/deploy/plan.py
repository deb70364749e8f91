"""What a push would change, as a value: shown, then applied. No connection is used here.

The same plan serves `edge push --dry-run`, the table before the transfer, `--json` and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import Manifest, RuntimeRequirement
from edge_sdk.contract.document import Document
from edge_sdk.deploy.environment import runtime_of
from edge_sdk.deploy.inventory import Board
from edge_sdk.deploy.session import Hello
from edge_sdk.errors import IncompatibleTargetError, RemoteError
from edge_sdk.runtime.selection import runnable, runnable_variant


@dataclass(frozen=True, kw_only=True)
class PlannedFile(Document):
    """One piece of content that the board needs.

    Attributes:
        name: Logical name in the bundle; "manifest.json" for the manifest.
        sha256: Its digest, which is its name on the board.
        size: Bytes.
        send: Whether the board lacks it.
    """

    name: str
    sha256: str
    size: int
    send: bool


@dataclass(frozen=True, kw_only=True)
class Plan(Document):
    """What a push to one board would change.

    Attributes:
        board: The board's name.
        bundle: The bundle's name.
        version: The bundle's version, for people.
        manifest_sha256: Digest that identifies the bundle's content.
        target: The target plan in the bundle that this board follows; None where a variant was named for a
            target that the bundle was not built for.
        variant: The variant that will run.
        runtime: What the board must have.
        current: Release that runs now, or None.
        up_to_date: Whether the release that runs now is made from this very manifest.
        files: Everything the variant needs, the manifest first.
        code: Digest of the board-side code that will be installed, or None where it stays as it is.
    """

    board: str
    bundle: str
    version: str
    manifest_sha256: str
    target: str | None
    variant: str
    runtime: RuntimeRequirement | None
    current: str | None
    up_to_date: bool
    files: tuple[PlannedFile, ...]
    code: str | None = None

    @property
    def bytes_to_send(self) -> int:
        """Sum of the files that the board lacks."""
        return sum(file.size for file in self.files if file.send)


@dataclass(frozen=True)
class Choice:
    """What of a bundle a board would run.

    Attributes:
        target: Name of the target plan in the bundle, or None.
        variant: Id of the variant.
        runtime: What the target plan asks for, or None.
    """

    target: str | None
    variant: str
    runtime: RuntimeRequirement | None


def choose(manifest: Manifest, board: Board, *, variant: str | None = None) -> Choice:
    """Return what a board would run of a bundle.

    Args:
        manifest: The bundle's.
        board: Its target decides.
        variant: Run this one instead of the target's first.

    Raises:
        IncompatibleTargetError: The bundle has nothing for the board's target, or the variant is one that no
            board can run.
        BundleError: There is no variant of that id.
    """
    # A target may be given as a path to a file of the user's own; bundles know it by its name.
    target = Path(board.target).stem if board.target.endswith(".toml") else board.target
    plan = manifest.targets.get(target)
    if plan is None:
        if variant is not None:
            return Choice(None, runnable_variant(manifest, variant).id, None)
        others = runnable(manifest)
        raise IncompatibleTargetError(
            f"the bundle {manifest.name!r} was not built for {target!r}, the target of {board.name}",
            why="it was built for: " + (", ".join(sorted(manifest.targets)) or "no target"),
            hint=f"edge build ... --target {target}"
            + (f", or push one variant at your own risk: --variant {others[0]}" if others else ""),
        )
    if plan.platform != "linux":
        raise IncompatibleTargetError(f"target {target!r} is for {plan.platform}, not for a board")
    if variant is None and not plan.variants:
        raise IncompatibleTargetError(
            f"no variant of {manifest.name!r} passed its checks for {target!r}",
            why="variants: " + (", ".join(item.id for item in manifest.variants) or "none"),
            hint="see the reasons in the table of edge build",
        )
    return Choice(target, runnable_variant(manifest, variant or plan.variants[0]).id, plan.runtime)


def plan_push(
    manifest: Manifest,
    manifest_bytes: bytes,
    board: Board,
    hello: Hello,
    missing: set[str] | None,
    *,
    variant: str | None = None,
    code: str | None = None,
) -> Plan:
    """Return what a push would change.

    Args:
        manifest: The bundle's.
        manifest_bytes: As stored in the bundle.
        board: Where it goes.
        hello: What the board said of itself.
        missing: Digests that the board lacks; None takes all of them as missing.
        variant: Run this one instead of the target's first.
        code: Digest of this machine's board-side code; None leaves the board's as it is.

    Raises:
        IncompatibleTargetError: The bundle has nothing for this board, or the board has another architecture
            or runtime.
        RemoteError: The board has no environment yet.
        BundleError: There is no variant of that id.
    """
    choice = choose(manifest, board, variant=variant)
    _check_board(manifest, choice, board, hello)
    sha256 = sha256_of(manifest_bytes)
    files = [PlannedFile(name="manifest.json", sha256=sha256, size=len(manifest_bytes), send=True)]
    files += [
        PlannedFile(name=name, sha256=entry.sha256, size=entry.size, send=True)
        for name, entry in manifest.needed_by(choice.variant).items()
    ]
    if missing is not None:
        files = [
            PlannedFile(name=file.name, sha256=file.sha256, size=file.size, send=file.sha256 in missing)
            for file in files
        ]
    return Plan(
        board=board.name,
        bundle=manifest.name,
        version=manifest.version,
        manifest_sha256=sha256,
        target=choice.target,
        variant=choice.variant,
        runtime=choice.runtime,
        current=hello.current,
        up_to_date=hello.current is not None and hello.current.endswith(f"-{sha256[:12]}"),
        files=tuple(files),
        code=code if code != hello.code else None,
    )


def _check_board(manifest: Manifest, choice: Choice, board: Board, hello: Hello) -> None:
    if choice.target is not None:
        wanted, found = manifest.targets[choice.target].architecture, hello.facts.architecture
        if wanted not in ("any", found):
            raise IncompatibleTargetError(
                f"target {choice.target!r} is {wanted}, but {board.name} is {found}",
                why=f"{hello.facts.model or 'the board'}, Python {hello.facts.python}",
                hint=f"correct target = ... in [boards.{board.name}] of boards.toml",
            )
    if hello.environment is None:
        raise RemoteError(
            f"{board.name} has no TFLite runtime yet",
            why="its keeper is there, its Python packages are not",
            hint=f"edge board setup {board.name}",
        )
    runtime = runtime_of(hello.environment)
    if choice.runtime is not None and runtime is not None and runtime != choice.runtime.name:
        raise IncompatibleTargetError(
            f"target {choice.target!r} needs {choice.runtime.name}, but {board.name} has {runtime}",
            why=f"its environment is {hello.environment}",
            hint=f"edge board setup {board.name} brings the runtime of its target",
        )
