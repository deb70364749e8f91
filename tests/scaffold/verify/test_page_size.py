from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from edge_sdk.scaffold.verify.page_size import alignment
from tests.scaffold.verify.elf import elf
from tests.scaffold.verify.findings import outcome, said

LIBRARY = "app/src/main/jniLibs/arm64-v8a/libmine.so"


def put(project: Path, content: bytes) -> None:
    (project / LIBRARY).parent.mkdir(parents=True, exist_ok=True)
    (project / LIBRARY).write_bytes(content)


def test_no_library(project: Path) -> None:
    found = outcome(project, "page-size")
    assert found.state == "passed"
    assert found.why.startswith("the tree holds no native library")


def test_a_library_that_fits(project: Path) -> None:
    put(project, elf((0, 0, 0x4000), (0x1000, 0x5000, 0x4000), (0x2000, 0x12000, 0x10000)))
    assert said(project, "page-size") == []
    assert outcome(project, "page-size").why == "1 library"


def test_a_library_that_does_not(project: Path) -> None:
    put(project, elf((0, 0, 0x4000), (0x1000, 0x1000, 0x1000)))
    (finding,) = said(project, "page-size")
    assert finding.startswith(f"{LIBRARY}: segment 2 is aligned to 0x1000, not 0x4000 (16 KB)")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (elf((0x1000, 0x2000, 0x4000)), "segment 1: offset 0x1000 and address 0x2000 do not fit 0x4000"),
        (elf((0, 0, 0x6000)), "segment 1 is aligned to 0x6000"),
        (elf(), "no segment to load"),
        (elf((0, 0, 0x4000))[:150], "its program headers lie outside of it"),
        (b"", "is no ELF file"),
        (b"\x7fELF" + b"\x02\x02" + bytes(100), "is no ELF file of a processor that Android has"),
    ],
)
def test_other_faults(content: bytes, message: str) -> None:
    assert len(alignment(content)) == 1
    assert message in alignment(content)[0]


def test_pages_of_32_bit_systems_are_small() -> None:
    assert alignment(elf((0, 0, 0x1000), bits=32)) == []


def test_libraries_in_archives(project: Path) -> None:
    place = project / "app" / "libs" / "x.aar"
    place.parent.mkdir()
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr("jni/arm64-v8a/libgood.so", elf((0, 0, 0x4000)))
        packed.writestr("jni/arm64-v8a/libbad.so", elf((0, 0, 0x1000)))
    (finding,) = said(project, "page-size")
    assert finding.startswith("app/libs/x.aar: jni/arm64-v8a/libbad.so: segment 1")
    place.write_bytes(b"PK")
    (finding,) = said(project, "page-size")
    assert finding.startswith("app/libs/x.aar: cannot be read")


@pytest.mark.skipif(shutil.which("true") is None, reason="no program to read")
def test_a_real_program_is_read() -> None:
    content = Path(shutil.which("true") or "").read_bytes()
    assert all("segment" in message for message in alignment(content))
