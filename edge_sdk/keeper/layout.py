"""Where everything lies on a board. docs/reference/board-layout.md draws it.

Two symbolic links and nothing else say what runs: `current`, the release that the runner opens, and `good`,
the last one that is known to work. Every folder below `releases/` without the temporary suffix has passed its
golden vectors on this board.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path

from edge_sdk.errors import RemoteError
from edge_sdk.keeper.disk import TEMPORARY, Disk

DIGEST = re.compile(r"[0-9a-f]{64}")
RELEASE = re.compile(r"([0-9]{1,9})-([0-9a-f]{12})")
IDENTITY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class Layout:
    """The names below one root.

    Attributes:
        root: Absolute path of the keeper's folder.
        lock: Whoever changes something holds a flock on it.
        incoming: Blobs that are arriving.
        blobs: Finished content, by digest.
        releases: One folder each.
        current: Link to the release that the runner opens.
        good: Link to the last release that is known to work.
        environments: Trees of Python packages, one folder each.
        environment: Link to the one in use.
        code: Unpacked board-side code, one folder each.
        current_code: Link to the one in use.
        state: What happened, for people; nothing here decides what runs.
        log: The keeper's log.
        launchers: `edge-keeper` and `edge-runner`.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root.expanduser()))  # noqa: PTH100 - resolve() would follow links
        self.lock = self.root / "lock"
        self.incoming = self.root / "incoming"
        self.blobs = self.root / "blobs" / "sha256"
        self.releases = self.root / "releases"
        self.current = self.root / "current"
        self.good = self.root / "good"
        self.environments = self.root / "environments"
        self.environment = self.root / "environment"
        self.code = self.root / "code"
        self.current_code = self.code / "current"
        self.state = self.root / "state"
        self.log = self.root / "log"
        self.launchers = self.root / "bin"

    def rooms(self) -> tuple[Path, ...]:
        """Return every folder, parents first."""
        return (
            self.root,
            self.incoming,
            self.blobs.parent,
            self.blobs,
            self.releases,
            self.environments,
            self.code,
            self.state,
            self.log,
            self.launchers,
        )

    def blob(self, sha256: str) -> Path:
        """Return where a blob lies; nothing is checked but the digest's form.

        Raises:
            RemoteError: This is not a digest.
        """
        return self.blobs / check_digest(sha256)[:2] / sha256

    def part(self, sha256: str) -> Path:
        """Return where a blob lies while it arrives."""
        return self.incoming / f"{check_digest(sha256)}.part"

    def prepare(self, disk: Disk) -> None:
        """Make the folders that are missing, and refuse a root that cannot be trusted.

        Raises:
            RemoteError: One of the names is a link or not a folder, or lies on another file system
                (where a rename would not be atomic).
            OSError: A folder cannot be made.
        """
        device = None
        for room in self.rooms():
            try:
                state = room.lstat()
            except FileNotFoundError:
                if room == self.root:
                    room.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileExistsError):  # two sessions may start at once
                    disk.make_folder(room, 0o700 if room == self.root else 0o755)
                disk.sync_folder(room.parent)
                state = room.lstat()
            if room == self.root and stat.S_ISLNK(state.st_mode):
                state = room.stat()  # the root itself may be a link that the owner made, say to a larger disk
            if not stat.S_ISDIR(state.st_mode):
                raise RemoteError(
                    f"{room} is not a folder",
                    why="the keeper follows no links inside its root",
                    hint="find out who put it there; then remove it and run the same command again",
                )
            if device is None:
                device = state.st_dev
            elif state.st_dev != device:
                raise RemoteError(
                    f"{room} is on another file system than {self.root}",
                    why="a rename between two file systems is not atomic",
                    hint="mount the whole root, not a part of it",
                )

    def linked(self, link: Path, folder: Path, pattern: re.Pattern[str]) -> str | None:
        """Return the name in `folder` that a link points to; None where there is no such link or folder."""
        try:
            text = os.readlink(link)  # noqa: PTH115 - the text itself is checked, byte for byte
        except OSError:
            return None
        prefix = os.path.relpath(folder, link.parent)
        head, _, name = text.rpartition("/")
        if (head or ".") != prefix or not pattern.fullmatch(name) or name.endswith(TEMPORARY):
            return None
        return name if (folder / name).is_dir() and not (folder / name).is_symlink() else None

    def current_release(self) -> str | None:
        """Return the name of the release that the runner opens, or None before the first one."""
        return self.linked(self.current, self.releases, RELEASE)

    def good_release(self) -> str | None:
        """Return the name of the last release that is known to work."""
        return self.linked(self.good, self.releases, RELEASE)

    def current_environment(self) -> str | None:
        """Return the identity of the Python packages in use."""
        return self.linked(self.environment, self.environments, IDENTITY)

    def current_code_identity(self) -> str | None:
        """Return the digest of the board-side code in use."""
        return self.linked(self.current_code, self.code, DIGEST)

    def release_names(self) -> list[str]:
        """Return the names of all releases, oldest first."""
        return sorted(_names(self.releases, RELEASE), key=sequence_of)

    def environment_names(self) -> list[str]:
        """Return the identities of all unpacked environments, sorted."""
        return sorted(_names(self.environments, IDENTITY))

    def code_names(self) -> list[str]:
        """Return the digests of all unpacked codes, sorted."""
        return sorted(_names(self.code, DIGEST))

    def blob_names(self) -> list[str]:
        """Return the digests of all blobs, sorted."""
        found: list[str] = []
        for folder in sorted(self.blobs.iterdir()) if self.blobs.is_dir() else []:
            if folder.is_dir() and not folder.is_symlink():
                found += [path.name for path in folder.iterdir() if DIGEST.fullmatch(path.name)]
        return sorted(found)


def sequence_of(release: str) -> int:
    """Return the sequence number in a release's name."""
    return int(release.partition("-")[0])


def check_digest(sha256: object) -> str:
    """Return `sha256` if it is 64 lower-case hexadecimal digits.

    Raises:
        RemoteError: It is not; so it never becomes part of a path.
    """
    if not isinstance(sha256, str) or not DIGEST.fullmatch(sha256):
        raise RemoteError(f"{sha256!r:.80} is not a SHA-256 digest")
    return sha256


def check_identity(name: object) -> str:
    """Return `name` if it may name an environment.

    Raises:
        RemoteError: It is not a plain name.
    """
    if not isinstance(name, str) or not IDENTITY.fullmatch(name) or name.endswith(TEMPORARY):
        raise RemoteError(f"{name!r:.120} cannot name an environment")
    return name


def check_release_name(name: object) -> str:
    """Return `name` if it has the form of a release's name.

    Raises:
        RemoteError: It has not.
    """
    if not isinstance(name, str) or not RELEASE.fullmatch(name):
        raise RemoteError(f"{name!r:.80} is not the name of a release", hint="edge status lists them")
    return name


def _names(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    if not folder.is_dir():
        return []
    return [
        path.name
        for path in folder.iterdir()
        if pattern.fullmatch(path.name)
        and not path.name.endswith(TEMPORARY)
        and path.is_dir()
        and not path.is_symlink()
    ]
