"""The model in the project is the one that its code was generated for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge_sdk.bundle.digest import folder_digest, sha256_of
from edge_sdk.errors import EdgeError
from edge_sdk.scaffold.literals import kotlin_string, swift_string
from edge_sdk.scaffold.render import MODEL_SOURCE
from edge_sdk.scaffold.spec import MobileSpec, MobileTensor
from edge_sdk.scaffold.verify.base import ANDROID, IOS, Finding, Verdict
from edge_sdk.scaffold.verify.site import Site

#: Where the generated facts are, by platform: end of the path, sign between a name and its value.
_CODE = {ANDROID: ("/ModelSpec.kt", "="), IOS: ("/ModelSpec.swift", ":")}
_FACTS = ("modelFile", "modelSha256", "modelSize", "signature")
_TENSOR = ("name", "type", "shape", "storedName", "storedType")
#: Names of types in a Core ML package.
_COREML_TYPES = {"fp32": "float32", "fp16": "float16", "int32": "int32", "int8": "int8", "fp64": "float64"}


class Model:
    """Digest and size of the file, its inputs and outputs, and the facts in the generated source."""

    name = "model"
    platforms = (ANDROID, IOS)
    proves = "the model file is the one that the code was generated for: digest, names, shapes, types"
    heavy = False

    def run(self, site: Site) -> Verdict:
        """Compare the model with model_spec.json, and that with ModelSpec."""
        spec = site.spec()
        findings = list(_of_code(site, spec))
        paths = site.project.paths(source=MODEL_SOURCE)
        missing = [path for path in paths if path not in site.files]
        findings += [Finding(path, None, "is missing") for path in missing]
        if not missing and paths:
            findings += (
                _of_tflite(site, spec, paths) if spec.format == "tflite" else _of_package(site, spec, paths)
            )
        return Verdict(tuple(findings), f"{spec.model_file}, {spec.model_size:,} bytes")


def _of_tflite(site: Site, spec: MobileSpec, paths: tuple[str, ...]) -> Iterator[Finding]:
    from edge_sdk.model.tflite_file import read_tflite

    for path in paths:
        place = site.folder / path
        yield from _same(path, place.stat().st_size, sha256_of(place), spec)
        try:
            model = read_tflite(place)
        except EdgeError as failure:
            yield Finding(path, None, f"cannot be read: {failure.why or failure.what}")
            continue
        signature = next((item for item in model.signatures if item.name == spec.signature), None)
        if signature is None:
            names = ", ".join(repr(item.name) for item in model.signatures)
            yield Finding(path, None, f"has no signature {spec.signature!r}; it has {names}")
            continue
        for side, wanted, found in (
            ("input", spec.inputs, signature.inputs),
            ("output", spec.outputs, signature.outputs),
        ):
            stored = {item.name: (item.dtype, item.shape) for item in found}
            yield from _tensors(path, side, wanted, stored)


def _same(path: str, size: int, sha256: str, spec: MobileSpec) -> Iterator[Finding]:
    if size != spec.model_size:
        yield Finding(path, None, f"has {size:,} bytes, model_spec.json says {spec.model_size:,}")
    elif sha256 != spec.model_sha256:
        yield Finding(
            path, None, f"is another file: SHA-256 {sha256}, model_spec.json says {spec.model_sha256}"
        )


def _tensors(
    path: str,
    side: str,
    wanted: tuple[MobileTensor, ...],
    stored: Mapping[str, tuple[str | None, tuple[int | None, ...] | None]],
) -> Iterator[Finding]:
    for tensor in wanted:
        if tensor.stored_name not in stored:
            names = ", ".join(map(repr, sorted(stored))) or "none"
            yield Finding(path, None, f"has no {side} {tensor.stored_name!r}; it has {names}")
            continue
        dtype, shape = stored[tensor.stored_name]
        if dtype != tensor.stored_dtype:
            message = f"{side} {tensor.stored_name!r} is {dtype}, model_spec.json says {tensor.stored_dtype}"
            yield Finding(path, None, message)
        if shape != tensor.shape:
            message = f"{side} {tensor.stored_name!r} has shape {shape}, model_spec.json says {tensor.shape}"
            yield Finding(path, None, message)
    for name in sorted(stored.keys() - {tensor.stored_name for tensor in wanted}):
        if side == "input":
            yield Finding(path, None, f"has an input {name!r} that model_spec.json does not name")


def _of_package(site: Site, spec: MobileSpec, paths: tuple[str, ...]) -> Iterator[Finding]:
    from edge_sdk.model.coreml.package import open_package

    at = paths[0].split("/")
    folder = (
        "/".join(at[: at.index(spec.model_file) + 1]) if spec.model_file in at else str(Path(paths[0]).parent)
    )
    place = site.folder / folder
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    yield from _same(folder, size, folder_digest(place), spec)
    try:
        with open_package(place) as package:
            function = package.description(spec.signature or None)
    except EdgeError as failure:
        yield Finding(folder, None, f"cannot be read: {failure.why or failure.what}")
        return
    images = {tensor.stored_name for tensor in spec.inputs if tensor.coreml_image is not None}
    for side, wanted, found in (
        ("input", spec.inputs, function.inputs),
        ("output", spec.outputs, function.outputs),
    ):
        plain = {item.name: item for item in found}
        for tensor in wanted:
            feature = plain.get(tensor.stored_name)
            if feature is None or side == "output":
                continue
            if (feature.kind == "image") != (tensor.stored_name in images):
                other = "an image" if feature.kind == "image" else f"a {feature.kind}"
                yield Finding(
                    folder, None, f"input {tensor.stored_name!r} is {other}, which model_spec.json denies"
                )
            elif feature.kind == "image" and tensor.image is not None:
                size_there = (feature.height, feature.width)
                if size_there != (tensor.image.height, tensor.image.width):
                    message = f"input {tensor.stored_name!r} is an image of {size_there[0]} x {size_there[1]}"
                    yield Finding(folder, None, message)
        stored = {
            item.name: (_COREML_TYPES.get(item.dtype or ""), item.shape)
            for item in found
            if item.kind == "tensor"
        }
        yield from _tensors(
            folder, side, tuple(item for item in wanted if item.stored_name in stored), stored
        )
        for tensor in wanted:
            if tensor.stored_name not in plain:
                names = ", ".join(map(repr, sorted(plain))) or "none"
                yield Finding(folder, None, f"has no {side} {tensor.stored_name!r}; it has {names}")


def _of_code(site: Site, spec: MobileSpec) -> Iterator[Finding]:
    """Compare the generated source with the facts, line by line, in the order in which it lists them."""
    ending, sign = _CODE[site.project.platform]
    path = next((path for path in site.project.answers.files if path.endswith(ending)), None)
    if path is None or path not in site.files:
        yield Finding(path or ending.lstrip("/"), None, "is missing")
        return
    kotlin = site.project.platform == ANDROID
    text = kotlin_string if kotlin else swift_string
    size = f"{spec.model_size}L" if kotlin else str(spec.model_size)
    facts = {
        "modelFile": text(spec.model_file),
        "modelSha256": text(spec.model_sha256),
        "modelSize": size,
        "signature": text(spec.signature),
    }
    lines = site.read(path).split("\n")
    found = list(_named(lines, sign))
    for name in _FACTS:
        yield from _one(path, name, facts[name], [item for item in found if item[1] == name][:1])
    start = next(
        (place for place, line in enumerate(lines) if re.search(r"\b(?:object|enum) Inputs\b", line)), 0
    )
    members = [item for item in found if item[0] > start]
    tensors = (*spec.inputs, *spec.outputs)
    for name in _TENSOR:
        theirs = [item for item in members if item[1] == name]
        for place, tensor in enumerate(tensors):
            yield from _one(path, name, _member(tensor, name, kotlin=kotlin), theirs[place : place + 1])


def _named(lines: list[str], sign: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, name and value of each line `NAME = VALUE,`."""
    pattern = re.compile(rf"\s+(\w+)\s?{sign} (.+?),?$")
    for number, line in enumerate(lines, 1):
        match = pattern.fullmatch(line.rstrip("\r"))
        if match is not None and match[1] in (*_FACTS, *_TENSOR):
            yield number, match[1], match[2]


def _one(path: str, name: str, wanted: str, found: list[tuple[int, str, str]]) -> Iterator[Finding]:
    if not found:
        yield Finding(path, None, f"{name} {wanted} of model_spec.json is not there")
    elif found[0][2] != wanted:
        yield Finding(path, found[0][0], f"{name} is {found[0][2]}, model_spec.json says {wanted}")


def _member(tensor: MobileTensor, name: str, *, kotlin: bool) -> str:
    text = kotlin_string if kotlin else swift_string
    sizes = ", ".join(map(str, tensor.shape))
    # Swift has no float16 of its own on every system; the contract's type stands for it.
    dtype = tensor.dtype if kotlin or tensor.dtype != "float16" else "float32"
    if name == "name":
        return text(tensor.name)
    if name == "storedName":
        return text(tensor.stored_name)
    if name == "shape":
        return f"listOf({sizes})" if kotlin else f"[{sizes}]"
    if name == "type":
        return f"ElementType.{dtype.upper()}" if kotlin else f".{dtype}"
    return f"ElementType.{tensor.stored_dtype.upper()}" if kotlin else f".{tensor.stored_dtype}"
