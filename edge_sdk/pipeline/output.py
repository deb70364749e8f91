"""What a build leaves for people, in the folder they chose.

    OUT/NAME.edge                 the bundle
    OUT/NAME/<id>.tflite          each variant that passed; <id>.mlpackage is a folder
    OUT/NAME/rejected/<id>.tflite each that a guard rejected, out of the way of a careless glob
    OUT/NAME/unverified/<id>...   each whose answers could not be computed here
    OUT/NAME/build.json           the result, as `edge build --json` prints it
    OUT/NAME/details.json         everything that was found, for `edge report`

Each file appears whole or not at all. A file that has the right content is not written again. Variants of
the build before that this build does not make are removed, so that no stale file lies beside new ones; only
files that the last build.json lists are ever removed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from edge_sdk.bundle.digest import folder_digest, sha256_of
from edge_sdk.bundle.durable import durable_file, write_failure
from edge_sdk.convert.formats import FORMATS
from edge_sdk.errors import NoSpaceError
from edge_sdk.pack import Packing
from edge_sdk.pipeline.cache import StepCache
from edge_sdk.pipeline.result import BuildResult, VariantReport
from edge_sdk.quantize.recipe import Recipe
from edge_sdk.validate.guards import PASSED, REJECTED, UNVERIFIED

REPORT_FILE = "build.json"
DETAILS_FILE = "details.json"
#: Room for the manifest, the report and the names.
_SLACK = 64 * 2**10


class Output:
    """The output folder of one build.

    Args:
        out: As the user chose it.
        name: Of the bundle.
    """

    def __init__(self, out: Path, name: str) -> None:
        self.bundle = out / f"{name}.edge"
        self.folder = out / name

    def variant(self, recipe: Recipe, verdict: str) -> Path:
        """Return where a variant's file or folder lies."""
        place = self.folder if verdict == PASSED else self.folder / verdict
        return place / f"{recipe.name}{FORMATS[recipe.format].suffix}"

    def reserve(self, packing: Packing | None, reports: Iterable[VariantReport], cache: StepCache) -> None:
        """Check that everything fits on the disk before the first file is written.

        Raises:
            NoSpaceError: It does not.
        """
        needed = sum(item.size_bytes for item in reports if not _has(item.path, item.sha256))
        if packing is not None and self._known(packing, cache) is None:
            needed += sum(entry.size for entry in packing.manifest.files.values())
        if not needed:
            return
        place = next(folder for folder in (self.folder, *self.folder.absolute().parents) if folder.is_dir())
        available = shutil.disk_usage(place).free
        if available < needed + _SLACK:
            raise NoSpaceError(str(self.folder.parent), needed=needed + _SLACK, available=available)

    def write_bundle(self, packing: Packing, cache: StepCache) -> tuple[Path, str]:
        """Write the bundle unless it is there already; return its path and SHA-256.

        Raises:
            NoSpaceError: The disk is full.
            ConfigError: The folder cannot be written.
        """
        digest = self._known(packing, cache)
        if digest is None:
            digest = packing.write(self.bundle)
            cache.make("pack", _key(packing), lambda folder: {"sha256": digest})
        return self.bundle, digest

    def _known(self, packing: Packing, cache: StepCache) -> str | None:
        """Return the digest of the bundle that lies there, where it is what would be written."""
        entry = cache.find("pack", _key(packing))
        digest = None if entry is None else str(entry.value["sha256"])
        return digest if digest and _has(self.bundle, digest) else None

    def write_variants(
        self, files: Mapping[str, Path], result: BuildResult, details: Mapping[str, Any]
    ) -> None:
        """Write the variants' files, the result and the details.

        Args:
            files: Where each variant's content is, by id.
            result: Whose variants name the places.
            details: Everything that was found.

        Raises:
            NoSpaceError: The disk is full.
            ConfigError: The folder cannot be written.
        """
        stale = self._listed() - {report.path for report in result.variants}
        for report in result.variants:
            if not _has(report.path, report.sha256):
                source = files[report.id]
                if source.is_dir():
                    _copy_folder(source, report.path, needed=report.size_bytes)
                    continue
                with source.open("rb") as content, durable_file(report.path, needed=report.size_bytes) as to:
                    shutil.copyfileobj(content, to)
        for name, document in ((DETAILS_FILE, details), (REPORT_FILE, result.to_dict())):
            text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            path = self.folder / name
            if not _has(path, sha256_of(text.encode())):
                with durable_file(path, needed=len(text)) as stream:
                    stream.write(text.encode())
        for path in stale:
            with contextlib.suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def _listed(self) -> set[Path]:
        """Return the variants' files that the last report lists and that lie where variants lie."""
        try:
            report = json.loads((self.folder / REPORT_FILE).read_text("utf-8"))
            names = [Path(entry["path"]).name for entry in report["variants"]]
        except (OSError, ValueError, KeyError, TypeError):
            return set()
        places = (self.folder, *(self.folder / verdict for verdict in (REJECTED, UNVERIFIED)))
        suffixes = tuple(found.suffix for found in FORMATS.values())
        return {place / name for place in places for name in names if name.endswith(suffixes)}


def _key(packing: Packing) -> dict[str, str]:
    return {"manifest": sha256_of(packing.manifest.to_bytes())}


def _copy_folder(source: Path, to: Path, *, needed: int) -> None:
    """Copy a package beside its place, then rename it: a package is whole or not there."""
    part = to.with_name(f".{to.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(source, part)
        if to.is_dir() and not to.is_symlink():
            shutil.rmtree(to)
        part.rename(to)
    except OSError as failure:
        shutil.rmtree(part, ignore_errors=True)
        raise write_failure(to, failure, needed=needed) from failure


def _has(path: Path, digest: str) -> bool:
    try:
        return (folder_digest(path) if path.is_dir() else sha256_of(path)) == digest
    except OSError:
        return False
