"""The reference pages name every field that the code has."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edge_sdk.bundle import manifest
from edge_sdk.bundle.release_record import ReleaseRecord
from edge_sdk.cli import doctor
from edge_sdk.contract import spec
from edge_sdk.contract.document import Document
from edge_sdk.targets import Limits, Target

PAGES = Path(__file__).parents[1] / "docs" / "reference"
ON_PAGE: dict[str, list[type[Document]]] = {
    "bundle.md": [
        manifest.Manifest, manifest.Variant, manifest.TargetPlan, manifest.FileEntry, manifest.Golden,
        manifest.Requirements, manifest.RuntimeRequirement, manifest.DelegateSpec, ReleaseRecord,
    ],
    "contract.md": [
        spec.Contract, spec.Signature, spec.TensorSpec, spec.Quantization, spec.ImagePreprocess,
        spec.Postprocess,
    ],
    "targets.md": [Target, Limits],
}  # fmt: skip
FIELDS = [
    (page, cls.__name__, item.name)
    for page, classes in ON_PAGE.items()
    for cls in classes
    for item in dataclasses.fields(cls)
    if item.name != "extra"
]


@pytest.mark.parametrize(("page", "cls", "name"), FIELDS, ids=lambda part: str(part))
def test_every_field_is_documented(page: str, cls: str, name: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    assert any(f"{mark}{name}" in text for mark in ("`", ".")), (
        f"{cls}.{name} is not in docs/reference/{page}"
    )


def test_every_choice_is_documented() -> None:
    text = (PAGES / "contract.md").read_text(encoding="utf-8")
    choices = (spec.COLORS, spec.RESIZES, spec.FITS, spec.ORIENTATIONS, spec.LAYOUTS, spec.ACTIVATIONS)
    for choice in (name for group in choices for name in group):
        assert f"`{choice}`" in text, choice


def test_every_field_of_the_doctor_is_documented() -> None:
    text = (PAGES / "doctor.md").read_text(encoding="utf-8")
    for name in doctor.examine():
        assert f"`{name}`" in text, name


def test_the_limits_on_the_pages_are_the_ones_of_the_code() -> None:
    from edge_sdk.bundle.layout import ALIGNMENT, MAX_MEMBERS
    from edge_sdk.contract.decode import MAX_FILE_BYTES, MAX_PIXELS
    from edge_sdk.contract.golden import MAX_ARRAYS, MAX_GOLDEN_BYTES

    assert (manifest.MAX_MANIFEST_BYTES, manifest.MAX_NESTING, ALIGNMENT, MAX_MEMBERS) == (
        16 << 20,
        64,
        64,
        65535,
    )
    assert (MAX_PIXELS, MAX_FILE_BYTES, MAX_GOLDEN_BYTES, MAX_ARRAYS) == (10**8, 512 << 20, 256 << 20, 512)
    assert manifest.FORMAT_VERSION in (PAGES / "bundle.md").read_text(encoding="utf-8").splitlines()[0]
