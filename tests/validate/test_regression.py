"""A bundle against the last release: every change that callers or boards would feel is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import edge_sdk
from edge_sdk.bundle.manifest import Manifest
from edge_sdk.contract.spec import Preprocess, TensorSpec
from edge_sdk.validate.regression import compare_answers, compare_manifests, runnable_picks
from tests.bundle.samples import PACKAGE, mixed

MODEL = Path(__file__).parents[1] / "data/models/conv_float.tflite"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regression")
    built = edge_sdk.build(MODEL, recipes=["as_is", "float16"], out=folder, cache=folder / "cache")
    assert built.bundle is not None
    return built.bundle


@pytest.fixture
def manifest(bundle: Path) -> Manifest:
    with edge_sdk.Bundle.open(bundle) as opened:
        return opened.manifest


def verdicts(old: Manifest, new: Manifest) -> dict[str, str]:
    return {item.what: item.verdict for item in compare_manifests(old, new)}


def measured(manifest: Manifest, **numbers: Any) -> Manifest:
    variants = tuple(
        dataclasses.replace(item, measurements={**item.measurements, **numbers}) for item in manifest.variants
    )
    return dataclasses.replace(manifest, variants=variants)


def test_the_same_bundle_is_the_same(manifest: Manifest) -> None:
    assert set(verdicts(manifest, manifest).values()) == {"same"}


def test_an_output_that_is_renamed_is_worse(manifest: Manifest) -> None:
    (signature,) = manifest.contract.signatures
    renamed = dataclasses.replace(
        signature, outputs=tuple(dataclasses.replace(spec, name="other") for spec in signature.outputs)
    )
    contract = dataclasses.replace(manifest.contract, signatures=(renamed,))
    found = verdicts(manifest, dataclasses.replace(manifest, contract=contract))
    assert found["output 'probabilities'"] == "worse"
    assert found["output 'other'"] == "changed"


def test_an_input_that_is_new_or_has_another_shape_is_worse(manifest: Manifest) -> None:
    (signature,) = manifest.contract.signatures
    (image,) = signature.inputs
    changed = dataclasses.replace(
        signature,
        inputs=(
            dataclasses.replace(image, shape=(1, 8, 8, 3)),
            TensorSpec(name="more", dtype="float32", shape=(1,)),
        ),
    )
    contract = dataclasses.replace(manifest.contract, signatures=(changed,))
    found = verdicts(manifest, dataclasses.replace(manifest, contract=contract))
    assert found["input 'image'"] == "worse"
    assert found["input 'more'"] == "worse"


def test_labels_and_preprocessing_that_change_are_named(manifest: Manifest) -> None:
    contract = dataclasses.replace(
        manifest.contract, labels=("a", "b"), preprocess={"image": Preprocess(image=None)}
    )
    found = verdicts(manifest, dataclasses.replace(manifest, contract=contract))
    assert found["labels"] == "changed"
    assert found["preprocessing"] == "changed"


def test_a_target_that_is_gone_is_worse(manifest: Manifest) -> None:
    found = verdicts(manifest, dataclasses.replace(manifest, targets={}))
    assert found["target host"] == "worse"


@pytest.mark.parametrize(
    ("new", "higher", "verdict"),
    [(0.895, True, "changed"), (0.88, True, "worse"), (0.93, True, "better"), (0.93, False, "worse")],
)
def test_a_metric_is_judged_in_its_own_direction(
    manifest: Manifest, new: float, higher: bool, verdict: str
) -> None:
    numbers = {"metric_name": "m", "metric_higher_is_better": higher}
    found = verdicts(measured(manifest, metric=0.9, **numbers), measured(manifest, metric=new, **numbers))
    assert found["host: metric m"] == verdict


def test_a_metric_that_is_not_measured_any_more_is_worse(manifest: Manifest) -> None:
    old = measured(manifest, metric=0.9, metric_name="top1")
    assert verdicts(old, measured(manifest, metric=None))["host: metric top1"] == "worse"


def test_a_tenth_more_bytes_is_worse(manifest: Manifest) -> None:
    files = {
        name: dataclasses.replace(entry, size=int(entry.size * 1.2)) for name, entry in manifest.files.items()
    }
    found = verdicts(manifest, dataclasses.replace(manifest, files=files))
    assert found["host: size"] == "worse"


def test_the_size_of_a_package_is_that_of_its_files() -> None:
    old = mixed()
    weights = "models/coreml_int8.mlpackage/Data/com.apple.CoreML/weights/weight.bin"
    files = {**old.files, weights: dataclasses.replace(old.files[weights], size=900)}
    (size,) = [
        item
        for item in compare_manifests(old, dataclasses.replace(old, files=files))
        if item.what == "ios: size"
    ]
    before = sum(map(len, PACKAGE.values()))
    assert (size.old, size.verdict) == (f"{before:,}", "worse")
    assert size.new.startswith(f"{before - old.files[weights].size + 900:,} ")


def test_only_what_a_runner_can_run_is_run() -> None:
    old = mixed()
    assert list(old.targets) == ["ios", "host"]
    assert runnable_picks(old, old) == ("float32", "float32")
    phone = dataclasses.replace(old, targets={"ios": old.targets["ios"]})
    assert runnable_picks(old, phone) is None
    assert runnable_picks(old, dataclasses.replace(old, targets={})) is None


def test_a_target_that_gets_nothing_any_more_is_worse() -> None:
    old = mixed()
    empty = dataclasses.replace(old.targets["ios"], variants=())
    new = dataclasses.replace(old, targets={**old.targets, "ios": empty})
    assert verdicts(old, new)["target ios"] == "worse"
    assert verdicts(new, old)["target ios"] == "changed"
    assert "target ios" not in verdicts(new, new)


def test_both_are_run_on_the_same_inputs(bundle: Path) -> None:
    found = compare_answers(
        {"old": bundle, "new": bundle, "old_variant": "as_is", "new_variant": "float16", "runs": 3}
    )
    assert found["cases"] >= 1
    assert 0 < found["max_abs_difference"]["probabilities"] < 0.01
    assert found["old_ms"] > 0
    assert found["new_ms"] > 0
