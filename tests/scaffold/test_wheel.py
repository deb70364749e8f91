"""What somebody who installs edge_sdk can make projects of."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_wheel_carries_the_templates_and_makes_projects_of_them(tmp_path: Path) -> None:
    from tests.scaffold.bundles import make_bundle, package, variant

    subprocess.run(
        [sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(ROOT)],
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    for name in ("android_template", "ios_template"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / name).rglob("*") if path.is_file()}
        there = {
            path.relative_to(installed / "edge_sdk" / "_data").as_posix()
            for path in (installed / "edge_sdk" / "_data" / name).rglob("*")
            if path.is_file()
        }
        assert there == here
    bundle = make_bundle(tmp_path, variant("float32"), package())
    for platform in ("android", "ios"):
        done = subprocess.run(
            [sys.executable, "-m", "edge_sdk.cli.main", "scaffold", platform, str(bundle), "--out", platform],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert (tmp_path / platform / ".edge" / "answers.json").is_file()
