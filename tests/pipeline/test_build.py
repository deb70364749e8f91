"""`edge_sdk.build` on small `.tflite` sources, for real."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge_sdk
from edge_sdk.bundle.archive import Bundle
from edge_sdk.configuration import Budget
from edge_sdk.contract.spec import ImagePreprocess, Postprocess, Preprocess
from edge_sdk.errors import ConfigError, ModelError, SignatureMismatchError
from edge_sdk.pipeline.result import BuildResult
from edge_sdk.progress import Step
from edge_sdk.runtime.runner import Runner
from tests.smooth_pictures import smooth_pictures

KEYS = [
    "metric_interval", "metric_drop_interval", "metric_higher_is_better", "reference_metric",
    "agreement_interval",
    "id", "format", "recipe", "path", "sha256", "size_bytes", "metric", "metric_name", "metric_drop",
    "agreement", "max_abs_error", "snr_db", "latency_ms", "peak_memory_bytes", "verdict", "reasons",
]  # fmt: skip


FEW = ("as_is", "full_int8")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for tests that are not about the cache."""
    return tmp_path_factory.mktemp("shared") / "cache"


def build(models: Path, pictures: dict[str, Path], **options: Any) -> BuildResult:
    return edge_sdk.build(models / "conv_float.tflite", **{**pictures, **options})


def test_a_float_tflite_is_passed_through_and_quantized(models: Path, pictures: dict[str, Path]) -> None:
    steps: list[Step] = []
    result = build(models, pictures, recipes=None, progress=steps.append)
    assert result.ok
    assert [item.id for item in result.variants] == ["as_is", "float16", "dynamic_int8", "full_int8"]
    plain = result.variant("as_is")
    assert plain.sha256 == edge_sdk.bundle.digest.sha256_of(models / "conv_float.tflite")
    assert (plain.agreement, plain.max_abs_error, plain.snr_db) == (1.0, 0.0, 150.0)
    assert (plain.metric_name, plain.metric, plain.metric_drop) == ("top1", 0.9, 0.0)
    for item in result.variants:
        assert item.path.read_bytes()
        assert item.size_bytes == item.path.stat().st_size
        assert item.latency_ms is not None
        assert 0 < item.latency_ms["p50"] <= item.latency_ms["p90"] <= item.latency_ms["p99"]
        assert item.peak_memory_bytes is not None
        assert item.peak_memory_bytes > 2**20
    assert result.variant("full_int8").agreement is not None
    assert result.variant("full_int8").max_abs_error > 0  # type: ignore[operator]
    assert result.data == "evaluation"
    assert result.samples == 60
    stages = {step.stage for step in steps}
    assert {"samples", "calibrate", "quantize", "validate", "measure"} <= stages


def test_the_document_is_what_the_architecture_says(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    document = build(models, pictures, cache=shared).to_dict()
    assert list(document) == [
        "bundle",
        "picked",
        "targets",
        "variants",
        "failures",
        "calibration",
        "repair",
        "notes",
    ]
    assert all(sorted(item) == sorted(KEYS) for item in document["variants"])
    assert list(document["variants"][0]["latency_ms"]) == ["p50", "p90", "p99"]
    assert json.loads(Path("build/conv_float/build.json").read_text()) == json.loads(json.dumps(document))


def test_the_bundle_runs_and_passes_its_own_golden_vectors(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    result = build(
        models,
        pictures,
        cache=shared,
        recipes=["as_is", "dynamic_int8", "full_int8", "full_int8_io", "int16x8"],
        name="pictures",
        version="2.0",
        inputs={"image": Preprocess(image=ImagePreprocess(height=16, width=16, scale=1 / 255))},
        outputs={"probabilities": Postprocess(top_k=2)},
        labels=["a", "b", "c", "d", "e"],
    )
    assert result.ok, result
    assert result.bundle == Path("build/pictures.edge")
    with Bundle.open(result.bundle) as bundle:
        bundle.verify()
        manifest = bundle.manifest
    assert (manifest.name, manifest.version) == ("pictures", "2.0")
    assert manifest.targets["host"].variants[0] == result.picked
    assert manifest.provenance["source"]["kind"] == "tflite"
    assert manifest.provenance["recipes"]["full_int8"]["method"] == "static"
    assert "latency" not in manifest.to_bytes().decode()
    assert manifest.variant("full_int8_io").signatures[0].inputs[0].dtype == "int8"
    picture = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    for identifier in [item.id for item in result.variants]:
        with Runner.open(result.bundle, variant=identifier) as runner:
            found = runner.check_golden()
            assert found.passed
            assert found.cases == 3
            assert runner.signature.inputs[0].dtype == "float32"
            best = runner.run(image=picture)["probabilities"][0]
            assert len(best) == 2
            assert best[0]["label"] in "abcde"


def test_golden_vectors_refuse_another_model(shared: Path, models: Path, pictures: dict[str, Path]) -> None:
    from edge_sdk.contract.golden import GoldenVectors, check_golden

    result = build(models, pictures, cache=shared, recipes=["as_is", "full_int8"])
    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        golden = bundle.manifest.variant("full_int8").golden
        assert golden is not None
        vectors = GoldenVectors.from_bytes(bundle.read(golden.file))
    for case in vectors.cases():
        case["image"][:] = case["image"][:, ::-1] * 255  # upside down, and the scaling forgotten
    with Runner.open(models / "conv_float.tflite") as runner:
        right = check_golden(vectors, runner.predict, atol=golden.atol, rtol=golden.rtol)
        wrong = check_golden(
            vectors,
            lambda inputs: runner.predict(image=inputs["image"] * 255),
            atol=golden.atol,
            rtol=golden.rtol,
        )
    assert not right.passed or not wrong.passed


def test_the_same_inputs_give_the_same_bytes_without_the_cache(
    models: Path, pictures: dict[str, Path]
) -> None:
    first = build(models, pictures, recipes=FEW)
    shutil.rmtree(".edge")
    shutil.rmtree("build")
    second = build(models, pictures, recipes=FEW)
    assert first.bundle_sha256 == second.bundle_sha256
    assert [item.sha256 for item in first.variants] == [item.sha256 for item in second.variants]


def test_an_unchanged_build_does_nothing_and_says_the_same(models: Path, pictures: dict[str, Path]) -> None:
    first = build(models, pictures, recipes=FEW)
    assert first.bundle is not None
    before = {path: path.stat().st_mtime_ns for path in Path("build").rglob("*")}
    steps: list[Step] = []
    second = build(models, pictures, recipes=FEW, progress=steps.append)
    assert second == first  # latencies too: they are stored with the report
    assert {path: path.stat().st_mtime_ns for path in Path("build").rglob("*")} == before
    assert {step.stage for step in steps} <= {"source"}


def test_a_changed_input_makes_only_what_depends_on_it(models: Path, pictures: dict[str, Path]) -> None:
    build(models, pictures)
    steps: list[Step] = []
    np.savez(pictures["calibration"], image=smooth_pictures(np.random.default_rng(9), 30))
    build(models, pictures, progress=steps.append)
    assert {step.subject for step in steps if step.stage == "quantize"} == {"full_int8"}
    assert {step.subject for step in steps if step.stage == "measure"} == {"full_int8"}


def test_damaged_cache_and_output_are_made_again(models: Path, pictures: dict[str, Path]) -> None:
    first = build(models, pictures, recipes=FEW)
    assert first.bundle is not None
    for path in [
        *Path(".edge/cache").rglob("*.tflite"),
        *Path(".edge/cache").rglob("entry.json"),
        first.bundle,
    ]:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x40
        path.write_bytes(data)
    first.variant("full_int8").path.write_bytes(b"")
    steps: list[Step] = []
    second = build(models, pictures, recipes=FEW, progress=steps.append)
    assert second.bundle_sha256 == first.bundle_sha256
    assert sum(step.stage == "cache" for step in steps) >= 3
    with Bundle.open(first.bundle) as bundle:
        bundle.verify()
    assert second.variant("full_int8").path.stat().st_size == second.variant("full_int8").size_bytes


def test_fresh_makes_every_step_again(models: Path, pictures: dict[str, Path]) -> None:
    first = build(models, pictures, recipes=FEW)
    steps: list[Step] = []
    second = build(models, pictures, recipes=FEW, fresh=True, progress=steps.append)
    assert {"samples", "calibrate", "quantize", "validate", "measure"} <= {step.stage for step in steps}
    assert second.bundle_sha256 == first.bundle_sha256


def test_without_any_data_inputs_are_synthetic_and_nothing_is_claimed(shared: Path, models: Path) -> None:
    result = edge_sdk.build(models / "two_inputs.tflite", cache=shared)
    assert result.ok, result
    assert result.data == "synthetic"
    assert list(result.skipped) == ["full_int8"]
    for item in result.variants:
        assert item.metric is item.metric_name is item.metric_drop is None
        assert item.agreement is not None


def test_with_calibration_only_variants_are_compared_on_it(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    result = build(models, pictures, cache=shared, evaluation=None)
    assert result.data == "calibration"
    assert result.samples == 40
    assert all(item.metric is None for item in result.variants)


def test_evaluation_data_without_labels_gives_no_metric(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    result = build(models, pictures, cache=shared, evaluation=pictures["calibration"], recipes=["as_is"])
    assert result.data == "evaluation"
    assert result.variants[0].metric is None
    assert result.variants[0].agreement == 1.0


def test_several_inputs_signatures_and_free_sizes(shared: Path, models: Path) -> None:
    random = np.random.default_rng(1)
    np.savez(
        "data.npz",
        features=random.normal(size=(20, 6)).astype(np.float32),
        kind=random.integers(0, 3, 20).astype(np.int32),
    )
    cases = (
        ("two_inputs", "data.npz", ("as_is", "full_int8")),
        ("many_signatures", None, ("dynamic_int8",)),
        ("no_signatures", None, ("as_is",)),
    )
    for name, data, recipes in cases:
        result = edge_sdk.build(models / f"{name}.tflite", cache=shared, calibration=data, recipes=recipes)
        assert result.ok, (name, result)
        assert result.bundle is not None
        with Runner.open(result.bundle) as runner:
            assert runner.check_golden().passed
    free = edge_sdk.build(models / "dynamic_batch.tflite", cache=shared, recipes=["as_is"])
    assert free.bundle is not None
    with Runner.open(free.bundle) as runner:
        assert runner.predict(x=np.zeros((7, 8), np.float32))["y"].shape == (7, 3)


@pytest.mark.parametrize("name", ["conv_int8", "conv_uint8"])
def test_a_quantized_source_passes_through_with_real_numbers_for_callers(
    shared: Path, name: str, models: Path, pictures: dict[str, Path]
) -> None:
    result = edge_sdk.build(models / f"{name}.tflite", cache=shared, evaluation=pictures["evaluation"])
    assert [item.id for item in result.variants] == ["as_is"]
    assert result.ok, result
    assert result.bundle is not None
    with Runner.open(result.bundle) as runner:
        assert runner.signature.inputs[0].dtype == "float32"
        assert runner.check_golden().passed


def test_budgets_decide_the_pick_and_an_impossible_one_fails_the_build(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    exact = build(models, pictures, cache=shared, budget=Budget(min_agreement=1.0))
    assert exact.picked is not None
    assert exact.variant(exact.picked).agreement == 1.0
    impossible = build(models, pictures, cache=shared, budget=Budget(max_size_bytes=10))
    assert impossible.picked is None
    assert impossible.bundle is None
    assert not impossible.ok
    assert "bytes over the budget of 10 bytes" in " ".join(impossible.notes)
    assert exact.bundle is not None
    assert exact.bundle.exists()  # what was built before stays


def test_each_target_gets_what_its_runtime_can_load(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    result = build(models, pictures, cache=shared, targets=["host", "host-tflite-runtime"])
    assert result.bundle is not None
    with Bundle.open(result.bundle) as bundle:
        plans = bundle.manifest.targets
    assert set(plans) == {"host", "host-tflite-runtime"}
    assert set(plans["host-tflite-runtime"].variants) <= set(plans["host"].variants)
    assert plans["host"].runtime.name == "litert"


def test_stale_variants_go_and_other_files_stay(
    shared: Path, models: Path, pictures: dict[str, Path]
) -> None:
    build(models, pictures, cache=shared)
    Path("build/conv_float/mine.tflite").write_bytes(b"mine")
    build(models, pictures, cache=shared, recipes=["as_is"])
    assert {path.name for path in Path("build/conv_float").iterdir()} == {
        "as_is.tflite",
        "build.json",
        "details.json",
        "mine.tflite",
    }


def test_a_function_gives_the_samples(
    shared: Path, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    (tmp_path / "my_data.py").write_text(
        "import numpy as np\n"
        "from tests.smooth_pictures import smooth_pictures\n"
        "def samples():\n"
        "    for picture in smooth_pictures(np.random.default_rng(3), 12):\n"
        "        yield {'image': picture}\n"
    )
    result = edge_sdk.build(models / "conv_float.tflite", cache=shared, calibration="my_data:samples")
    assert result.ok
    assert result.samples == 12
    again = edge_sdk.build(models / "conv_float.tflite", cache=shared, calibration="my_data:samples")
    assert again == result


def test_a_model_that_needs_flex_fails_as_a_value(shared: Path, models: Path) -> None:
    with pytest.raises((ModelError, ConfigError)) as caught:
        edge_sdk.build(models / "flex_operator.tflite", cache=shared)
    assert "Flex" in str(caught.value) or "MatrixDeterminant" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"picture": np.zeros((5, 16, 16, 3), np.float32)}, SignatureMismatchError),
        ({"image": np.zeros((5, 8, 8, 3), np.float32)}, SignatureMismatchError),
        ({"image": np.zeros((5, 16, 16, 3), np.float64)}, SignatureMismatchError),
        ({"image": np.full((5, 16, 16, 3), np.nan, np.float32)}, ConfigError),
        (None, ConfigError),
    ],
)
def test_bad_data_stops_the_build_and_leaves_nothing(
    models: Path, data: dict[str, Any] | None, error: type[Exception]
) -> None:
    if data is not None:
        np.savez("bad.npz", **data)
    with pytest.raises(error):
        edge_sdk.build(models / "conv_float.tflite", calibration="bad.npz")
    assert not Path("build").exists()
    # What was found out about the model is kept; of the data nothing is.
    assert {path.name for path in Path(".edge/cache").iterdir()} <= {"look", "unfinished"}
    assert not list(Path(".edge/cache/unfinished").iterdir())


def test_a_bundle_is_no_source(shared: Path, models: Path) -> None:
    result = edge_sdk.build(models / "conv_float.tflite", cache=shared, recipes=["as_is"])
    assert result.bundle is not None
    with pytest.raises(ModelError, match="is a bundle already"):
        edge_sdk.build(result.bundle, cache=shared)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "a b"])
def test_names_that_cannot_be_file_names(models: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a bundle"):
        edge_sdk.build(models / "conv_float.tflite", recipes=["as_is"], name=name)
    assert not Path("build").exists()


def test_the_public_name_stays_a_function(shared: Path, models: Path) -> None:
    for _ in range(2):
        assert callable(edge_sdk.build)
        result = edge_sdk.build(models / "conv_float.tflite", cache=shared, recipes=["as_is"])
    assert dataclasses.is_dataclass(result)
