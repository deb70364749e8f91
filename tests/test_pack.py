from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import folder_digest, sha256_of
from edge_sdk.bundle.extraction import extract_variant
from edge_sdk.bundle.manifest import CoreMLFacts, CoreMLImage, RuntimeRequirement
from edge_sdk.contract.spec import Contract
from edge_sdk.errors import BundleError, DigestMismatchError
from edge_sdk.model.coreml.package import open_package
from edge_sdk.pack import Ingredient, Packing, Plan, pack
from edge_sdk.targets import Target
from edge_sdk.validate.facts import VariantFacts
from tests import real_models
from tests.bundle.samples import PACKAGE, SIGNATURE
from tests.bundle.test_folders import lay_out

FACTS = VariantFacts(
    samples=3,
    distinct_samples=True,
    data="evaluation",
    outputs=(),
    signatures=(SIGNATURE,),
    size_bytes=91,
    golden_cases=2,
    golden_atol=1e-3,
)
COREML = CoreMLFacts(
    deployment_target="iOS16", precision="float16", images={"image": CoreMLImage(scale=1 / 255)}
)
HOST = Target(
    name="host",
    title="This machine",
    platform="linux",
    architecture="any",
    runtime=RuntimeRequirement(name="litert"),
)
PHONE = Target(
    name="phone",
    title="A phone",
    platform="ios",
    architecture="any",
    runtime=RuntimeRequirement(name="coreml", minimum_version="iOS16"),
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "cache/8f0e.mlpackage", PACKAGE)


def coreml(package: Path, **changes: Any) -> Ingredient:
    golden = package.parent / "golden.npz"
    golden.write_bytes(b"vectors")
    fields = {
        "id": "coreml_float16",
        "recipe": "coreml_float16",
        "format": "mlpackage",
        "model": package,
        "model_sha256": folder_digest(package),
        "files": digests(PACKAGE),
        "facts": FACTS,
        "golden": golden,
        "golden_sha256": sha256_of(golden),
        "coreml": COREML,
    }
    return Ingredient(**{**fields, **changes})


def digests(content: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256_of(data) for name, data in content.items()}


def tflite(folder: Path) -> Ingredient:
    model = folder / "float32.tflite"
    model.write_bytes(b"TFL3")
    return Ingredient(id="float32", recipe="float32", model=model, model_sha256=sha256_of(model), facts=FACTS)


def packed(*ingredients: Ingredient) -> Packing:
    plans = [
        Plan(target=target, variants=tuple(item.id for item in ingredients if item.format == form))
        for target, form in ((HOST, "tflite"), (PHONE, "mlpackage"))
    ]
    return pack(
        name="digits",
        version="0.1.0",
        contract=Contract(signatures=(SIGNATURE,), default_signature="serving_default"),
        ingredients=ingredients,
        plans=[plan for plan in plans if plan.variants],
        provenance={},
    )


def test_files_and_folders_become_one_bundle(tmp_path: Path, package: Path) -> None:
    packing = packed(tflite(tmp_path), coreml(package))
    digest = packing.write(tmp_path / "digits.edge")
    with Bundle.open(tmp_path / "digits.edge") as bundle:
        bundle.verify()
        manifest = bundle.manifest
        variant = manifest.variant("coreml_float16")
        assert (variant.format, variant.file) == ("mlpackage", "models/coreml_float16.mlpackage")
        assert variant.coreml == COREML
        assert variant.golden is not None
        assert (variant.golden.file, variant.golden.cases) == ("golden/coreml_float16.npz", 2)
        assert manifest.model_sha256("coreml_float16") == folder_digest(package)
        for name, data in PACKAGE.items():
            assert bundle.read(f"models/coreml_float16.mlpackage/{name}") == data
        assert manifest.variant("float32").file == "models/float32.tflite"
        assert manifest.targets["phone"].variants == ("coreml_float16",)
        assert not any("mlpackage" in name for name in manifest.needed_by("float32"))
    # Nothing of where the folder lay, and the same without digests that were known before.
    moved = lay_out(tmp_path / "elsewhere/model.mlpackage", PACKAGE)
    again = packed(tflite(tmp_path), coreml(moved, files={}))
    assert again.write(tmp_path / "again.edge") == digest


def test_a_folder_that_is_not_what_was_checked_is_refused(tmp_path: Path, package: Path) -> None:
    weights = package / "Data/com.apple.CoreML/weights/weight.bin"
    before = coreml(package)
    weights.write_bytes(b"longer than it was, by a good deal")
    with pytest.raises(DigestMismatchError):  # its size is another one
        packed(before)
    weights.write_bytes(PACKAGE["Data/com.apple.CoreML/weights/weight.bin"][::-1])
    packing = packed(before)  # sizes are as they were, and contents are read when it is written
    with pytest.raises(DigestMismatchError, match=r"weight\.bin"):
        packing.write(tmp_path / "digits.edge")
    assert not (tmp_path / "digits.edge").exists()
    weights.unlink()
    with pytest.raises(BundleError, match="is gone"):
        packed(before)
    weights.write_bytes(PACKAGE["Data/com.apple.CoreML/weights/weight.bin"])
    (package / "notes.txt").write_bytes(b"")
    with pytest.raises(BundleError, match=r"notes\.txt was not there before"):
        packed(before)


def test_a_name_that_no_bundle_can_hold_is_refused(package: Path) -> None:
    (package / ".DS_Store").write_bytes(b"")
    with pytest.raises(BundleError, match="unsafe file name"):
        packed(coreml(package, files={}, model_sha256=folder_digest(package)))


def test_a_real_package_comes_out_as_it_went_in(tmp_path: Path) -> None:
    original = real_models.basic_pitch_mlpackage()
    item = coreml(package=lay_out(tmp_path / "unused.mlpackage", PACKAGE))
    item = replace(item, model=original, model_sha256=folder_digest(original), files={})
    packed(item).write(tmp_path / "pitch.edge")
    with Bundle.open(tmp_path / "pitch.edge") as bundle:
        bundle.verify()
        folder = extract_variant(bundle, item.id, tmp_path / "app/nmp.mlpackage")
        assert bundle.manifest.model_size(item.id) == 269_600
    assert folder_digest(folder) == folder_digest(original)
    with open_package(folder) as package:
        assert package.minimum_deployment == "iOS15"
        assert package.parameters == 36_010
