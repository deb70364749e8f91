"""Stubs of Apple's frameworks, compiled by Swift on Linux."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.errors import EdgeError
from edge_sdk.scaffold.toolchain.debian import Debian
from edge_sdk.scaffold.toolchain.places import Completed

FOLDER = Path(__file__).parent / "swift"
#: What Foundation of Linux lacks: no module, but one more file of every app.
_SHIMS = "Foundation"
_SOURCES, _MODULES, _OUTPUT = "stubs", "modules", "out"
_IMPORT = re.compile(r"^(?:@\w+ )*import (\w+)$", re.MULTILINE)
#: Said of each module, and of no use: only with library evolution does a `switch` over an enum of a
#: framework need its `@unknown default`, as on Apple's systems, and Foundation of Linux has none.
_EVOLUTION = "was not compiled with library evolution support"


def swift_modules() -> tuple[str, ...]:
    """Return the names of the modules, each after those that it imports."""
    imports = {
        folder.name: {
            name for path in _files(folder.name) for name in _IMPORT.findall(path.read_text("utf-8"))
        }
        for folder in sorted(FOLDER.iterdir())
        if folder.is_dir() and folder.name != _SHIMS
    }
    ordered: list[str] = []
    while len(ordered) < len(imports):
        ready = [
            name
            for name in imports
            if name not in ordered and imports[name] & imports.keys() <= {*ordered, name}
        ]
        if not ready:
            raise EdgeError(f"the stubs in {FOLDER} import each other in a circle")
        ordered += ready
    return tuple(ordered)


def compile_swift_stubs(debian: Debian, folder: Path) -> Completed:
    """Compile all modules into a folder, where `compile_swift` finds them.

    Modules are in Swift 5 mode, as Apple's are: so `@preconcurrency import` does for them what it does there.

    Args:
        debian: Where Swift is.
        folder: Becomes the folder that Swift sees; the caller puts the sources of the app into it.

    Returns:
        The first failure, or what the last module said. Warnings are kept, but for the one that always comes.
    """
    shutil.copytree(FOLDER, folder / _SOURCES, dirs_exist_ok=True)
    said = ""
    for name in swift_modules():
        done = compile_swift_module(
            debian,
            folder,
            name,
            [Path(_SOURCES) / name / path.name for path in _files(name)],
            options=["-swift-version", "5", "-enable-library-evolution"],
        )
        said += "\n".join(
            line for line in done.output.splitlines() if "warning: " in line and _EVOLUTION not in line
        )
        if done.code:
            return done
    return Completed(0, said)


def compile_swift_module(
    debian: Debian, folder: Path, name: str, sources: Sequence[Path], *, options: Sequence[str] = ()
) -> Completed:
    """Compile a module that apps import, such as EdgeCore, beside the stubs.

    Args:
        debian: Where Swift is.
        folder: That `compile_swift_stubs` filled.
        name: Of the module.
        sources: Its files, relative to `folder`.
        options: Of swiftc; Swift 6 where they name no version.
    """
    (folder / _MODULES).mkdir(exist_ok=True)
    version = () if "-swift-version" in options else ("-swift-version", "6")
    return debian.run(
        ["swiftc", "-emit-module", "-parse-as-library", *version, *options, "-module-name", name,
         "-I", _MODULES, "-o", f"{_MODULES}/{name}.swiftmodule", *map(str, sources)],
        folder,
    )  # fmt: skip


def compile_swift(debian: Debian, folder: Path, sources: Sequence[Path], *, module: str = "App") -> Completed:
    """Check an app's sources in Swift 6 mode; warnings are errors.

    Nothing is linked, but all of the compiler's checks run: those of data races run after type-checking.

    Args:
        debian: Where Swift is.
        folder: That `compile_swift_stubs` filled.
        sources: Of the app, relative to `folder`; messages name them so.
        module: Name of the app's module.
    """
    (folder / _OUTPUT).mkdir(exist_ok=True)
    shims = [f"{_SOURCES}/{_SHIMS}/{path.name}" for path in _files(_SHIMS)]
    return debian.run(
        ["swiftc", "-emit-sil", "-wmo", "-parse-as-library", "-swift-version", "6", "-warnings-as-errors",
         "-module-name", module, "-I", _MODULES, "-o", f"{_OUTPUT}/{module}.sil", *map(str, sources), *shims],
        folder,
    )  # fmt: skip


def _files(name: str) -> list[Path]:
    return sorted((FOLDER / name).glob("*.swift"))
