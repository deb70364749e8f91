from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.digest import folder_digest, sha256_of
from edge_sdk.bundle.manifest import CoreMLFacts, RuntimeRequirement, TargetPlan
from edge_sdk.contract.golden import GoldenVectors
from tests.bundle.packages import MODEL, tiny_package
from tests.bundle.samples import CONTENT, PACKAGE, manifest_of, mixed, mixed_content
from tests.bundle.test_folders import lay_out


def edge(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *args], capture_output=True, text=True, timeout=120
    )


def golden(cases: int = 1, name: str = "image") -> bytes:
    return GoldenVectors(
        inputs={name: np.zeros((cases, 1, 2, 2, 1), np.float32)},
        outputs={"scores": np.zeros((cases, 1, 3), np.float32)},
    ).to_bytes()


def bundle(folder: Path, vectors: bytes) -> Path:
    content = {**CONTENT, "golden/float32.npz": vectors}
    plan = TargetPlan(
        platform="linux",
        architecture="any",
        runtime=RuntimeRequirement(name="litert"),
        variants=("float32",),
    )
    path = folder / "sample.edge"
    write_bundle(path, manifest_of(content, targets={"host": plan}), content)
    return path


def test_a_good_bundle(tmp_path: Path) -> None:
    path = bundle(tmp_path, golden())
    done = edge("verify", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ok ")
    assert sha256_of(path) in done.stdout
    assert "host" in done.stdout


def test_json_is_one_document_and_stderr_is_silent(tmp_path: Path) -> None:
    path = bundle(tmp_path, golden())
    done = edge("verify", str(path), "--json")
    data = json.loads(done.stdout)
    assert done.stderr == ""
    assert data["verified"] is True
    assert data["sha256"] == sha256_of(path)
    assert data["size_bytes"] == path.stat().st_size
    assert data["variants"] == [
        {
            "id": "float32",
            "format": "tflite",
            "file": "models/float32.tflite",
            "size_bytes": 80,
            "sha256": sha256_of(CONTENT["models/float32.tflite"]),
            "golden_cases": 1,
        }
    ]
    assert data["targets"] == {"host": ["float32"]}


@pytest.mark.parametrize(
    "damage",
    ["flip", "cut", "missing", "not golden", "other cases", "other names"],
)
def test_a_bad_bundle_is_exit_code_5_with_a_reason(tmp_path: Path, damage: str) -> None:
    vectors = {"not golden": b"x" * 77, "other cases": golden(2), "other names": golden(name="img")}
    path = bundle(tmp_path, vectors.get(damage, golden()))
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    elif damage == "cut":
        path.write_bytes(raw[:-100])
    elif damage == "missing":
        path.unlink()
    for arguments in (("verify", str(path)), ("verify", str(path), "--json")):
        done = edge(*arguments)
        assert done.returncode == 5
        assert "Traceback" not in done.stderr
        assert "error: " in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 5


def test_a_package_has_the_size_and_the_digest_of_all_its_files(tmp_path: Path) -> None:
    content = {
        **mixed_content(),
        "golden/float32.npz": golden(),
        "golden/coreml_int8.npz": golden(),
    }
    path = tmp_path / "mixed.edge"
    write_bundle(path, mixed(content), content)
    done = edge("verify", str(path), "--json")
    assert done.returncode == 0, done.stderr
    _, package = json.loads(done.stdout)["variants"]
    assert package == {
        "id": "coreml_int8",
        "format": "mlpackage",
        "file": "models/coreml_int8.mlpackage",
        "size_bytes": sum(map(len, PACKAGE.values())),
        "sha256": folder_digest(lay_out(tmp_path / "package", PACKAGE)),
        "golden_cases": 1,
    }
    table = edge("verify", str(path)).stdout
    assert "mlpackage" in table
    # Any file of it that is damaged is found.
    raw = path.read_bytes()
    path.write_bytes(raw.replace(PACKAGE[MODEL], PACKAGE[MODEL][:-1] + b"X"))
    done = edge("verify", str(path))
    assert done.returncode == 5
    assert "model.mlmodel" in done.stderr


def with_package(folder: Path, package: dict[str, bytes], facts: CoreMLFacts) -> Path:
    content = {name: data for name, data in mixed_content().items() if "mlpackage" not in name}
    content |= {f"models/coreml_int8.mlpackage/{name}": data for name, data in package.items()}
    content |= {"golden/float32.npz": golden(), "golden/coreml_int8.npz": golden()}
    float32, package_variant = mixed().variants
    path = folder / "mixed.edge"
    write_bundle(path, mixed(content, variants=(float32, replace(package_variant, coreml=facts))), content)
    return path


def test_a_package_that_is_none_is_found(tmp_path: Path) -> None:
    facts = CoreMLFacts(deployment_target="iOS16", precision="float16")
    good = tiny_package()
    assert edge("verify", str(with_package(tmp_path, good, facts))).returncode == 0
    for broken in ({**good, MODEL: b"not a model"}, {**good, "Manifest.json": b"{}"}):
        done = edge("verify", str(with_package(tmp_path, broken, facts)))
        assert done.returncode == 5
        assert "variant 'coreml_int8' is no package that can be read" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_package_that_is_not_what_the_manifest_says_is_found(tmp_path: Path) -> None:
    newer = tiny_package("iOS18")
    facts = CoreMLFacts(deployment_target="iOS16", precision="float16")
    done = edge("verify", str(with_package(tmp_path, newer, facts)))
    assert done.returncode == 5
    assert "needs iOS18" in done.stderr
    wrong = replace(facts, functions={"serving_default": "main", "other": "encode"})
    done = edge("verify", str(with_package(tmp_path, tiny_package(), wrong)))
    assert done.returncode == 5
    assert "has no function 'encode'" in done.stderr
