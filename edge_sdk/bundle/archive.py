"""Writing and reading bundles.

`write_bundle` makes a `.edge` file; `Bundle.open` reads one, or a *release directory* on a board
(`manifest.json`, `release.json` and `files/<logical name>`), with the same methods.

Opening compares every byte that is not content with what it must be (`edge_sdk.bundle.layout`); reading a
file checks its digest; `verify` checks all of them, the CRCs included. So after `open` and `verify` no byte
of the file can differ from what the writer wrote for this content.

Standard library only: the keeper reads bundles before NumPy is there.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from edge_sdk.bundle import layout as zip_layout
from edge_sdk.bundle.digest import CHUNK, sha256_of
from edge_sdk.bundle.durable import durable_file
from edge_sdk.bundle.manifest import MAX_MANIFEST_BYTES, FileEntry, Manifest
from edge_sdk.bundle.release_record import MAX_RECORD_BYTES, ReleaseRecord
from edge_sdk.bundle.stores import ArchiveStore, FolderStore, Store
from edge_sdk.errors import BundleError, ConfigError, DigestMismatchError
from edge_sdk.progress import Progress, Step, silent

RELEASE_FILE = "release.json"


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, Path | bytes]) -> str:
    """Write a bundle; the same manifest and content always give the same bytes.

    The file appears whole and durable under its name, or not at all.

    Args:
        path: Where to, usually "<name>.edge".
        manifest: Whose `files` must name exactly `files`, with their sizes and digests.
        files: Content by logical name.

    Returns:
        SHA-256 of the bundle file.

    Raises:
        BundleError: Manifest and content do not agree, or the format cannot hold them.
        DigestMismatchError: A file's content is not what the manifest says.
        NoSpaceError: The disk is full.
        ConfigError: A source cannot be read, or the folder cannot be written.
    """
    manifest.check()
    for name in sorted(set(files) ^ set(manifest.files)):
        side = "the manifest does not list it" if name in files else "its content was not given"
        raise BundleError(f"file {name!r}: {side}")
    raw = manifest.to_bytes()
    Manifest.from_bytes(raw)  # what is written must be readable again
    layout = zip_layout.lay_out(len(raw), manifest.files)
    by_digest = {entry.sha256: name for name, entry in sorted(manifest.files.items())}
    for name, entry in manifest.files.items():
        _check_source(name, files[name], entry)
    total = hashlib.sha256()
    crcs = [zlib.crc32(raw)]
    with durable_file(path, needed=layout.size) as stream:

        def put(data: bytes) -> None:
            stream.write(data)
            total.update(data)

        put(zip_layout.local_header(layout.members[0], crcs[0]))
        put(raw)
        for member in layout.members[1:]:
            name = by_digest[member.name.removeprefix(zip_layout.BLOB_FOLDER)]
            source = files[name]
            crc = 0
            for data in _pieces(source):
                crc = zlib.crc32(data, crc)
            put(zip_layout.local_header(member, crc))
            digest, size = hashlib.sha256(), 0
            for data in _pieces(source):
                put(data)
                digest.update(data)
                size += len(data)
            if size != member.size or digest.hexdigest() != manifest.files[name].sha256:
                raise BundleError(f"{name} changed while it was packed", hint="run the same command again")
            crcs.append(crc)
        put(zip_layout.directory(layout, crcs))
    return total.hexdigest()


def _check_source(name: str, source: Path | bytes, entry: FileEntry) -> None:
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        actual = sha256_of(source)
    except OSError as failure:
        raise ConfigError(f"{name} cannot be read from its source", why=str(failure)) from failure
    if actual != entry.sha256:
        raise DigestMismatchError(name, expected=entry.sha256, actual=actual)
    if size != entry.size:
        raise BundleError(f"file {name!r} has {size:,} bytes", why=f"the manifest says {entry.size:,}")


def _pieces(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    try:
        with source.open("rb") as stream:
            while data := stream.read(CHUNK):
                yield data
    except OSError as failure:
        raise ConfigError(f"{source} cannot be read", why=failure.strerror or str(failure)) from failure


class Bundle:
    """A bundle that is open for reading; usable from several threads; a context manager.

    Attributes:
        path: The `.edge` file or the release directory.
        manifest: What it says of itself.
        manifest_bytes: The manifest as stored.
        release: The board's record for a release directory; None for a `.edge` file.
    """

    def __init__(
        self,
        path: Path,
        manifest: Manifest,
        manifest_bytes: bytes,
        release: ReleaseRecord | None,
        store: Store,
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.manifest_bytes = manifest_bytes
        self.release = release
        self._store = store
        self._checked: set[str] = set()

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """Open a `.edge` file or a release directory.

        Raises:
            BundleError: Missing, unreadable, not a bundle, damaged, truncated, unsafe or too new.
            DigestMismatchError: The manifest of a release directory is not the installed one.
        """
        path = Path(path)
        try:
            if path.is_dir():
                return _open_folder(path)
            if not path.exists():
                raise BundleError(f"{path} does not exist", hint="edge build makes a bundle")
            if not path.is_file():
                raise BundleError(f"{path} is not a regular file")
            return _open_archive(path)
        except OSError as failure:
            raise _unreadable(path, failure) from failure

    def has(self, name: str) -> bool:
        """Return whether the manifest lists a file of this name."""
        return name in self.manifest.files

    def names(self) -> list[str]:
        """Return the files that are here, sorted.

        All that the manifest lists for a `.edge` file. A board keeps what its variant needs, so for a release
        directory those (there or not), and any other listed file that is there.
        """
        if not isinstance(self._store, FolderStore) or self.release is None:
            return sorted(self.manifest.files)
        needed = self.manifest.needed_by(self.release.variant)
        return sorted(
            name for name in self.manifest.files if name in needed or self._store.file(name).exists()
        )

    def read(self, name: str) -> bytes:
        """Return the content of a file, its digest checked.

        Raises:
            DigestMismatchError: The content is not what the manifest says.
            BundleError: There is no such file, or it cannot be read.
        """
        # In one piece: a model is read while somebody waits, and joining pieces would copy it once more.
        return b"".join(self._checked_pieces(name, chunk=max(1, self._entry(name).size)))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file piece by piece; its digest is checked after the last one.

        Raises:
            DigestMismatchError: The content is not what the manifest says; what was yielded must not be used.
            BundleError: There is no such file, or it cannot be read.
        """
        return self._checked_pieces(name)

    def file_path(self, name: str) -> Path | None:
        """Return the real path of a file, its digest checked; None for a `.edge` file.

        The digest is checked once for each open bundle.

        Raises:
            DigestMismatchError: The content is not what the manifest says.
            BundleError: There is no such file, or it cannot be read.
        """
        if not isinstance(self._store, FolderStore):
            self._entry(name)
            return None
        path = self._store.file(name)
        if name not in self._checked:
            for _ in self._checked_pieces(name):
                pass
        return path

    def extract(self, name: str, destination: Path) -> None:
        """Write a file to `destination`: whole and checked, or not at all.

        Raises:
            DigestMismatchError: The content is not what the manifest says.
            BundleError: There is no such file, or it cannot be read.
            NoSpaceError: The disk is full.
            ConfigError: The destination cannot be written.
        """
        entry = self._entry(name)
        with durable_file(destination, needed=entry.size) as stream:
            for data in self._checked_pieces(name):
                stream.write(data)

    def verify(self, progress: Progress = silent) -> None:
        """Check the digests of `names()`, and that no other byte differs from what a writer would write.

        Raises:
            DigestMismatchError: A file's content is not what the manifest says.
            BundleError: Another difference.
        """
        names = self.names()
        total = max(1, sum(self.manifest.files[name].size for name in names))
        done = 0

        def note(size: int) -> None:
            nonlocal done
            done += size
            # Digests and CRCs are two passes.
            progress(Step("verify", "reading every byte", min(0.99, done / (2 * total))))

        for name in names:
            for data in self._checked_pieces(name):
                note(len(data))
        try:
            self._store.check(self.manifest.files, note)
        except OSError as failure:
            raise _unreadable(self.path, failure) from failure
        progress(Step("verify", "every byte is as it was written", 1.0))

    def close(self) -> None:
        """Close the file; calling again does nothing."""
        self._store.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _entry(self, name: str) -> FileEntry:
        try:
            return self.manifest.files[name]
        except KeyError:
            raise BundleError(
                f"no file {name!r:.120} in bundle {self.manifest.name!r}",
                why="files: " + ", ".join(sorted(self.manifest.files)),
            ) from None

    def _checked_pieces(self, name: str, *, chunk: int = CHUNK) -> Iterator[bytes]:
        entry = self._entry(name)
        digest = hashlib.sha256()
        try:
            for data in self._store.pieces(name, entry, chunk=chunk):
                digest.update(data)
                yield data
        except OSError as failure:
            raise _unreadable(self.path, failure) from failure
        if digest.hexdigest() != entry.sha256:
            raise DigestMismatchError(name, expected=entry.sha256, actual=digest.hexdigest())
        self._checked.add(name)


def _open_archive(path: Path) -> Bundle:
    stream = path.open("rb")
    try:
        archive = ArchiveStore(path, stream)
        raw = archive.read_manifest()
        manifest = _read_manifest(raw)
        archive.check_structure(len(raw), manifest.files)
    except BaseException:
        stream.close()
        raise
    return Bundle(path, manifest, raw, None, archive)


def _open_folder(path: Path) -> Bundle:
    raw = _small_file(path / zip_layout.MANIFEST_NAME, MAX_MANIFEST_BYTES)
    manifest = _read_manifest(raw)
    release = ReleaseRecord.from_bytes(_small_file(path / RELEASE_FILE, MAX_RECORD_BYTES))
    if sha256_of(raw) != release.manifest_sha256:
        raise DigestMismatchError(
            str(path / zip_layout.MANIFEST_NAME), expected=release.manifest_sha256, actual=sha256_of(raw)
        )
    manifest.variant(release.variant)
    return Bundle(path, manifest, raw, release, FolderStore(path))


def _small_file(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise BundleError(
            f"{path.parent} is not a release directory",
            why=f"it has no {path.name}",
            hint="name a .edge file, or a release directory of a board",
        )
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise BundleError(f"{path} is larger than {limit:,} bytes")
    return data


def _read_manifest(raw: bytes) -> Manifest:
    manifest = Manifest.from_bytes(raw)
    # The stored text must be the canonical one for what it says, whatever fields a newer writer added:
    # no second spelling, no duplicate key that two readers could take differently.
    with suppress(ValueError):
        text = json.dumps(json.loads(raw), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
        if (text + "\n").encode() == raw:
            return manifest
    raise BundleError(
        "the manifest is not in canonical form",
        why="sorted keys, two-space indent, each key once, no NaN: so that one content has one digest",
        hint="build the bundle again",
    )


def _unreadable(path: Path, failure: OSError) -> BundleError:
    return BundleError(f"{path} cannot be read", why=failure.strerror or str(failure))
