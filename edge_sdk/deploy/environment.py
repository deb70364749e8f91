"""A board's environment: the fetched packages, pruned, as one deterministic zip.

Pruning drops what no interpreter on a board opens; each rule below says what and why. The zip holds
plain files only, sorted, with one timestamp, so that the same packages give the same bytes, and the
same identity on every machine.

`environment.json` inside it tells the keeper, and people, what it is:

    {"runtime": "litert", "python": "3.11", "architecture": "aarch64", "glibc": "2.36",
     "packages": {"numpy": "2.4.6", ...}, "system_packages": false}

`system_packages` true means that NumPy and Pillow come from the board's distribution.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import json
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_sdk.bundle.durable import durable_file
from edge_sdk.contract.document import Document
from edge_sdk.errors import BoardError, EdgeError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.wheels.fetch import WheelPlan, fetch_wheels

DEFAULT_CACHE = Path(".edge/cache/environments")
METADATA = "environment.json"
#: Counts up when pruning or the metadata change, so that an old cache is not used.
_FORMAT = 1
_TIME = (1980, 1, 1, 0, 0, 0)

#: What is left out: pattern of the path inside the environment, and the reason.
PRUNED: Mapping[str, str] = {
    "*/__pycache__/*": "made again on the board, by its own Python",
    "*.pyc": "as above",
    "bin/*": "console scripts of this machine's Python",
    "*/tests/*": "test suites (numpy's are 8 MB)",
    "*.pyi": "type stubs",
    "*.h": "C headers",
    "*.a": "static libraries",
    "*.pxd": "Cython headers",
    "*.lib": "import libraries",
    "*.dist-info/RECORD": "lists files that are gone",
    "*.dist-info/direct_url.json": "a path of this machine",
    "*.dist-info/uv_cache.json": "the same packages, fetched at another time, must give the same zip",
    "ai_edge_litert/libLiteRtWebGpuAccelerator.so": "17 MB; only CompiledModel opens it, not the Interpreter",
    "ai_edge_litert/aot/*": "compiles models ahead of time, on a host",
    "ai_edge_litert/tools/*": "tools for a host, one of 8 MB",
    "ai_edge_litert/vendors/*/compiler/*": "compiler plug-ins for a host",
}


@dataclass(frozen=True, kw_only=True)
class EnvironmentRecord(Document):
    """What is in an environment; stored beside the zip and, without the digests, inside it.

    Attributes:
        identity: "<runtime>-<version>-cp311-aarch64-<12 hexadecimal digits of the content>".
        sha256: Of the zip.
        runtime: "litert" or "tflite-runtime".
        python: Version without the patch level.
        architecture: As wheels name it.
        glibc: The oldest C library that will do is at most this.
        packages: Version by distribution.
        system_packages: Whether NumPy and Pillow come from the board's distribution.
        size: Bytes of the zip.
        unpacked_size: Bytes of the files.
    """

    identity: str
    sha256: str
    runtime: str
    python: str
    architecture: str
    glibc: str
    packages: Mapping[str, str] = field(default_factory=dict)
    system_packages: bool = False
    size: int = 0
    unpacked_size: int = 0


@dataclass(frozen=True)
class Environment:
    """An environment that is ready to be sent.

    Attributes:
        path: The zip, in the cache.
        record: What it is.
    """

    path: Path
    record: EnvironmentRecord


def make_environment(
    plan: WheelPlan, *, cache: Path = DEFAULT_CACHE, progress: Progress = silent, subject: str = ""
) -> Environment:
    """Return the environment of a plan, from the cache or made now.

    Args:
        plan: What is wanted.
        cache: Folder of finished zips; one plan keeps its packages' versions as long as its zip is there.
        progress: Told what happens.
        subject: For progress: the board.

    Raises:
        BoardError: The packages cannot be had.
        MissingExtraError: uv is not installed.
        NoSpaceError: The disk of this machine is full.
    """
    name = _cache_name(plan)
    cached = _read_cached(cache, name)
    if cached is not None:
        progress(Step("wheels", f"{cached.record.identity} is in the cache", 1.0, subject))
        return cached
    progress(Step("wheels", f"fetching {plan.runtime} for {plan.platform}", subject=subject))
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
        folder = Path(scratch) / "packages"
        fetch_wheels(plan, folder)
        progress(Step("wheels", "packing", subject=subject))
        data, record = pack(folder, plan)
    path = cache / f"{name}.zip"
    # The zip first: a record always speaks of a zip that is there.
    with durable_file(path, needed=len(data)) as stream:
        stream.write(data)
    with durable_file(cache / f"{name}.json") as stream:
        stream.write((json.dumps(record.to_dict(), indent=2, sort_keys=True) + "\n").encode())
    progress(Step("wheels", f"{record.identity}, {record.size / 1e6:.0f} MB", 1.0, subject))
    return Environment(path, record)


def pack(folder: Path, plan: WheelPlan) -> tuple[bytes, EnvironmentRecord]:
    """Return the zip of a folder of packages, and its record."""
    platform = plan.platform
    packages = _packages(folder)
    files = {
        name: path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_pruned(name := path.relative_to(folder).as_posix())
    }
    facts = {
        "runtime": plan.runtime,
        "python": platform.python_text,
        "architecture": platform.architecture,
        "glibc": ".".join(map(str, platform.glibc)),
        "packages": packages,
        "system_packages": plan.system_packages,
    }
    metadata = (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode()
    content = hashlib.sha256(metadata)
    buffer, unpacked = io.BytesIO(), len(metadata)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted([METADATA, *files]):
            data = metadata if name == METADATA else files[name].read_bytes()
            mode = 0o644
            if name != METADATA:
                mode = 0o755 if files[name].stat().st_mode & stat.S_IXUSR else 0o644
                content.update(f"{name}\0{mode:o}\0{hashlib.sha256(data).hexdigest()}\n".encode())
                unpacked += len(data)
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    data = buffer.getvalue()
    identity = "-".join(
        [
            plan.runtime,
            packages.get("ai-edge-litert" if plan.runtime == "litert" else plan.runtime, "none"),
            "cp" + "".join(map(str, platform.python)),
            platform.architecture,
            content.hexdigest()[:12],
        ]
    )
    record = EnvironmentRecord.from_dict(
        {
            **facts,
            "identity": identity,
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "unpacked_size": unpacked,
        }
    )
    return data, record


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield a file's content, a megabyte at a time."""
    with path.open("rb") as stream:
        while piece := stream.read(2**20):
            yield piece


def is_pruned(name: str) -> bool:
    """Say whether a file is left out; `name` is relative to the environment, with forward slashes."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in PRUNED)


def runtime_of(identity: str | None) -> str | None:
    """Return the runtime that an environment's identity names, or None where it names none."""
    match = re.match(r"(litert|tflite-runtime)-\d", identity or "")
    return match[1] if match else None


def _packages(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.glob("*.dist-info")):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        found[name.replace("_", "-").lower()] = version
    if not found:
        raise BoardError("the package tool installed nothing", hint="run the same command again")
    return found


def _cache_name(plan: WheelPlan) -> str:
    wish = json.dumps(
        [_FORMAT, sorted(PRUNED), plan.runtime, str(plan.platform), plan.requirements, plan.system_packages]
    )
    return f"{plan.runtime}-{plan.platform.architecture}-{hashlib.sha256(wish.encode()).hexdigest()[:16]}"


def _read_cached(cache: Path, name: str) -> Environment | None:
    path = cache / f"{name}.zip"
    try:
        record = EnvironmentRecord.from_dict(json.loads((cache / f"{name}.json").read_text("utf-8")))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, ValueError, EdgeError):
        return None
    # A cache that somebody or a bad disk has changed is made again, silently.
    return Environment(path, record) if digest == record.sha256 else None
