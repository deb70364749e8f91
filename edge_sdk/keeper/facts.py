"""What a board is: read from the system, never configured. The host resolves wheels by these facts."""

from __future__ import annotations

import contextlib
import os
import platform
import struct
import sys
import time
from pathlib import Path
from typing import Any

from edge_sdk.keeper.disk import free_bytes, reserve_bytes


def board_facts(root: Path) -> dict[str, Any]:
    """Return the facts, ready for JSON; a fact that cannot be found out is null.

    Keys: python, python_path, architecture, machine, model, system, glibc, libstdcxx, free_bytes,
    reserve_bytes, total_bytes, cpu_count, memory_bytes, memory_available_bytes, clock, hostname.
    """
    disk = os.statvfs(root)
    memory = _memory()
    return {
        "python": platform.python_version(),
        "python_path": sys.executable,
        "architecture": architecture(),
        "machine": platform.machine(),
        "model": machine_model(),
        "system": _system(),
        "glibc": glibc_version(),
        "libstdcxx": has_libstdcxx(),
        "free_bytes": free_bytes(root),
        "reserve_bytes": reserve_bytes(root),
        "total_bytes": disk.f_blocks * disk.f_frsize,
        "cpu_count": cpu_count(),
        "memory_bytes": memory.get("MemTotal"),
        "memory_available_bytes": memory.get("MemAvailable"),
        "clock": int(time.time()),
        "hostname": platform.node(),
    }


def architecture() -> str:
    """Return the architecture of *this Python*, as wheels name it.

    A 64-bit kernel under a 32-bit system (Raspberry Pi OS has had that for years) calls itself aarch64, but
    only 32-bit wheels load there.
    """
    machine = platform.machine()
    if struct.calcsize("P") == 4:
        return {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}.get(machine, machine)
    return {"arm64": "aarch64", "amd64": "x86_64", "AMD64": "x86_64"}.get(machine, machine)


def glibc_version() -> str | None:
    """Return the version of the GNU C library, e.g. "2.36"; None for another C library (musl)."""
    try:
        text = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return None
    name, _, version = text.partition(" ")
    return version if name == "glibc" and version else None


def has_libstdcxx() -> bool | None:
    """Return whether the C++ library that NumPy and the runtimes need can be loaded; None where unknown."""
    try:
        import ctypes
    except ImportError:
        return None
    try:
        ctypes.CDLL("libstdc++.so.6")
    except OSError:
        return False
    return True


def machine_model() -> str | None:
    """Return what the board calls itself, e.g. "Raspberry Pi 4 Model B Rev 1.4"."""
    text = _read("/proc/device-tree/model").replace("\0", "").strip()
    if text:
        return text
    fields = dict(_fields(_read("/proc/cpuinfo")))
    return fields.get("Model") or fields.get("model name") or fields.get("Hardware") or None


def cpu_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int | None:
    """Return how many bytes of memory a new process can have without pushing others out."""
    return _memory().get("MemAvailable")


def _memory() -> dict[str, int]:
    found = {}
    for name, value in _fields(_read("/proc/meminfo")):
        number, _, unit = value.partition(" ")
        if unit == "kB" and number.isdigit():
            found[name] = int(number) * 1024
    return found


def _system() -> str | None:
    for line in _read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip('"') or None
    return None


def _fields(text: str) -> list[tuple[str, str]]:
    rows = (line.partition(":") for line in text.splitlines())
    return [(name.strip(), value.strip()) for name, colon, value in rows if colon]


def _read(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text("utf-8", "replace")
    return ""
