"""Swift and aapt2 in a small Debian of their own: unpacked, never installed, entered without root.

Both come as packages of Debian 13, which other systems cannot run as they are: their C library is older. So
the packages are unpacked into a folder, and a program is run with that folder as its root: `unshare` makes
a user namespace in which an ordinary user may do that. Maintainer scripts never run. apt fetches and
checks the packages, with lists and a state of its own; the system's are not touched.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.errors import ConfigError, EdgeError
from edge_sdk.progress import Progress, Step, silent
from edge_sdk.scaffold.toolchain.places import Completed, Missing, make, must, need, pins, place, run

RECORD = "versions.json"
FRAMEWORK = "/usr/share/android-framework-res/framework-res.apk"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_WORK = "/work"
#: Enters a root folder. $1 root, $2 the folder that appears as /work, then the program.
_ENTER = """
set -e
root=$1; work=$2; shift 2
mount -t proc proc "$root/proc"
mount --bind "$work" "$root/work"
for node in null zero random urandom; do mount --bind "/dev/$node" "$root/dev/$node"; done
exec chroot "$root" /usr/bin/env -i -C /work \
    PATH=/usr/libexec/swift/bin:/usr/bin HOME=/tmp LANG=C.UTF-8 "$@"
"""


@dataclass(frozen=True)
class Debian:
    """The folder that programs run in.

    Attributes:
        root: Of the small Debian.
        versions: Version of each package that was pinned.
        others: Packages that have another version than the pinned one, "NAME VERSION".
    """

    root: Path
    versions: Mapping[str, str]
    others: tuple[str, ...]

    def run(self, argv: Sequence[str], work: Path, *, timeout_seconds: float = 600) -> Completed:
        """Run a program of it. It sees `work` as /work, starts there, and nothing else of the system."""
        return run([*_enter(), self.root, work, *argv], timeout_seconds=timeout_seconds)


def find_debian() -> Debian | Missing:
    """Return the small Debian, or what is missing."""
    pinned = pins()["debian"]
    root = place("debian", pinned)
    if not root.is_dir():
        return Missing("Swift and aapt2", "they were not fetched")
    if shutil.which("unshare") is None:
        return Missing("Swift and aapt2", "there is no unshare on the PATH", "install util-linux")
    found = json.loads((root / RECORD).read_text("utf-8"))
    others = tuple(
        f"{name} {found.get(name)}"
        for name, version in pinned["versions"].items()
        if found.get(name) != version
    )
    debian = Debian(root, found, others)
    tried = debian.run(["true"], root / "tmp", timeout_seconds=60)
    if tried.code:
        last = (tried.output.strip().splitlines() or [f"exit code {tried.code}"])[-1]
        return Missing(
            "Swift and aapt2",
            f"this system lets no user have namespaces: {last}",
            "allow them (sysctl kernel.unprivileged_userns_clone=1; a container needs --privileged)",
        )
    return debian


def _enter() -> list[str]:
    flags = ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"]
    return ["unshare", *flags, "sh", "-c", _ENTER, "sh"]


def install_debian(progress: Progress = silent) -> None:
    """Fetch and unpack the packages, where they are not there yet: 600 MB to fetch, 2 GB on disk.

    Raises:
        ConfigError: apt, dpkg-deb or Debian's keys are missing.
        EdgeError: Something could not be fetched.
    """
    pinned = pins()["debian"]
    hint = "on Debian or Ubuntu: apt-get install apt dpkg debian-archive-keyring util-linux"
    for program, purpose in (("apt-get", "fetch Swift and aapt2"), ("dpkg-deb", "unpack them"),
                             ("unshare", "run them")):  # fmt: skip
        need(program, purpose, hint)
    if not _KEYRING.is_file():
        raise ConfigError(f"{_KEYRING} is missing", why="packages are checked with Debian's keys", hint=hint)
    make(place("debian", pinned), lambda folder: _fill(folder, pinned, progress))


def _fill(root: Path, pinned: Mapping[str, Any], progress: Progress) -> None:
    apt_folder = root / ".apt"
    apt = _own_apt(apt_folder, pinned["suite"])
    progress(Step("debian", "fetching the list of packages", 0.0))
    must(["apt-get", *apt, "-q", "update"])
    wanted = [_available(apt, name, pinned["versions"].get(name)) for name in pinned["packages"]]
    progress(Step("debian", "fetching Swift and aapt2 (580 MB)", 0.0))
    must(["apt-get", *apt, "-q", "-y", "--download-only", "install", *wanted])
    archives = sorted((apt_folder / "cache" / "archives").glob("*.deb"))
    _folders(root)
    versions: dict[str, str] = {}
    for index, archive in enumerate(archives):
        progress(Step("debian", "unpacking", index / len(archives), archive.name.partition("_")[0]))
        name, version = must(
            ["dpkg-deb", "--show", "--showformat", "${Package}\n${Version}\n", archive]
        ).splitlines()[:2]
        if name in pinned["versions"]:
            versions[name] = version
        _unpack(archive, root, pinned["leave_out"])
        archive.unlink()
    shutil.rmtree(apt_folder)
    # What the scripts of packages would have made.
    shell = root / "usr" / "bin" / "sh"
    shell.unlink(missing_ok=True)
    shell.symlink_to("bash")
    (root / RECORD).write_text(json.dumps(versions, indent=2, sort_keys=True) + "\n", "utf-8")


def _own_apt(folder: Path, suite: str) -> list[str]:
    for name in ("state/lists/partial", "cache/archives/partial", "sources.d"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {suite} main\n", "utf-8")
    settings = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "sources.d",
        "APT::Architecture": "amd64",
        "APT::Architectures": "amd64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _mirror() -> str:
    """Return the Debian mirror that this system is set up with.

    Raises:
        ConfigError: There is none.
    """
    folder = Path("/etc/apt")
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))):
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
        for line in text.splitlines():
            for address in re.findall(r"https?://\S+", line.partition("#")[0]):
                if re.search(r"/debian/?$", address):
                    return str(address)
    raise ConfigError(
        "no Debian mirror is configured here",
        why="Swift and aapt2 come from Debian's packages",
        hint="add one to /etc/apt/sources.list.d, or skip the checks that need them",
    )


def _available(apt: Sequence[str], name: str, version: str | None) -> str:
    """Return what apt shall fetch: the pinned version where the mirror has it, else the newest."""
    if version is None:
        return name
    table = must(["apt-cache", *apt, "madison", name])
    there = {row.split("|")[1].strip() for row in table.splitlines() if row.count("|") == 2}
    return f"{name}={version}" if version in there else name


def _folders(root: Path) -> None:
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("proc", "dev", "tmp", "work"):
        (root / name).mkdir(exist_ok=True)
    for node in ("null", "zero", "random", "urandom"):
        (root / "dev" / node).touch()


def _unpack(archive: Path, root: Path, leave_out: Sequence[str]) -> None:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as packed:
            for member in packed:
                name = "./" + member.name.removeprefix("./").rstrip("/")
                if name == "./" or any(fnmatch.fnmatch(name, pattern) for pattern in leave_out):
                    continue
                _extract(packed, member, root)
    if process.returncode:
        raise EdgeError(f"{archive.name} cannot be unpacked", hint="try again")


def _extract(packed: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    path = root / member.name
    if member.isdir():
        # "lib" is a link to "usr/lib" here, and stays one.
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    if member.issym():
        path.symlink_to(member.linkname)
    elif member.islnk():
        path.hardlink_to(root / member.linkname)
    elif member.isfile():
        stream = packed.extractfile(member)
        if stream is not None:
            with stream, path.open("wb") as out:
                shutil.copyfileobj(stream, out)
            path.chmod(member.mode & 0o755)
