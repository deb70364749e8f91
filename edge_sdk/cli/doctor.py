"""`edge doctor`: what is installed, what is missing, and the exact line that brings it.

Reads package metadata only; nothing that it reports on is imported.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import typer

from edge_sdk.cli.console import DebugOption, JsonOption, print_json, stdout, verb

#: (distributions of which one is enough, extra, purpose), in the order of the work.
PACKAGES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("numpy",), "host", "arrays, everywhere"),
    (("tensorflow-cpu", "tensorflow"), "tensorflow", "convert SavedModels and Keras models"),
    (("litert-quantizer",), "host", "quantize"),
    (("ai-edge-litert",), "host", "run variants (LiteRT)"),
    (("flatbuffers",), "host", "inspect .tflite files"),
    (("protobuf",), "host", "inspect SavedModels"),
    (("h5py",), "host", "inspect .h5 files"),
    (("pillow",), "host", "decode pictures"),
    (("paramiko",), "host", "reach boards over SSH"),
    (("uv",), "host", "resolve a board's packages"),
    (("tomlkit",), "host", "keep comments in boards.toml"),
    (("jinja2",), "host", "render projects for phones"),
    (("openstep-plist",), "host", "read Xcode projects"),
    (("typer",), "host", "the edge command"),
    (("rich",), "host", "the edge command"),
    *(((("tomli",), "host", "read TOML before Python 3.11"),) if sys.version_info < (3, 11) else ()),
)
#: Not needed for the main path.
OPTIONAL_PACKAGES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("tflite-runtime",), "tflite", "run variants; Python 3.11 at most"),
    (("coremltools",), "coreml", "make Core ML packages"),
    (("tensorflow-model-optimization",), "optimize", "edge optimize: prune, cluster, train for int8"),
    (("tf-keras",), "optimize", "edge optimize; Keras 2 files"),
)
#: (program, Debian package, purpose); none is needed for the main path.
TOOLS: tuple[tuple[str, str, str], ...] = (
    ("sshd", "openssh-server", "lab boards (else: embedded server)"),
    ("ssh-keygen", "openssh-client", "compare host keys by hand"),
    ("qemu-aarch64-static", "qemu-user-static", "emulated arm64 boards in tests"),
    ("mmdebstrap", "mmdebstrap", "emulated arm64 boards in tests"),
)
#: TensorFlow, the host packages and the caches, measured on Python 3.11.
DISK_WANTED_BYTES = 4 * 10**9


@dataclass(frozen=True)
class Found:
    """What is known of one package.

    Attributes:
        name: The distribution that was found, else the one to install.
        version: Installed version, or None.
        extra: Extra of edge-sdk that brings it.
        purpose: What it is for.
        required: Version range, e.g. ">=2.21,<2.22", or "".
        state: "ok", "missing", "wrong version" or "optional" (missing, and nothing needs it).
    """

    name: str
    version: str | None
    extra: str
    purpose: str
    required: str
    state: str


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor", epilog="Example: [bold]edge doctor --json[/bold]")(doctor)


@verb
def doctor(*, json: JsonOption = False, debug: DebugOption = False) -> None:
    """Show what is installed, what is missing, and the line that installs it."""
    result = examine()
    if json:
        print_json(result)
        return
    _show(result)


def examine() -> dict[str, Any]:
    """Return everything `edge doctor` knows, JSON-ready."""
    from edge_sdk import __version__

    packages = [_package(*row, optional=False) for row in PACKAGES]
    packages += [_package(*row, optional=True) for row in OPTIONAL_PACKAGES]
    tools = [
        {"name": name, "path": _program(name), "debian_package": package, "purpose": purpose}
        for name, package, purpose in TOOLS
    ]
    wrong = [found for found in packages if found.state in ("missing", "wrong version")]
    free = shutil.disk_usage(Path.cwd()).free
    return {
        "edge_sdk": __version__,
        "python": {
            "version": platform.python_version(),
            "path": sys.executable,
            "supported": (3, 10) <= sys.version_info[:2] <= (3, 13),
        },
        "system": {
            "platform": platform.system(),
            "architecture": platform.machine(),
            "libc": " ".join(platform.libc_ver()).strip() or None,
            "cpu_count": os.cpu_count(),
            "memory_bytes": _memory(),
        },
        "packages": [dict(vars(found)) for found in packages],
        "tools": tools,
        "ssh_keys": _ssh_keys(),
        "disk": {"path": str(Path.cwd()), "free_bytes": free, "enough": free >= DISK_WANTED_BYTES},
        "notes": _notes(packages, free),
        "install": _install_lines(wrong, tools),
        "ready": not any(found.state in ("missing", "wrong version") for found in packages),
    }


def _package(names: tuple[str, ...], extra: str, purpose: str, *, optional: bool) -> Found:
    for name in names:
        version = _version(name)
        if version is not None:
            required = _required(name, extra)
            good = satisfies(version, required)
            return Found(name, version, extra, purpose, required, "ok" if good else "wrong version")
    # tensorflow-cpu exists for x86-64 only; the second name is the one for other machines.
    name = names[0] if platform.machine() in ("x86_64", "AMD64") else names[-1]
    return Found(name, None, extra, purpose, _required(name, extra), "optional" if optional else "missing")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _required(name: str, extra: str) -> str:
    """Return the version range that edge-sdk's own metadata asks for; "" where it asks for none."""
    try:
        lines = metadata.requires("edge-sdk") or []
    except metadata.PackageNotFoundError:
        return ""
    for line in lines:
        requirement, _, marker = line.partition(";")
        match = re.fullmatch(r"([A-Za-z0-9._-]+)\s*(.*)", requirement.strip())
        wanted = re.search(r"extra\s*==\s*['\"]([^'\"]+)", marker)
        if match and match[1].lower().replace("_", "-") == name and (wanted is None or wanted[1] == extra):
            parts = (part.strip() for part in match[2].strip("() ").split(","))
            return ",".join(sorted(filter(None, parts), reverse=True))
    return ""


def satisfies(version: str, required: str) -> bool:
    """Return whether a version lies in a range of ">=" and "<" bounds; other operators are not judged."""
    have = _numbers(version)
    for bound in filter(None, required.split(",")):
        match = re.fullmatch(r"(>=|<)([0-9.]+)", bound)
        if match and (match[1] == ">=") != (have >= _numbers(match[2])):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else [0]
    while len(numbers) > 1 and numbers[-1] == 0:  # 2.21.0 and 2.21 are one version
        numbers.pop()
    return tuple(numbers)


def _program(name: str) -> str | None:
    # sshd and friends lie outside the PATH of ordinary users; uv and others beside our own Python.
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(name, path=os.pathsep.join(folders))


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _ssh_keys() -> list[str]:
    # Names only: which keys could be handed to `edge board add --key`.
    try:
        return sorted(path.name for path in (Path.home() / ".ssh").glob("id_*.pub"))
    except OSError:
        return []


def _notes(packages: list[Found], free: int) -> list[str]:
    notes = []
    versions = {found.name: found.version for found in packages}
    if versions.get("tflite-runtime") and _numbers(versions.get("numpy") or "0") >= (2,):
        notes.append("tflite-runtime fails with NumPy 2 when an interpreter is made; it needs numpy<2")
    if free < DISK_WANTED_BYTES:
        notes.append(f"{free:,} bytes are free here; TensorFlow and the caches want {DISK_WANTED_BYTES:,}")
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        notes.append("Python 3.10 to 3.13 is supported")
    return notes


def _install_lines(wrong: list[Found], tools: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return {"line", "brings"} for what is missing: Python packages first, then optional programs."""
    lines = []
    if wrong:
        extras = sorted({found.extra for found in wrong})
        brings = ", ".join(found.name for found in wrong)
        lines.append({"line": _pip_line(extras), "brings": brings})
    packages = sorted({tool["debian_package"] for tool in tools if tool["path"] is None})
    if packages and platform.system() == "Linux":
        line = "sudo apt-get install --no-install-recommends " + " ".join(packages)
        lines.append({"line": line, "brings": "optional: " + ", ".join(packages)})
    return lines


def _checkout() -> Path | None:
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "Makefile").is_file() and (folder / "pyproject.toml").is_file() else None


def _pip_line(extras: list[str]) -> str:
    if (checkout := _checkout()) is not None:
        return f"make -C {shlex.quote(str(checkout))} install"
    package = f"'edge-sdk[{','.join(extras)}]'"
    python = shlex.quote(sys.executable)
    if _version("pip") is None:  # environments that uv made have none
        return f"uv pip install --python {python} {package}"
    return f"{python} -m pip install {package}"


def _show(result: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = stdout()
    system = result["system"]
    memory = f", {system['memory_bytes'] / 1e9:.1f} GB memory" if system["memory_bytes"] else ""
    for title, text in (
        ("edge", result["edge_sdk"]),
        ("python", f"{result['python']['version']}  {result['python']['path']}"),
        (
            "machine",
            f"{system['platform']} {system['architecture']}, {system['cpu_count']} cores{memory}, "
            f"{system['libc'] or 'unknown libc'}",
        ),
        ("disk", f"{result['disk']['free_bytes'] / 1e9:.1f} GB free at {result['disk']['path']}"),
        ("ssh keys", ", ".join(result["ssh_keys"]) or "none in ~/.ssh"),
    ):
        console.print(Text.assemble((f"{title:<9}", "bold"), text))
    colors = {"ok": "green", "missing": "bold red", "wrong version": "bold red", "optional": "dim"}
    table = Table("package", "version", "state", "what for", box=None, pad_edge=False)
    for found in result["packages"]:
        state = found["state"]
        if state == "wrong version":
            state += f", needs {found['required']}"
        table.add_row(
            found["name"], found["version"] or "-", Text(state, colors[found["state"]]), found["purpose"]
        )
    for tool in result["tools"]:
        there = tool["path"] is not None
        state = Text("ok", "green") if there else Text("optional", "dim")
        table.add_row(tool["name"], tool["path"] or "-", state, tool["purpose"])
    console.print()
    console.print(table)
    console.print()
    for note in result["notes"]:
        console.print(Text.assemble(("note: ", "bold yellow"), note))
    for line in result["install"]:
        console.print(Text.assemble(("install: ", "bold"), line["line"], (f"  ({line['brings']})", "dim")))
    if result["ready"]:
        console.print(Text("everything that edge needs is installed", "green"))
