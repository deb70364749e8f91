from __future__ import annotations

import gc
import importlib
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import sha256_of
from edge_sdk.bundle.manifest import FileEntry, RuntimeRequirement, TargetPlan
from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.errors import (
    BundleError,
    ConfigError,
    DigestMismatchError,
    IncompatibleTargetError,
    ModelError,
    SignatureMismatchError,
)
from edge_sdk.runtime.interpreter import RUNTIMES
from edge_sdk.runtime.runner import Runner
from tests.runtime.conftest import LABELS, image_contract, image_manifest


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((1, 16, 16, 3), dtype=np.float32)


def bare(path: Path, **tensors: np.ndarray) -> dict[str, np.ndarray]:
    """What the runtime itself answers, through its own signature runner."""
    interpreter = importlib.import_module(RUNTIMES["litert"].module).Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    return dict(interpreter.get_signature_runner()(**tensors))


def test_public_name() -> None:
    assert edge_sdk.Runner is Runner


def test_packages_in_a_bundle_are_passed_over_and_refused_by_name(models: Path, tmp_path: Path) -> None:
    manifest, files = image_manifest(models)
    package = replace(manifest.variants[0], id="coreml", format="mlpackage", file="coreml.mlpackage")
    phone = TargetPlan(
        platform="ios",
        architecture="any",
        runtime=RuntimeRequirement(name="coreml", minimum_version="iOS16"),
        variants=("coreml",),
    )
    lists = b"{}"
    entries = {
        **manifest.files,
        "coreml.mlpackage/Manifest.json": FileEntry(sha256=sha256_of(lists), size=len(lists)),
    }
    mixed = replace(manifest, variants=(package, *manifest.variants), files=entries, targets={"ios": phone})
    path = tmp_path / "mixed.edge"
    write_bundle(path, mixed, {**files, "coreml.mlpackage/Manifest.json": lists})
    with Runner.open(path) as runner:
        assert (runner.variant, runner.target) == ("float32", None)
        assert runner.predict(image=image())["probabilities"].shape == (1, 5)
    for asked in ({"variant": "coreml"}, {"target": "ios"}):
        with pytest.raises(IncompatibleTargetError, match="mlpackage") as caught:
            Runner.open(path, **asked)
        assert "float32" in (caught.value.hint or "")
    (tmp_path / "Model.mlpackage").mkdir()
    with pytest.raises(IncompatibleTargetError, match=r"Model\.mlpackage is a Core ML package"):
        Runner.open(tmp_path / "Model.mlpackage")


def test_inputs_and_outputs_by_name(models: Path) -> None:
    features, kind = np.arange(6, dtype=np.float32)[None] / 6, np.array([3], np.int32)
    expected = bare(models / "two_inputs.tflite", features=features, kind=kind)
    with Runner.open(models / "two_inputs.tflite") as runner:
        by_keyword = runner.predict(kind=kind, features=features)
        by_mapping = runner.predict({"features": features}, kind=kind)
        assert {str(spec): spec.name for spec in runner.signature.inputs} == {
            "float32[1,6]": "features",
            "int32[1]": "kind",
        }
        assert runner.contract.default_signature == "serving_default"
        assert (runner.variant, runner.release, runner.target) == ("two_inputs", None, None)
    for outputs in (by_keyword, by_mapping):
        assert set(outputs) == {"scores", "total"}
        for name, value in outputs.items():
            np.testing.assert_array_equal(value, expected[name])


def test_a_file_without_signatures_goes_by_tensor_names(models: Path) -> None:
    features, kind = np.ones((1, 6), np.float32), np.array([1], np.int32)
    with Runner.open(models / "no_signatures.tflite") as runner:
        assert runner.signature.name == ""
        outputs = runner.predict({"serving_default_features:0": features, "serving_default_kind:0": kind})
    expected = bare(models / "two_inputs.tflite", features=features, kind=kind)
    np.testing.assert_array_equal(outputs["StatefulPartitionedCall:0"], expected["scores"])
    np.testing.assert_array_equal(outputs["StatefulPartitionedCall:1"], expected["total"])


def test_every_signature_can_be_called(models: Path) -> None:
    path = models / "many_signatures.tflite"
    sample = np.linspace(0, 1, 6, dtype=np.float32)[None]
    with Runner.open(path, signature="encode") as encoder, Runner.open(path, signature="decode") as decoder:
        assert [spec.name for spec in encoder.signature.outputs] == ["code"]
        code = encoder.predict(sample=sample)["code"]
        decoded = decoder.predict(code=code)
        assert {name: value.shape for name, value in decoded.items()} == {"norm": (), "sample": (1, 6)}
        np.testing.assert_allclose(decoded["norm"], np.linalg.norm(code), rtol=1e-6)
        np.testing.assert_array_equal(encoder.run(sample=sample)["code"], code)
    with pytest.raises(ConfigError, match="no signature called 'train'"):
        Runner.open(path, signature="train")


def test_free_sizes_are_the_caller_s(models: Path) -> None:
    x = np.random.default_rng(1).random((7, 8), dtype=np.float32)
    with Runner.open(models / "dynamic_batch.tflite", pool_size=1) as runner:
        whole = runner.predict(x=x)["y"]
        assert whole.shape == (7, 3)
        for index in (0, 6):
            np.testing.assert_allclose(
                runner.predict(x=x[index : index + 1])["y"], whole[index : index + 1], atol=1e-6
            )
        np.testing.assert_array_equal(runner.predict(x=x)["y"], whole)
        with pytest.raises(SignatureMismatchError):
            runner.predict(x=x[:, :4])


def test_fixed_sizes_stay_fixed(models: Path) -> None:
    with Runner.open(models / "conv_float.tflite") as runner, pytest.raises(SignatureMismatchError) as caught:
        runner.predict(image=np.zeros((2, 16, 16, 3), np.float32))
    assert caught.value.details["rows"] == [["image", "float32[1,16,16,3]", "float32[2,16,16,3]"]]


@pytest.mark.parametrize(("name", "dtype"), [("conv_int8", np.int8), ("conv_uint8", np.uint8)])
def test_integer_io_looks_like_float(models: Path, name: str, dtype: type) -> None:
    path = models / f"{name}.tflite"
    with Runner.open(path) as runner:
        assert [str(spec) for spec in runner.signature.inputs] == ["float32[1,16,16,3]"]
        interpreter = importlib.import_module(RUNTIMES["litert"].module).Interpreter(model_path=str(path))
        scale, zero_point = interpreter.get_input_details()[0]["quantization"]
        out_scale, out_zero_point = interpreter.get_output_details()[0]["quantization"]
        limits = np.iinfo(dtype)
        for seed in range(5):
            stored = np.clip(np.rint(image(seed) / np.float32(scale)) + zero_point, limits.min, limits.max)
            native = bare(path, image=stored.astype(dtype))["probabilities"]
            expected = (native.astype(np.float32) - out_zero_point) * np.float32(out_scale)
            given_float = runner.predict(image=image(seed))["probabilities"]
            given_stored = runner.predict(image=stored.astype(dtype))["probabilities"]
            assert given_float.dtype == np.float32
            np.testing.assert_array_equal(given_float, expected)
            np.testing.assert_array_equal(given_stored, expected)


def test_outputs_belong_to_the_caller(models: Path) -> None:
    with Runner.open(models / "conv_float.tflite", pool_size=1) as runner:
        first = runner.predict(image=image(1))["probabilities"]
        kept = first.copy()
        runner.predict(image=image(2))
        np.testing.assert_array_equal(first, kept)
        first[:] = 0
        np.testing.assert_array_equal(runner.predict(image=image(1))["probabilities"], kept)
    np.testing.assert_array_equal(kept, kept)


def test_inputs_need_not_be_contiguous(models: Path) -> None:
    wide = np.random.default_rng(2).random((1, 16, 32, 3), dtype=np.float32)
    with Runner.open(models / "conv_float.tflite") as runner:
        view = runner.predict(image=wide[:, :, ::2])["probabilities"]
        np.testing.assert_array_equal(view, runner.predict(image=wide[:, :, ::2].copy())["probabilities"])


def test_mismatches_name_every_input_and_run_nothing(models: Path) -> None:
    with Runner.open(models / "two_inputs.tflite") as runner:
        with pytest.raises(SignatureMismatchError) as caught:
            runner.predict(features=np.ones((1, 6)), kinds=[1])
        assert caught.value.details["rows"] == [
            ["features", "float32[1,6]", "float64[1,6]"],
            ["kind", "int32[1]", "missing"],
            ["kinds", "no such input", "list of int64[1]"],
        ]
        with pytest.raises(ConfigError, match="takes tensors by name, not ndarray"):
            runner.predict(np.ones((1, 6)))  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="'kind' is given twice"):
            runner.predict({"kind": [1]}, kind=[1], features=np.ones((1, 6), np.float32))


def test_a_failing_run_does_not_break_the_runner(models: Path) -> None:
    features = np.ones((1, 6), np.float32)
    with Runner.open(models / "two_inputs.tflite", pool_size=1) as runner:
        before = runner.predict(features=features, kind=[1])["scores"]
        with pytest.raises(
            ModelError, match=r"the model failed on features float32\[1, 6\], kind int32\[1\]"
        ):
            runner.predict(features=features, kind=[99])  # outside the table
        np.testing.assert_array_equal(runner.predict(features=features, kind=[1])["scores"], before)


@pytest.mark.parametrize("pool_size", [1, 3])
@pytest.mark.parametrize("name", ["conv_float", "conv_int8"])
def test_threads_get_their_own_answers(models: Path, name: str, pool_size: int) -> None:
    images = [image(seed) for seed in range(8)]
    with Runner.open(models / f"{name}.tflite", threads=1, pool_size=pool_size) as runner:
        expected = [runner.predict(image=value)["probabilities"] for value in images]
        wrong: list[Any] = []

        def hammer(index: int) -> None:
            try:
                for turn in range(150):
                    which = (index + turn) % 8
                    answer = runner.predict(image=images[which])["probabilities"]
                    if not np.array_equal(answer, expected[which]):
                        wrong.append((index, turn))
            except BaseException as failure:
                wrong.append(failure)

        threads = [threading.Thread(target=hammer, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_threads_may_use_different_sizes(models: Path) -> None:
    x = np.random.default_rng(4).random((8, 8), dtype=np.float32)
    wrong: list[Any] = []
    with Runner.open(models / "dynamic_batch.tflite", threads=1, pool_size=2) as runner:
        expected = [runner.predict(x=x[: size + 1])["y"] for size in range(8)]

        def hammer(size: int) -> None:
            for _ in range(60):
                if not np.array_equal(runner.predict(x=x[: size + 1])["y"], expected[size]):
                    wrong.append(size)

        threads = [threading.Thread(target=hammer, args=(size,)) for size in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_close_is_idempotent_and_final(models: Path) -> None:
    runner = Runner.open(models / "conv_float.tflite")
    interpreter = weakref.ref(runner._function.pool._idle[0]._interpreter)
    with runner as entered:
        assert entered is runner
    runner.close()
    runner.close()
    gc.collect()
    assert interpreter() is None
    with pytest.raises(ConfigError, match="this runner is closed"):
        runner.predict(image=image())


@pytest.mark.parametrize("option", ["threads", "pool_size"])
def test_counts_must_be_positive(models: Path, option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} is 0"):
        Runner.open(models / "conv_float.tflite", **{option: 0})  # type: ignore[arg-type]


def test_bad_paths(tmp_path: Path, models: Path) -> None:
    with pytest.raises(BundleError, match="does not exist"):
        Runner.open(tmp_path / "nothing.edge")
    with pytest.raises(BundleError):
        Runner.open(tmp_path / "nothing.tflite")
    truncated = tmp_path / "truncated.tflite"
    truncated.write_bytes((models / "conv_float.tflite").read_bytes()[:-8])
    with pytest.raises(BundleError, match="damaged or cut off"):
        Runner.open(truncated)
    with pytest.raises(ConfigError, match="bare model"):
        Runner.open(models / "conv_float.tflite", variant="float32")


def test_opens_a_bundle_by_its_plan(bundle: Path, models: Path) -> None:
    with Runner.open(bundle) as runner:
        assert (runner.variant, runner.target, runner.threads) == ("full_int8_io", "host", 1)
        assert str(runner.runtime).startswith("litert 2.")
        with Runner.open(models / "conv_int8.tflite") as direct:
            np.testing.assert_array_equal(
                runner.predict(image=image())["probabilities"],
                direct.predict(image=image())["probabilities"],
            )
    with Runner.open(bundle, variant="float32", threads=2) as runner:
        assert (runner.variant, runner.threads) == ("float32", 2)


def test_a_plan_that_was_asked_for_binds_the_runtime(bundle: Path, release: Path) -> None:
    for path, target in ((bundle, "old-board"), (release, None)):
        with pytest.raises(IncompatibleTargetError, match="this needs the runtime tflite-runtime"):
            Runner.open(path, target=target)


def test_a_release_directory(release: Path) -> None:
    # Its board uses another runtime; naming one here is how the host looks inside.
    with Runner.open(release, runtime="litert") as runner:
        assert (runner.variant, runner.release, runner.target) == ("uint8_io", release.name, "old-board")
        assert runner.check_golden().passed


def test_damage_is_found_before_the_runtime_sees_it(release: Path) -> None:
    model = release / "files" / "uint8_io" / "model.tflite"
    raw = bytearray(model.read_bytes())
    raw[len(raw) // 2] ^= 1
    model.write_bytes(raw)
    with pytest.raises(DigestMismatchError):
        Runner.open(release, runtime="litert")


def test_a_newer_runtime_is_asked_for(models: Path, tmp_path: Path) -> None:
    plan = TargetPlan(
        platform="linux",
        architecture="any",
        runtime=RuntimeRequirement(name="litert", minimum_version="99"),
        variants=("float32",),
    )
    manifest, files = image_manifest(models, targets={"future": plan})
    write_bundle(tmp_path / "b.edge", manifest, files)
    with pytest.raises(IncompatibleTargetError, match="needs litert 99 or newer"):
        Runner.open(tmp_path / "b.edge", target="future")
    with Runner.open(tmp_path / "b.edge") as runner:
        assert runner.variant == "float32"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (TensorSpec(name="image", dtype="float32", shape=(1, 32, 32, 3)), "the contract says"),
        (TensorSpec(name="picture", dtype="float32", shape=(1, 16, 16, 3)), "inputs are not the contract's"),
    ],
)
def test_a_contract_that_is_not_the_file_s(
    models: Path, tmp_path: Path, spec: TensorSpec, words: str
) -> None:
    outputs = image_contract().signature.outputs
    other = Signature(name="serving_default", inputs=(spec,), outputs=outputs)
    manifest, files = image_manifest(models, contract=image_contract(signatures=(other,), preprocess={}))
    write_bundle(tmp_path / "b.edge", manifest, files)
    with pytest.raises(BundleError, match=words):
        Runner.open(tmp_path / "b.edge")


def test_run_goes_from_picture_to_labels(bundle: Path, picture: Path) -> None:
    with Runner.open(bundle, variant="float32") as runner:
        tensors = runner.preprocess(image=picture)
        scores = runner.predict(tensors)["probabilities"][0]
        best = np.argsort(-scores)[:2]
        for given in (picture, picture.read_bytes()):
            (sample,) = runner.run(image=given)["probabilities"]
            assert [entry["index"] for entry in sample] == best.tolist()
            assert [entry["label"] for entry in sample] == [LABELS[index] for index in best]
            assert sample[0]["score"] == pytest.approx(float(scores[best[0]]))


def test_golden_vectors(bundle: Path, models: Path) -> None:
    for variant in ("float32", "full_int8_io", "uint8_io"):
        with Runner.open(bundle, variant=variant) as runner:
            result = runner.check_golden()
            assert (result.passed, result.cases, result.failures) == (True, 4, ())
    with Runner.open(models / "conv_float.tflite") as runner, pytest.raises(BundleError, match="no golden"):
        runner.check_golden()


def test_golden_vectors_of_another_model_fail(models: Path, tmp_path: Path) -> None:
    manifest, files = image_manifest(models)
    first, second, third = manifest.variants
    assert second.golden is not None
    swapped = replace(second, golden=replace(second.golden, atol=1e-5))
    other = replace(first, id="swapped", golden=swapped.golden)
    write_bundle(tmp_path / "b.edge", replace(manifest, variants=(other, swapped, third), targets={}), files)
    with Runner.open(tmp_path / "b.edge", variant="swapped") as runner:
        result = runner.check_golden()
    assert not result.passed
    assert result.failures
