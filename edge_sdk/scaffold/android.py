"""What the Android template needs beside the facts of a model: flags for files, names for code."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConfigError
from edge_sdk.scaffold.spec import MobileSpec, ScaffoldOptions

#: Packages that a project's own code, the platform or the language has.
_TAKEN = ("edge.core", "edge.runtime", "android", "androidx", "java", "javax", "kotlin", "kotlinx")
#: How the app names the runtime to people; the version follows.
_RUNTIME_TITLES = {"litert": "LiteRT", "litert1": "LiteRT", "play": "LiteRT of Play services, client"}


def flags(spec: MobileSpec, options: ScaffoldOptions) -> frozenset[str]:
    """Return what chooses files and passages of the template.

    camera: an input is a picture, so the app takes one of the gallery or of the camera.
    compiled: the runtime is CompiledModel, bundled or of Play services.
    flex: the model has TensorFlow operators.
    """
    found = {
        "camera": any(item.image is not None for item in spec.inputs),
        "compiled": options.runtime != "litert1",
        "flex": bool(spec.flex_ops),
    }
    return frozenset(name for name, holds in found.items() if holds)


def context(spec: MobileSpec, options: ScaffoldOptions) -> dict[str, Any]:
    """Return the template's own variables.

    package_path: the app's package as a folder.
    project_name: how Gradle calls the build.
    runtime_title: how the app names the runtime to people.

    Raises:
        ConfigError: The app's package would be one that is taken.
    """
    package = options.application_id
    for taken in _TAKEN:
        if f"{package}.".startswith(f"{taken}."):
            raise ConfigError(
                f"application id {package!r} cannot be used",
                why=f"the package {taken} is not the app's",
                hint="--application-id com.example.myapp",
            )
    return {
        "package_path": package.replace(".", "/"),
        "project_name": package.rpartition(".")[2],
        "runtime_title": _RUNTIME_TITLES[options.runtime],
    }
