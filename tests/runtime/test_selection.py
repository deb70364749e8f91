from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import Manifest, RuntimeRequirement
from edge_sdk.bundle.release_record import ReleaseRecord
from edge_sdk.errors import BundleError, IncompatibleTargetError
from edge_sdk.runtime.selection import select
from tests.runtime.conftest import image_manifest


@pytest.fixture
def manifest(models: Path) -> Manifest:
    return image_manifest(models)[0]


def record(target: str | None, variant: str) -> ReleaseRecord:
    return ReleaseRecord(
        target=target, variant=variant, release="7-0123456789ab", sequence=7, manifest_sha256="0" * 64
    )


def test_order_of_choice(manifest: Manifest) -> None:
    def chosen(release: ReleaseRecord | None = None, **asked: str) -> tuple[str, str | None]:
        selection = select(manifest, release, **asked)
        return selection.variant.id, selection.target

    installed = record("old-board", "float32")
    assert chosen() == ("full_int8_io", "host")
    assert chosen(target="old-board") == ("uint8_io", "old-board")
    assert chosen(variant="float32") == ("float32", "host")
    assert chosen(installed) == ("float32", "old-board")
    assert chosen(installed, variant="uint8_io") == ("uint8_io", "old-board")
    assert chosen(installed, target="host") == ("full_int8_io", "host")
    assert chosen(record("gone", "uint8_io")) == ("uint8_io", "host")


def test_without_a_host_plan_the_first_target_is_taken(manifest: Manifest) -> None:
    board = {"old-board": manifest.targets["old-board"]}
    selection = select(replace(manifest, targets=board), None)
    assert (selection.variant.id, selection.target) == ("uint8_io", "old-board")
    # Nobody asked for that board, so its runtime does not bind.
    assert selection.runtime is None
    bound = select(manifest, None, target="old-board")
    assert bound.runtime == RuntimeRequirement(name="tflite-runtime")
    bare = select(replace(manifest, targets={}), None)
    assert (bare.variant.id, bare.target, bare.runtime) == ("float32", None, None)


def test_refusals(manifest: Manifest) -> None:
    with pytest.raises(IncompatibleTargetError, match="not built for 'mars-rover'"):
        select(manifest, None, target="mars-rover")
    with pytest.raises(BundleError, match="no variant 'float8'"):
        select(manifest, None, variant="float8")
    with pytest.raises(BundleError, match="has no variant"):
        select(replace(manifest, variants=(), targets={}), None)
    first = replace(manifest.variants[0], format="mlpackage")
    with pytest.raises(IncompatibleTargetError, match="is mlpackage"):
        select(replace(manifest, variants=(first, *manifest.variants[1:])), None, variant="float32")
