from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_sdk.bundle.manifest import DelegateSpec, Manifest, RuntimeRequirement, TargetPlan
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


@pytest.fixture
def with_packages(manifest: Manifest) -> Manifest:
    """The same with a Core ML package at the front, and a phone's plan before the others."""
    first = manifest.variants[0]
    package = replace(first, id="coreml_int8", format="mlpackage", file="coreml_int8.mlpackage", golden=None)
    phone = TargetPlan(
        platform="ios",
        architecture="any",
        runtime=RuntimeRequirement(name="coreml", minimum_version="iOS16"),
        delegates=(DelegateSpec(name="all"),),
        variants=("coreml_int8",),
    )
    return replace(
        manifest, variants=(package, *manifest.variants), targets={"ios": phone, **manifest.targets}
    )


def test_packages_are_passed_over_where_nobody_asks_for_them(with_packages: Manifest) -> None:
    selection = select(with_packages, None)
    assert (selection.variant.id, selection.target) == ("full_int8_io", "host")
    targets = {name: plan for name, plan in with_packages.targets.items() if name != "host"}
    selection = select(replace(with_packages, targets=targets), None)
    assert (selection.variant.id, selection.target) == ("uint8_io", "old-board")
    # A phone's plan, alone, says nothing about this machine.
    alone = replace(with_packages, targets={"ios": targets["ios"]})
    selection = select(alone, None)
    assert (selection.variant.id, selection.target, selection.runtime) == ("float32", None, None)
    both = replace(targets["ios"], variants=("coreml_int8", "uint8_io"))
    selection = select(replace(with_packages, targets={"ios": both}), None, target="ios")
    assert (selection.variant.id, selection.target) == ("uint8_io", "ios")
    # Compute units are no delegates, and iOS16 is no version of a TFLite runtime.
    assert (selection.delegates, selection.runtime) == ((), None)


def test_a_package_that_is_asked_for_is_refused_with_the_way_out(with_packages: Manifest) -> None:
    for release, asked in (
        (None, {"variant": "coreml_int8"}),
        (None, {"target": "ios"}),
        (record("ios", "coreml_int8"), {}),
    ):
        with pytest.raises(IncompatibleTargetError, match="mlpackage") as caught:
            select(with_packages, release, **asked)
        assert "float32, full_int8_io, uint8_io" in (caught.value.hint or "")
        assert "iPhones" in (caught.value.why or "")
    only = replace(with_packages, variants=with_packages.variants[:1], targets={})
    with pytest.raises(IncompatibleTargetError, match="has only mlpackage variants") as caught:
        select(only, None)
    assert "edge build --target host" in (caught.value.hint or "")
    named = select(with_packages, None, target="ios", variant="float32")
    assert (named.variant.id, named.runtime) == ("float32", None)
