"""Variants that are folders: their rules, their digest, and what of them goes where."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_sdk.bundle.archive import Bundle, write_bundle
from edge_sdk.bundle.digest import folder_digest, folder_files, sha256_of
from edge_sdk.bundle.manifest import (
    FORMAT_VERSION,
    CoreMLFacts,
    CoreMLImage,
    FileEntry,
    Golden,
    Manifest,
    RuntimeRequirement,
    TargetPlan,
    Variant,
)
from edge_sdk.errors import BundleError
from tests.bundle.samples import CONTENT, PACKAGE, SIGNATURE, manifest_of, mixed, mixed_content

FACTS = CoreMLFacts(
    deployment_target="iOS18",
    precision="float16",
    functions={"serving_default": "serving_default", "encode": "encode"},
    default_function="serving_default",
    images={"image": CoreMLImage(scale=2 / 255, bias=(-1.0, -1.0, -1.0), color="BGR")},
    class_label="classLabel",
    class_probabilities="scores_probabilities",
    output_names={"dense/Softmax:0": "dense_Softmax_0"},
)


def lay_out(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_the_digest_of_a_folder_is_that_of_its_names_sizes_and_contents(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "one", PACKAGE)
    lines = [f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}\n" for name, data in PACKAGE.items()]
    expected = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    assert folder_digest(folder) == expected
    assert list(folder_files(folder)) == sorted(PACKAGE)
    (folder / "empty").mkdir()
    os.utime(folder / "Manifest.json", (0, 0))
    assert folder_digest(str(folder)) == expected
    # A slash sorts after a dot: by name as a whole, not folder by folder.
    other = lay_out(tmp_path / "two", {"a/b": b"1", "a.b": b"2"})
    assert list(folder_files(other)) == ["a.b", "a/b"]
    (folder / "Manifest.json").write_bytes(b"{} ")
    assert folder_digest(folder) != expected


def test_a_folder_with_a_link_or_a_pipe_has_no_digest(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "one", PACKAGE)
    (folder / "Data/secret").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="is a link"):
        folder_digest(folder)
    (folder / "Data/secret").unlink()
    os.mkfifo(folder / "Data/pipe")
    with pytest.raises(BundleError, match="neither a file nor a folder"):
        folder_digest(folder)
    (folder / "Data/pipe").unlink()
    (folder / "Data/a 0 b\nc").write_bytes(b"")
    with pytest.raises(BundleError, match="line break"):
        folder_digest(folder)
    with pytest.raises(OSError, match="missing"):
        folder_digest(tmp_path / "missing")


def test_a_folder_variant_has_files_a_size_and_one_digest(tmp_path: Path) -> None:
    manifest = mixed()
    prefix = "models/coreml_int8.mlpackage"
    assert list(manifest.model_files("coreml_int8")) == [f"{prefix}/{name}" for name in sorted(PACKAGE)]
    assert manifest.model_size("coreml_int8") == sum(map(len, PACKAGE.values()))
    assert manifest.model_sha256("coreml_int8") == folder_digest(lay_out(tmp_path / "package", PACKAGE))
    plain = CONTENT["models/float32.tflite"]
    assert list(manifest.model_files("float32")) == ["models/float32.tflite"]
    assert manifest.model_size("float32") == len(plain)
    assert manifest.model_sha256("float32") == sha256_of(plain)


def test_a_board_needs_nothing_of_a_folder_variant_and_a_phone_nothing_of_the_others() -> None:
    manifest = mixed()
    shared = {"models/copy.tflite", "empty.bin"}
    assert set(manifest.needed_by("float32")) == shared | {"models/float32.tflite", "golden/float32.npz"}
    phone = {f"models/coreml_int8.mlpackage/{name}" for name in PACKAGE} | {"golden/coreml_int8.npz"}
    assert set(manifest.needed_by("coreml_int8")) == shared | phone


def test_what_an_app_must_know_survives(tmp_path: Path) -> None:
    first, second = mixed().variants
    manifest = mixed(variants=(first, replace(second, coreml=FACTS)))
    again = Manifest.from_bytes(manifest.to_bytes())
    assert again == manifest
    assert again.variant("coreml_int8").coreml == FACTS
    assert again.targets["ios"].runtime == RuntimeRequirement(name="coreml", minimum_version="iOS16")
    path = tmp_path / "mixed.edge"
    write_bundle(path, manifest, mixed_content())
    with Bundle.open(path) as bundle:
        bundle.verify()
        assert bundle.read("models/coreml_int8.mlpackage/Manifest.json") == PACKAGE["Manifest.json"]


def test_a_bundle_of_the_version_before_reads_the_same() -> None:
    data = json.loads(manifest_of(CONTENT).to_bytes())
    assert data["format_version"] == FORMAT_VERSION == "1.1"
    old = json.dumps({**data, "format_version": "1.0"}).encode()
    manifest = Manifest.from_bytes(old)
    assert (manifest.format_version, manifest.variants[0].coreml) == ("1.0", None)
    assert json.loads(manifest.to_bytes())["format_version"] == "1.0"


def _variant(**changes: Any) -> Variant:
    return replace(mixed().variant("coreml_int8"), **changes)


BAD = {
    "a package that is a file": _variant(file="models/float32.tflite"),
    "a package without its own list": _variant(file="models/coreml_int8.mlpackage/Data"),
    "a package that is not there": _variant(file="models/coreml_int4.mlpackage"),
    "half a name": _variant(file="models/coreml_int8"),
    "an unsafe name": _variant(file="models/../models/coreml_int8.mlpackage"),
    "a name with a slash at its end": _variant(file="models/coreml_int8.mlpackage/"),
    "a tflite that is a folder": _variant(format="tflite"),
    "golden vectors inside the package": _variant(
        golden=Golden(file="models/coreml_int8.mlpackage/Manifest.json", cases=1, atol=0.0, rtol=0.0)
    ),
}


@pytest.mark.parametrize("variant", BAD.values(), ids=BAD)
def test_a_broken_folder_variant_is_refused(variant: Variant) -> None:
    manifest = mixed(variants=(mixed().variant("float32"), variant))
    with pytest.raises(BundleError):
        manifest.check()


def test_a_file_cannot_belong_to_two_models() -> None:
    inner = "models/coreml_int8.mlpackage/Data/inner.tflite"
    content = {**mixed_content(), inner: b"TFL3"}
    stowaway = Variant(id="inner", format="tflite", recipe="float32", file=inner, signatures=(SIGNATURE,))
    manifest = mixed(content, variants=(*mixed().variants, stowaway))
    with pytest.raises(BundleError, match="another variant's model"):
        manifest.check()


@pytest.mark.parametrize("name", ["models", "Models/coreml_int8.mlpackage/data"])
def test_a_name_cannot_be_a_file_and_a_folder(name: str) -> None:
    manifest = mixed()
    entry = FileEntry(sha256=sha256_of(b""), size=0)
    with pytest.raises(BundleError, match="is a file and a folder"):
        replace(manifest, files={**manifest.files, name: entry}).check()


@pytest.mark.parametrize("platform", ["linux", "android"])
def test_a_package_is_never_planned_where_nothing_can_run_it(platform: str) -> None:
    plan = TargetPlan(
        platform=platform,
        architecture="any",
        runtime=RuntimeRequirement(name="litert"),
        variants=("float32", "coreml_int8"),
    )
    manifest = mixed(targets={"board": plan})
    with pytest.raises(BundleError, match=r"target 'board' names variant 'coreml_int8', which is mlpackage"):
        Manifest.from_bytes(manifest.to_bytes())
    replace(manifest, targets={"board": replace(plan, variants=("float32",))}).check()
