from __future__ import annotations

from pathlib import Path

import pytest

from tests.scaffold.verify.android_project import make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small Android project that a test may break."""
    return make_project(tmp_path)
