"""Facts are read from this very machine."""

from __future__ import annotations

import os
import platform
import struct
from pathlib import Path

import pytest

from edge_sdk.keeper import facts


def test_facts_of_this_machine(tmp_path: Path) -> None:
    found = facts.board_facts(tmp_path)
    assert found["python"] == platform.python_version()
    assert found["architecture"] in ("x86_64", "aarch64")
    assert found["glibc"] == platform.libc_ver()[1]
    assert found["libstdcxx"] is True
    assert 0 < found["free_bytes"] <= found["total_bytes"]
    assert found["cpu_count"] == len(os.sched_getaffinity(0))
    assert found["memory_available_bytes"] <= found["memory_bytes"]
    assert found["system"]
    assert found["model"]


@pytest.mark.parametrize(
    ("machine", "pointer", "architecture"),
    [
        ("aarch64", 8, "aarch64"),
        ("arm64", 8, "aarch64"),
        ("aarch64", 4, "armv7l"),
        ("armv7l", 4, "armv7l"),
        ("armv6l", 4, "armv6l"),
        ("x86_64", 8, "x86_64"),
        ("x86_64", 4, "i686"),
    ],
)
def test_the_architecture_is_the_pythons_not_the_kernels(
    monkeypatch: pytest.MonkeyPatch, machine: str, pointer: int, architecture: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(struct, "calcsize", lambda form: pointer)
    assert facts.architecture() == architecture
