"""Everything that the reader of Core ML packages reads is what coremltools reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import coreml_models, real_models


@pytest.mark.tensorflow
def test_reads_what_coremltools_reads(small_packages: Path, tmp_path: Path) -> None:
    packages = [small_packages / f"{form}.mlpackage" for form in ("dense", "palette", "int4")]
    packages.append(real_models.basic_pitch_mlpackage())
    packages += [
        coreml_models.made(name).package("float16")
        for name in ("text_classifier", "transformer", "MobileNetV2")
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.model.coreml.compare_package", str(tmp_path), *map(str, packages)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    compared = json.loads(done.stdout.splitlines()[-1])
    # Less would mean that the comparison itself was lost.
    least = {"operations": 1000, "constants": 1000, "blobs": 100, "features": 30, "widths": 40}
    assert all(compared[name] >= count for name, count in least.items()), compared
