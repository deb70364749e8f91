from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from edge_sdk.bundle.archive import Bundle
from edge_sdk.scaffold.project import create_project
from edge_sdk.scaffold.render import render_bundle
from edge_sdk.scaffold.spec import default_options
from edge_sdk.scaffold.toolchain.debian import find_debian
from edge_sdk.scaffold.toolchain.kotlin import find_kotlin
from edge_sdk.scaffold.toolchain.places import Missing
from tests.scaffold.bundles import make_bundle, package, variant
from tests.scaffold.verify.android_project import make_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small Android project that a test may break."""
    return make_project(tmp_path)


@pytest.fixture(scope="session")
def _ios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ios")
    path = make_bundle(folder, package(), variant("float32"), name="relu")
    with Bundle.open(path) as bundle:
        rendered = render_bundle(bundle, default_options(bundle, platform="ios"))
    return create_project(folder / "project", rendered).folder


@pytest.fixture
def ios(_ios: Path, tmp_path: Path) -> Path:
    """A project of the iOS template that a test may break."""
    return Path(shutil.copytree(_ios, tmp_path / "ios"))


def _must(found: object) -> None:
    if isinstance(found, Missing):
        message = f"{found.why}; {found.how}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def kotlin() -> None:
    """Ask for the Kotlin compiler."""
    _must(find_kotlin())


@pytest.fixture(scope="session")
def debian() -> None:
    """Ask for Swift and aapt2."""
    _must(find_debian())
