"""The output folder: packages are whole folders, stale ones go, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.bundle.digest import folder_digest
from edge_sdk.pipeline.output import Output
from edge_sdk.pipeline.result import BuildResult, TargetChoice, VariantReport
from edge_sdk.quantize.recipe import load_recipe


def package(folder: Path, weights: bytes) -> Path:
    (folder / "Data").mkdir(parents=True)
    (folder / "Data" / "weight.bin").write_bytes(weights)
    (folder / "Manifest.json").write_bytes(b"{}")
    return folder


def result(output: Output, files: dict[str, Path], verdict: str = "passed") -> BuildResult:
    reports = tuple(
        VariantReport(
            id=name,
            format="mlpackage",
            recipe=name,
            path=output.variant(load_recipe(name), verdict),
            sha256=folder_digest(path),
            size_bytes=9,
            verdict=verdict,
        )
        for name, path in files.items()
    )
    return BuildResult(
        name="model",
        version="1",
        bundle=None,
        bundle_sha256=None,
        choices=(TargetChoice(target="ios", order=()),),
        variants=reports,
        failures=(),
        skipped={},
        data="synthetic",
        samples=1,
    )


def write(output: Output, files: dict[str, Path], verdict: str = "passed") -> None:
    output.write_variants(files, result(output, files, verdict), {})


def test_packages_come_whole_change_whole_and_go(tmp_path: Path) -> None:
    output = Output(tmp_path / "out", "model")
    first = package(tmp_path / "first.mlpackage", b"first")
    second = package(tmp_path / "second.mlpackage", b"second")
    write(output, {"coreml_float16": first, "coreml_int8": second})
    placed = tmp_path / "out/model/coreml_float16.mlpackage"
    assert folder_digest(placed) == folder_digest(first)
    before = (placed / "Manifest.json").stat().st_ino
    write(output, {"coreml_float16": first, "coreml_int8": second})
    assert (placed / "Manifest.json").stat().st_ino == before  # right already: not written again
    (placed / "stray.txt").write_text("not ours")
    write(output, {"coreml_float16": second})
    assert folder_digest(placed) == folder_digest(second)
    assert sorted(path.name for path in (tmp_path / "out/model").iterdir()) == [
        "build.json",
        "coreml_float16.mlpackage",
        "details.json",
    ]


def test_what_did_not_pass_lies_apart(tmp_path: Path) -> None:
    output = Output(tmp_path / "out", "model")
    made = package(tmp_path / "made.mlpackage", b"weights")
    write(output, {"coreml_int8": made}, "unverified")
    assert (tmp_path / "out/model/unverified/coreml_int8.mlpackage").is_dir()
    write(output, {"coreml_int8": made})
    assert not (tmp_path / "out/model/unverified/coreml_int8.mlpackage").exists()
    assert (tmp_path / "out/model/coreml_int8.mlpackage").is_dir()
