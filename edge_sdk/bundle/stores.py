"""Where the content of an open bundle comes from: a `.edge` file or a release directory.

`Bundle` (edge_sdk.bundle.archive) checks digests; a store checks what is its own: the archive its
structure and CRCs, the folder that nothing lies beside what the manifest lists.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from edge_sdk.bundle import layout as zip_layout
from edge_sdk.bundle.digest import CHUNK
from edge_sdk.bundle.manifest import MAX_MANIFEST_BYTES, FileEntry
from edge_sdk.errors import BundleError

FILES_FOLDER = "files"


class Store(Protocol):
    """Where a bundle's content comes from."""

    def pieces(self, name: str, entry: FileEntry, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Yield the content of a file, `chunk` bytes at a time; at most `entry.size` bytes."""
        ...

    def check(self, files: Mapping[str, FileEntry], note: Callable[[int], None]) -> None:
        """Check what opening did not, apart from digests; `note` takes the bytes done."""
        ...

    def close(self) -> None:
        """Give up what is held open."""
        ...


class ArchiveStore:
    """The content of a `.edge` file."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self.size = os.fstat(stream.fileno()).st_size
        self._stream = stream
        self._layout: zip_layout.Layout | None = None
        self._crcs: list[int] = []

    def at(self, offset: int, size: int) -> bytes:
        """Return exactly `size` bytes; positioned reads, so that threads do not disturb each other."""
        data = os.pread(self._stream.fileno(), size, offset)
        while len(data) < size:
            more = os.pread(self._stream.fileno(), size - len(data), offset + len(data))
            if not more:
                raise BundleError(f"{self.path} ends early", why="it is truncated, or still being written")
            data += more
        return data

    def read_manifest(self) -> bytes:
        """Return the manifest's bytes, CRC checked."""
        first = zip_layout.LOCAL_SIZE + len(zip_layout.MANIFEST_NAME)
        head = self.at(0, min(first, self.size))
        if not head.startswith(b"PK\3\4"):
            raise BundleError(f"{self.path} is not an edge bundle", why="it is not a ZIP archive")
        if len(head) < first:
            raise BundleError(f"{self.path} ends early", why="it is truncated, or still being written")
        first_name = zip_layout.local_name(self.at(0, min(zip_layout.LOCAL_SIZE + 300, self.size)))
        if first_name != zip_layout.MANIFEST_NAME:
            raise BundleError(
                f"{self.path} is not an edge bundle",
                why=f"it is a ZIP archive that starts with {first_name!r:.80}, not with "
                f"{zip_layout.MANIFEST_NAME}",
                hint="this is a NumPy archive: data, not a bundle; edge build makes a bundle"
                if first_name.endswith(".npy")
                else "name a .edge file that edge build has made",
            )
        crc, size = zip_layout.local_fields(head)
        if size > MAX_MANIFEST_BYTES:
            raise BundleError(
                f"{self.path} claims a manifest of {size:,} bytes", why=f"the limit is {MAX_MANIFEST_BYTES:,}"
            )
        member = zip_layout.Member(zip_layout.MANIFEST_NAME, 0, 0, size)
        if head != zip_layout.local_header(member, crc):
            raise BundleError(
                f"{self.path} is not an edge bundle",
                why="its first member is not a stored manifest.json in the bundle's form",
            )
        raw = self.at(member.start, size)
        if zlib.crc32(raw) != crc:
            raise BundleError(
                "the manifest is damaged or was changed",
                why="its CRC-32 does not fit",
                hint="build or copy the bundle again",
            )
        return raw

    def check_structure(self, manifest_size: int, files: Mapping[str, FileEntry]) -> None:
        """Compare everything between the contents with what it must be."""
        layout = zip_layout.lay_out(manifest_size, files)
        if self.size != layout.size:
            raise BundleError(
                f"{self.path} has {self.size:,} bytes; its manifest needs {layout.size:,}",
                why="it is truncated" if self.size < layout.size else "something was added to it",
                hint="build or copy the bundle again",
            )
        for member in layout.members:
            header = self.at(member.offset, member.start - member.offset)
            crc, _ = zip_layout.local_fields(header)
            if header != zip_layout.local_header(member, crc):
                raise self._odd(f"the header of {member.name}")
            self._crcs.append(crc)
        tail = self.at(layout.directory_start, layout.size - layout.directory_start)
        if tail != zip_layout.directory(layout, self._crcs):
            raise self._odd("the directory at its end")
        self._layout = layout

    def _odd(self, part: str) -> BundleError:
        return BundleError(
            f"{self.path} is damaged or was changed",
            why=f"{part} is not what a bundle of this content has",
            hint="build or copy the bundle again",
        )

    def pieces(self, name: str, entry: FileEntry, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Yield a file's content."""
        assert self._layout is not None
        yield from self._member_pieces(self._layout.blob(entry.sha256), chunk)

    def _member_pieces(self, member: zip_layout.Member, chunk: int = CHUNK) -> Iterator[bytes]:
        for offset in range(member.start, member.end, chunk):
            yield self.at(offset, min(chunk, member.end - offset))

    def check(self, files: Mapping[str, FileEntry], note: Callable[[int], None]) -> None:
        """Compare each content with its CRC-32."""
        assert self._layout is not None
        for member, expected in zip(self._layout.members, self._crcs, strict=True):
            crc = 0
            for data in self._member_pieces(member):
                crc = zlib.crc32(data, crc)
                note(len(data))
            if crc != expected:
                raise self._odd(f"the CRC-32 of {member.name}")

    def close(self) -> None:
        """Close the file; calling again does nothing."""
        self._stream.close()


class FolderStore:
    """The content of a release directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, name: str) -> Path:
        """Return where a file lies; nothing is checked yet."""
        # Names come from a checked manifest; links to blobs are how a board stores files, so they are
        # followed, and the digest decides whether what they lead to is the file.
        return self.path / FILES_FOLDER / name

    def pieces(self, name: str, entry: FileEntry, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Yield a file's content; its size is checked before."""
        path = self.file(name)
        if not path.is_file():
            raise BundleError(f"{path} is missing", hint="push the release again")
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size != entry.size:
                raise BundleError(f"{path} has {size:,} bytes", why=f"the manifest says {entry.size:,}")
            while data := stream.read(chunk):
                yield data

    def check(self, files: Mapping[str, FileEntry], note: Callable[[int], None]) -> None:
        """Refuse files that the manifest does not list."""
        base = self.path / FILES_FOLDER
        names = {entry.relative_to(base).as_posix() for entry in base.rglob("*") if not entry.is_dir()}
        for name in sorted(names - set(files)):
            raise BundleError(f"{base / name} is not in the manifest", hint="push the release again")

    def close(self) -> None:
        """Do nothing: files are opened for each read."""
