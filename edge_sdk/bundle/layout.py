"""Where every byte of a bundle lies: computed from the manifest alone, no I/O.

A bundle is a ZIP archive of one exact shape (docs/reference/bundle.md):

    manifest.json | blobs/<sha256> ... in sorted order | central directory | end record

stored, without comments, with fixed time and attributes, each blob's content on a 64-byte boundary.
Manifest and CRCs determine all the rest, so the reader does not *interpret* an archive: it computes the
headers that must be there and compares. Everything a ZIP parser could be talked into (other names,
compression, encryption, comments, duplicates, links, overlaps, gaps, trailing bytes) differs from them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_sdk.bundle.manifest import FileEntry
from edge_sdk.errors import BundleError

MANIFEST_NAME = "manifest.json"
BLOB_FOLDER = "blobs/"
#: FlatBuffers want 16; a cache line serves every kernel that reads weights in place.
ALIGNMENT = 64
#: Plain ZIP ends here; a TFLite file ends at 2 GiB anyway.
MAX_BUNDLE_BYTES = 2**32 - 1
MAX_MEMBERS = 2**16 - 1

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
LOCAL_SIZE, CENTRAL_SIZE, END_SIZE = _LOCAL.size, _CENTRAL.size, _END.size

_NEEDED = 20  # ZIP 2.0, what every reader knows
_MADE_BY = (3 << 8) | 20  # "Unix", so that the attributes below mean a file mode
_DATE, _TIME = (1 << 5) | 1, 0  # 1980-01-01 00:00, the first moment that ZIP can tell
_MODE = 0o100644 << 16
#: Identifier that Android's zipalign uses for padding; readers skip it.
_PADDING_ID = 0xD935


@dataclass(frozen=True)
class Member:
    """One member of the archive.

    Attributes:
        name: "manifest.json" or "blobs/<sha256>".
        offset: Of the local header, bytes from the start of the file.
        padding: Bytes of extra field between name and content.
        size: Bytes of content.
    """

    name: str
    offset: int
    padding: int
    size: int

    @property
    def start(self) -> int:
        """Offset of the content."""
        return self.offset + LOCAL_SIZE + len(self.name) + self.padding

    @property
    def end(self) -> int:
        """Offset of the first byte after the content."""
        return self.start + self.size


@dataclass(frozen=True)
class Layout:
    """The whole archive.

    Attributes:
        members: In file order, the manifest first.
        size: Bytes of the archive.
    """

    members: tuple[Member, ...]
    size: int

    @property
    def directory_start(self) -> int:
        """Offset of the central directory."""
        return self.members[-1].end

    def blob(self, sha256: str) -> Member:
        """Return the member of a digest; KeyError where there is none."""
        return {member.name: member for member in self.members}[BLOB_FOLDER + sha256]


def lay_out(manifest_size: int, files: Mapping[str, FileEntry]) -> Layout:
    """Return the layout of a bundle.

    Args:
        manifest_size: Bytes of the manifest.
        files: `Manifest.files`; the same content under two names is stored once.

    Raises:
        BundleError: Two sizes for one digest, or more than plain ZIP can hold.
    """
    sizes: dict[str, int] = {}
    for name, entry in files.items():
        if sizes.setdefault(entry.sha256, entry.size) != entry.size:
            raise BundleError(f"file {name!r}: the manifest gives two sizes for one digest")
    if len(sizes) + 1 > MAX_MEMBERS:
        raise BundleError(f"the bundle holds {len(sizes):,} files", why=f"the limit is {MAX_MEMBERS - 1:,}")
    members = [Member(MANIFEST_NAME, 0, 0, manifest_size)]
    for sha256 in sorted(sizes):
        name, offset = BLOB_FOLDER + sha256, members[-1].end
        members.append(Member(name, offset, _padding(offset + LOCAL_SIZE + len(name)), sizes[sha256]))
    directory = sum(CENTRAL_SIZE + len(member.name) for member in members)
    size = members[-1].end + directory + END_SIZE
    if size > MAX_BUNDLE_BYTES:
        raise BundleError(
            f"the bundle would be {size:,} bytes",
            why=f"the format ends at {MAX_BUNDLE_BYTES:,}",
            hint="build fewer variants into one bundle (--recipe)",
        )
    return Layout(tuple(members), size)


def _padding(position: int) -> int:
    padding = -position % ALIGNMENT
    # An extra field starts with four bytes of its own.
    return padding + ALIGNMENT if 0 < padding < 4 else padding


def local_header(member: Member, crc: int) -> bytes:
    """Return the bytes before a member's content: header, name, padding."""
    name = member.name.encode("ascii")
    extra = b""
    if member.padding:
        extra = struct.pack("<HH", _PADDING_ID, member.padding - 4) + bytes(member.padding - 4)
    return (
        _LOCAL.pack(
            b"PK\3\4", _NEEDED, 0, 0, _TIME, _DATE, crc, member.size, member.size, len(name), len(extra)
        )
        + name
        + extra
    )


def directory(layout: Layout, crcs: Sequence[int]) -> bytes:
    """Return the bytes after the last member: central directory and end record.

    Args:
        layout: The archive.
        crcs: CRC-32 of each member's content, in the members' order.
    """
    entries = b"".join(
        _CENTRAL.pack(
            b"PK\1\2", _MADE_BY, _NEEDED, 0, 0, _TIME, _DATE, crc, member.size, member.size,
            len(member.name), 0, 0, 0, 0, _MODE, member.offset,
        )
        + member.name.encode("ascii")
        for member, crc in zip(layout.members, crcs, strict=True)
    )  # fmt: skip
    count = len(layout.members)
    return entries + _END.pack(b"PK\5\6", 0, 0, count, count, len(entries), layout.directory_start, 0)


def local_name(header: bytes) -> str:
    """Return the member's name of a local header, as far as it is there; of any ZIP, for messages alone."""
    length = _LOCAL.unpack(header[:LOCAL_SIZE])[9]
    return header[LOCAL_SIZE : LOCAL_SIZE + length].decode("utf-8", "replace")


def local_fields(header: bytes) -> tuple[int, int]:
    """Return (CRC-32, size) that a local header claims; the caller compares all the rest."""
    fields = _LOCAL.unpack(header[:LOCAL_SIZE])
    return fields[6], fields[8]
