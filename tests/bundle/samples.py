"""A small bundle, and hypothesis strategies for manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import FileEntry, Golden, Manifest, RuntimeRequirement, TargetPlan, Variant
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from tests.bundle.packages import tiny_package

SIGNATURE = Signature(
    name="serving_default",
    inputs=(TensorSpec(name="image", dtype="float32", shape=(None, 2, 2, 1)),),
    outputs=(TensorSpec(name="scores", dtype="float32", shape=(None, 3)),),
)
CONTENT: dict[str, bytes] = {
    "models/float32.tflite": b"TFL3" * 20,
    "models/copy.tflite": b"TFL3" * 20,  # the same content twice: stored once
    "empty.bin": b"",
    "golden/float32.npz": bytes(range(77)),
}


def manifest_of(content: Mapping[str, bytes], **changes: Any) -> Manifest:
    """Return a manifest whose file table describes `content`."""
    fields: dict[str, Any] = {
        "name": "sample",
        "version": "0.1.0",
        "contract": Contract(signatures=(SIGNATURE,), default_signature="serving_default", labels=("a", "é")),
        "files": {name: FileEntry(sha256=sha256_of(data), size=len(data)) for name, data in content.items()},
        "variants": (
            Variant(
                id="float32",
                format="tflite",
                recipe="float32",
                file="models/float32.tflite",
                signatures=(SIGNATURE,),
                golden=Golden(file="golden/float32.npz", cases=1, atol=1e-5, rtol=0.0),
            ),
        ),
        "targets": {},
    }
    return Manifest(**{**fields, **changes})


#: Files of a Core ML package as they lie in its folder, and weights that nothing uses: its list once more.
PACKAGE: dict[str, bytes] = {
    **tiny_package(),
    "Data/com.apple.CoreML/weights/weight.bin": tiny_package()["Manifest.json"],
}


def mixed_content() -> dict[str, bytes]:
    """Return the content of `mixed`."""
    package = {f"models/coreml_int8.mlpackage/{name}": data for name, data in PACKAGE.items()}
    return {**CONTENT, **package, "golden/coreml_int8.npz": bytes(range(9))}


def mixed(content: Mapping[str, bytes] | None = None, **changes: Any) -> Manifest:
    """Return a manifest with a variant that is a file, for "host", and one that is a folder, for "ios"."""
    package = Variant(
        id="coreml_int8",
        format="mlpackage",
        recipe="coreml_int8",
        file="models/coreml_int8.mlpackage",
        signatures=(SIGNATURE,),
        golden=Golden(file="golden/coreml_int8.npz", cases=1, atol=1e-5, rtol=0.0),
    )
    host = TargetPlan(
        platform="linux",
        architecture="any",
        runtime=RuntimeRequirement(name="litert"),
        variants=("float32",),
    )
    phone = TargetPlan(
        platform="ios",
        architecture="any",
        runtime=RuntimeRequirement(name="coreml", minimum_version="iOS16"),
        variants=("coreml_int8",),
    )
    plain = manifest_of(CONTENT)
    fields = {"variants": (*plain.variants, package), "targets": {"ios": phone, "host": host}}
    return manifest_of(mixed_content() if content is None else content, **{**fields, **changes})


def sample(folder: Path) -> Path:
    """Write the small bundle and return its path."""
    path = folder / "sample.edge"
    write_bundle(path, manifest_of(CONTENT), CONTENT)
    return path


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
#: Field names that no version knows; the prefix keeps them apart from those that exist.
unknown = st.dictionaries(st.text("abcxyz", min_size=1, max_size=6).map("new_".__add__), _json, max_size=3)
names = st.from_regex(
    r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,12}){0,2}", fullmatch=True
)
