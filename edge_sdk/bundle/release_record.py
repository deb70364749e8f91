"""`release.json`: what a board wrote down about a release when it installed it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from edge_sdk.bundle.manifest import check_name
from edge_sdk.contract.document import Document
from edge_sdk.errors import BundleError

#: The record is a handful of short fields.
MAX_RECORD_BYTES = 64 * 2**10

_RELEASE = re.compile(r"(\d{1,9})-([0-9a-f]{12})")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ReleaseRecord(Document):
    """One installed release.

    Attributes:
        target: Name of the target plan that was followed, or None where the bundle has none for it.
        variant: Id of the variant that was picked.
        release: "<sequence>-<first 12 hexadecimal digits of manifest_sha256>".
        sequence: Counts up on each board; never reused there.
        manifest_sha256: Digest of the manifest's bytes.
    """

    target: str | None = None
    variant: str
    release: str
    sequence: int
    manifest_sha256: str

    def to_bytes(self) -> bytes:
        """Return the stored form: UTF-8 JSON, sorted keys, two-space indent, final newline."""
        return (
            json.dumps(self.to_dict(), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> ReleaseRecord:
        """Read and check a record.

        Raises:
            BundleError: Not JSON, too large, or a field that cannot be.
        """
        if len(raw) > MAX_RECORD_BYTES:
            raise BundleError(f"release.json is {len(raw):,} bytes", why=f"the limit is {MAX_RECORD_BYTES:,}")
        try:
            data = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as failure:
            raise BundleError("release.json is not JSON", why=str(failure)) from failure
        record = cls.from_dict(data, where="release", error=BundleError)
        record.check()
        return record

    def check(self) -> None:
        """Check the rules that hold between fields.

        Raises:
            BundleError: The first rule that is broken.
        """
        check_name(self.variant)
        if self.target is not None:
            check_name(self.target)
        if not _DIGEST.fullmatch(self.manifest_sha256):
            raise BundleError("release.json has no proper manifest_sha256")
        match = _RELEASE.fullmatch(self.release)
        if match is None or int(match[1]) != self.sequence or match[2] != self.manifest_sha256[:12]:
            raise BundleError(
                f"release {self.release!r:.60} does not fit its own record",
                why=f"sequence {self.sequence!r:.20}, manifest {self.manifest_sha256[:12]}",
            )


def release_name(sequence: int, manifest_sha256: str) -> str:
    """Return the name of a release: its sequence number and the start of its manifest's digest."""
    return f"{sequence}-{manifest_sha256[:12]}"
