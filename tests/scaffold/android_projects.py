"""Android projects of small models, rendered and, where the compilers are there, compiled."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from edge_sdk.contract.spec import Detections, ImagePreprocess, Postprocess, Quantization
from edge_sdk.scaffold.golden import golden_document, tensor_json
from edge_sdk.scaffold.render import Content, RenderedProject, labels_text, render_platform, spec_json
from edge_sdk.scaffold.spec import ANDROID_ACCELERATORS, MobileSpec, MobileTensor, ScaffoldOptions
from tests.scaffold.tiny import spec_of

RUNTIMES = ("litert", "litert1", "play")
APPLICATION = "com.example.sample"


def _float(name: str, *shape: int) -> MobileTensor:
    return MobileTensor(name=name, dtype="float32", shape=shape, stored_name=name, stored_dtype="float32")


def _spec(name: str, **changes: object) -> MobileSpec:
    base = replace(spec_of(name=name, labels=()), accelerators=ANDROID_ACCELERATORS["litert"])
    return replace(base, model_file="sample.tflite", **changes)  # type: ignore[arg-type]


_PICTURE = replace(
    _float("image", 1, 8, 8, 3),
    stored_dtype="int8",
    quantization=Quantization(scales=(0.0078125,), zero_points=(-1,)),
    image=ImagePreprocess(height=8, width=8),
)
#: One model of each kind that the app's screens differ for.
MODELS: Mapping[str, MobileSpec] = {
    "classes": _spec(
        "classes",
        inputs=(_PICTURE,),
        outputs=(replace(_float("scores", 1, 3), postprocess=Postprocess(activation="softmax", top_k=2)),),
        labels=("cat", 'a "dog"', "$bird"),
    ),
    "boxes": _spec(
        "boxes",
        inputs=(replace(_float("image", 1, 8, 8, 3), image=ImagePreprocess(height=8, width=8, fit="pad")),),
        outputs=(_float("boxes", 1, 4, 4), _float("scores", 1, 4, 2)),
        labels=("face", "hand"),
        detections=Detections(boxes="boxes", scores="scores"),
    ),
    "tensor": _spec("tensor"),
    "two inputs": _spec(
        "two inputs",
        inputs=(
            replace(_float("image", 1, 8, 8, 3), image=ImagePreprocess(height=8, width=8)),
            MobileTensor(name="class", dtype="int64", shape=(1,), stored_name="class", stored_dtype="int64"),
        ),
        outputs=(_float("y", 1, 2), replace(_float("a b", 1), dtype="bool", stored_dtype="bool")),
    ),
}


def options_of(runtime: str, *, title: str = "It's a <sample> & more") -> ScaffoldOptions:
    return ScaffoldOptions(platform="android", runtime=runtime, application_id=APPLICATION, title=title)


@cache
def project(model: str, runtime: str, *, flex: bool = False, version: str = "1") -> RenderedProject:
    """Render one of `MODELS`; flex: it has an operator of TensorFlow."""
    spec = replace(MODELS[model], version=version, model_sha256=version * 64, flex_ops=("FlexErf",) * flex)
    return render_platform(spec, options_of(runtime), _content(spec))


def _content(spec: MobileSpec) -> Content:
    def zeros(tensors: tuple[MobileTensor, ...]) -> dict[str, object]:
        return {item.name: tensor_json(np.zeros(item.shape, item.dtype)) for item in tensors}

    case = {"inputs": zeros(spec.inputs), "outputs": zeros(spec.outputs)}
    return Content(
        model={spec.model_file: b"model " + spec.version.encode() * 999},
        golden=golden_document(model=[case], steps=[]),
        spec=spec_json(spec),
        labels=labels_text(spec.labels),
    )


def write(rendered: RenderedProject, folder: Path) -> Path:
    """Write a project's files, without the engine's own."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, file in rendered.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    return folder


def text(rendered: RenderedProject, path: str) -> str:
    return rendered.files[path].content.decode()


@dataclass(frozen=True)
class Resources:
    """Names of a project's resources: what the class R holds."""

    names: Mapping[str, frozenset[str]]

    def kotlin(self, package: str) -> str:
        """Return R as the compiler needs it."""
        lines = [f"package {package}", "", "object R {"]
        for kind, names in sorted(self.names.items()):
            lines.append(f"    object {kind} {{")
            lines += [f"        const val {name}: Int = {index}" for index, name in enumerate(sorted(names))]
            lines.append("    }")
        return "\n".join([*lines, "}", ""])


def resources(folder: Path) -> Resources:
    """Collect what a project's app/src/main/res declares."""
    found: dict[str, set[str]] = {}
    for path in (folder / "app/src/main/res").rglob("*.xml"):
        kind = path.parent.name.partition("-")[0]
        if kind == "values":
            for tag, name in re.findall(r'<(string|color|plurals) name="(\w+)"', path.read_text("utf-8")):
                found.setdefault(tag, set()).add(name)
        else:
            found.setdefault(kind, set()).add(path.stem)
    return Resources({kind: frozenset(names) for kind, names in found.items()})
