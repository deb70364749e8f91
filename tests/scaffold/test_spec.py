from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import Requirements, Variant
from edge_sdk.contract.golden import GoldenVectors
from edge_sdk.contract.spec import Contract, Postprocess, Quantization, Signature, TensorSpec
from edge_sdk.errors import ConfigError, IncompatibleTargetError
from edge_sdk.model.tflite_file import read_tflite
from edge_sdk.scaffold.fixed_shapes import with_fixed_shapes
from edge_sdk.scaffold.golden import golden_json, tensor_of
from edge_sdk.scaffold.selection import mobile_spec, model_content
from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions, default_options
from tests.scaffold.bundles import SIGNATURE, make_bundle, package, variant

MODELS = Path(__file__).parents[1] / "data" / "models"


def _spec(path: Path, platform: str = "android", **changes: Any) -> MobileSpec:
    with Bundle.open(path) as bundle:
        return mobile_spec(bundle, replace(default_options(bundle, platform=platform), **changes))


def _typed(dtype: str, quantization: Quantization | None = None) -> Signature:
    return replace(
        SIGNATURE,
        inputs=(TensorSpec(name="x", dtype=dtype, shape=(1, 4), quantization=quantization),),
    )


def test_the_facts_of_a_file(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, variant("float32"), package())
    with Bundle.open(path) as bundle:
        spec = mobile_spec(bundle, default_options(bundle, platform="android"))
        (content,) = model_content(bundle, spec).values()
    assert (spec.variant, spec.model_file, spec.signature) == ("float32", "sample.tflite", "serving_default")
    assert spec.inputs[0].shape == (1, 4)  # the free batch is 1
    assert (spec.model_sha256, spec.model_size) == (sha256_of(content), len(content))
    assert spec.accelerators == ("npu", "gpu", "gpu_cpu", "cpu")
    assert MobileSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert spec.contract().signature.inputs[0] == TensorSpec(name="x", dtype="float32", shape=(1, 4))


def test_the_facts_of_a_package(tmp_path: Path) -> None:
    fixed = replace(
        SIGNATURE,
        inputs=(TensorSpec(name="x", dtype="float32", shape=(1, 4)),),
        outputs=(TensorSpec(name="y", dtype="float16", shape=(1, 4)),),
    )
    item = replace(package(input_names={"x": "x_1"}), signatures=(fixed,))
    path = make_bundle(tmp_path, variant("float32"), item, name="my-model")
    spec = _spec(path, "ios")
    assert (spec.model_file, spec.signature, spec.deployment_target) == ("MyModel.mlpackage", "main", "16.0")
    assert spec.inputs[0].stored_name == "x_1"
    assert spec.outputs[0].stored_dtype == "float16"
    assert spec.accelerators == ("all", "cpu_and_gpu", "cpu_only")
    with Bundle.open(path) as bundle:
        assert "MyModel.mlpackage/Manifest.json" in model_content(bundle, spec)


def test_the_next_variant_is_taken_where_the_first_cannot_be_passed(tmp_path: Path) -> None:
    scale = Quantization(scales=(0.1,), zero_points=(3,))
    items = (variant("a", _typed("uint8", scale)), variant("b", _typed("int8", scale)))
    path = make_bundle(tmp_path, *items)
    assert _spec(path).variant == "b"
    assert _spec(path).inputs[0].quantization == scale
    assert _spec(path, runtime="litert1").variant == "a"
    with pytest.raises(IncompatibleTargetError, match="uint8") as caught:
        _spec(path, variant="a")
    assert "--runtime litert1" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("item", "says", "way_out"),
    [
        (variant("v", _typed("float16")), "is float16", "recipe"),
        (variant("v", _typed("int16", Quantization(scales=(1.0,), zero_points=(0,)))), "is int16", "recipe"),
        (
            variant("v", requirements=Requirements(flex_ops=("FlexErf",))),
            "TensorFlow operators: FlexErf",
            "--runtime litert1",
        ),
        (variant("v", requirements=Requirements(custom_ops=("Mine",))), "custom operators: Mine", "without"),
        (
            variant(
                "v", replace(SIGNATURE, inputs=(TensorSpec(name="x", dtype="float32", shape=(1, None)),))
            ),
            "sizes besides the batch are free",
            "fixed sizes",
        ),
        (
            variant("v", replace(SIGNATURE, inputs=(TensorSpec(name="x", dtype="float32", shape=None),))),
            "no fixed rank",
            "fixed sizes",
        ),
    ],
)
def test_what_a_phone_cannot_run(tmp_path: Path, item: Variant, says: str, way_out: str) -> None:
    with pytest.raises(IncompatibleTargetError, match=says) as caught:
        _spec(make_bundle(tmp_path, item))
    assert way_out in str(caught.value.hint)


def test_names_that_swift_takes_for_one(tmp_path: Path) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    signature = Signature(
        name="serving_default",
        inputs=tuple(TensorSpec(name=name, dtype="float32", shape=(2,)) for name in (composed, decomposed)),
        outputs=(TensorSpec(name="y", dtype="float32", shape=(2,)),),
    )
    contract = Contract(signatures=(signature,), default_signature="serving_default")
    path = make_bundle(tmp_path, replace(package(), signatures=(signature,)), contract=contract)
    with pytest.raises(IncompatibleTargetError, match="for Swift") as caught:
        _spec(path, "ios")
    assert "'caf\\xe9' and 'cafe\\u0301'" in str(caught.value.why)
    assert caught.value.hint


def test_a_bundle_for_another_platform(tmp_path: Path) -> None:
    path = make_bundle(tmp_path, variant("float32"))
    with pytest.raises(IncompatibleTargetError, match="no variant for ios") as caught:
        _spec(path, "ios")
    assert caught.value.hint == "edge build MODEL --target ios"
    with pytest.raises(IncompatibleTargetError, match="no target 'phone'"):
        _spec(path, target="phone")
    rejected = make_bundle(tmp_path, variant("float32"), name="rejected", android=())
    with pytest.raises(IncompatibleTargetError, match="no variant for android"):
        _spec(rejected)
    assert _spec(rejected, variant="float32").variant == "float32"


@pytest.mark.parametrize(
    "changes",
    [
        {"platform": "windows"}, {"runtime": "coreml"}, {"application_id": "single"},
        {"application_id": "com.example.class"}, {"application_id": "com.Example.x"},
        {"application_id": "com.example.x\n"}, {"title": " "}, {"title": "a\u202eb"}, {"title": "x" * 61},
    ],
)  # fmt: skip
def test_choices_that_cannot_be(changes: dict[str, str]) -> None:
    good = {"platform": "android", "runtime": "litert", "application_id": "com.example.app", "title": "App"}
    ScaffoldOptions(**good)
    with pytest.raises(ConfigError):
        ScaffoldOptions(**{**good, **changes})


@pytest.mark.parametrize("name", ["digits", "3d", "class", "_", "A.b-c_d"])
def test_choices_of_a_user_who_made_none(tmp_path: Path, name: str) -> None:
    with Bundle.open(make_bundle(tmp_path, variant("float32"), name=name)) as bundle:
        default_options(bundle, platform="android")


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.tflite")), ids=lambda path: path.stem)
def test_only_free_sizes_change(path: Path) -> None:
    content = path.read_bytes()
    fixed = with_fixed_shapes(content)
    before, after = read_tflite(content), read_tflite(fixed)
    assert len(fixed) == len(content)
    for old, new in zip(before.signatures, after.signatures, strict=True):
        for one, other in zip((*old.inputs, *old.outputs), (*new.inputs, *new.outputs), strict=True):
            assert one.name == other.name
            assert other.shape is not None
            assert None not in other.shape
            assert [size for size in one.shape or () if size] == [
                other.shape[place] for place, size in enumerate(one.shape or ()) if size
            ]
    if all(
        None not in (item.shape or ()) for sig in before.signatures for item in (*sig.inputs, *sig.outputs)
    ):
        assert before.op_versions == after.op_versions
    assert with_fixed_shapes(fixed) == fixed


def test_a_fixed_file_answers_as_before(tmp_path: Path) -> None:
    from edge_sdk.runtime.runner import Runner

    content = (MODELS / "dynamic_batch.tflite").read_bytes()
    fixed = with_fixed_shapes(content)
    assert fixed != content
    found = []
    for name, data in (("free", content), ("fixed", fixed)):
        path = _written(tmp_path, name, data)
        with Runner.open(path) as runner:
            value = np.ones([size or 1 for size in runner.signature.inputs[0].shape or ()], dtype=np.float32)
            found.append(runner.predict({runner.signature.inputs[0].name: value}))
    for name, array in found[0].items():
        assert np.array_equal(array, found[1][name])


def _written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / f"{name}.tflite"
    path.write_bytes(data)
    return path


def test_golden_vectors_travel(tmp_path: Path) -> None:
    contract = Contract(
        signatures=(SIGNATURE,),
        default_signature="serving_default",
        postprocess={"y": Postprocess(activation="softmax", top_k=2)},
        labels=("a", "b", "c", "d"),
    )
    scale = Quantization(scales=(0.1,), zero_points=(3,))
    path = make_bundle(tmp_path, variant("q", _typed("int8", scale)), contract=contract)
    with Bundle.open(path) as bundle:
        spec = mobile_spec(bundle, default_options(bundle, platform="android"))
        raw = golden_json(bundle, spec)
        assert raw == golden_json(bundle, spec)
        vectors = GoldenVectors.from_bytes(bundle.read("golden/g.npz"))
    document = json.loads(raw)
    assert document["tolerance"] == {"atol": 1e-4, "rtol": 1e-3}
    assert np.array_equal(tensor_of(document["model"][1]["inputs"]["x"]), vectors.inputs["x"][1])
    kinds = [step["step"] for step in document["steps"]]
    assert kinds == ["quantize", "activation", "top_classes"]
    assert len(document["steps"][2]["expected"]) == 2
