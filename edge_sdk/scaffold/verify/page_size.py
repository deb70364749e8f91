"""Native code must load on Androids whose memory pages are 16 KB: Google Play asks for it."""

from __future__ import annotations

import struct
import zipfile

from edge_sdk.scaffold.verify.base import ANDROID, Finding, Verdict
from edge_sdk.scaffold.verify.site import Site

PAGE = 0x4000
_LOAD = 1
_SMALL, _LARGE = 1, 2  # ELFCLASS32, ELFCLASS64
_LITTLE = 1


class PageSize:
    """Every segment of every 64-bit library in the tree, also inside .aar files, is aligned to 16 KB."""

    name = "page-size"
    platforms = (ANDROID,)
    proves = "native libraries in the tree load where memory pages are 16 KB"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Read the program headers of each ELF file."""
        findings, count = [], 0
        for path in site.find(".so"):
            count += 1
            findings += [Finding(path, None, said) for said in alignment((site.folder / path).read_bytes())]
        for path in site.find(".aar"):
            try:
                with zipfile.ZipFile(site.folder / path) as packed:
                    for name in sorted(name for name in packed.namelist() if name.endswith(".so")):
                        count += 1
                        findings += [
                            Finding(path, None, f"{name}: {said}") for said in alignment(packed.read(name))
                        ]
            except (zipfile.BadZipFile, OSError, RuntimeError) as failure:
                findings.append(Finding(path, None, f"cannot be read: {failure}"))
        if count == 0 and not findings:
            return Verdict(
                (), "the tree holds no native library; those that Gradle fetches are not looked at"
            )
        return Verdict(tuple(findings), f"{count} {'library' if count == 1 else 'libraries'}")


def alignment(elf: bytes) -> list[str]:
    """Return what is wrong with the segments of a library; nothing for a 32-bit one.

    Args:
        elf: The whole file.
    """
    if elf[:4] != b"\x7fELF" or len(elf) < 64:
        return ["is no ELF file"]
    if elf[4] == _SMALL:
        return []  # systems with 16 KB pages run 64-bit code alone
    if elf[4] != _LARGE or elf[5] != _LITTLE:
        return ["is no ELF file of a processor that Android has"]
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    said = []
    loads = 0
    for index in range(count):
        place = start + index * size
        if size < 56 or place + 56 > len(elf):
            return ["is damaged: its program headers lie outside of it"]
        kind, _, offset, address, _, _, _, align = struct.unpack_from("<IIQQQQQQ", elf, place)
        if kind != _LOAD:
            continue
        loads += 1
        if align < PAGE or align & (align - 1):
            said.append(
                f"segment {index} is aligned to {align:#x}, not {PAGE:#x} (16 KB): "
                "link it with -Wl,-z,max-page-size=16384, or take a newer release of the library"
            )
        elif (offset - address) % align:
            said.append(f"segment {index}: offset {offset:#x} and address {address:#x} do not fit {align:#x}")
    return said if loads else ["is damaged: it has no segment to load"]
