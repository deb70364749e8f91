"""The first `edge.toml` of a project: what can be read off the model, explained where it stands."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.contract.spec import Signature, TensorSpec
from edge_sdk.model.load import Model
from edge_sdk.model.tflite_file import default_signature
from edge_sdk.pipeline.contract import as_promised

_HEAD = """\
# Settings of `edge build` and the verbs after it. An option on the command line wins over a line here.
# All keys: docs/reference/edge-toml.md. Paths are relative to this file.
"""

_BUILD = """\
[build]
targets = [{targets}]            # edge targets lists them
# recipes = ["float32", "full_int8"]   # edge recipes lists them; by default the targets choose
# calibration = "calibration.npz"      # typical inputs; int8 activations need them
# evaluation = "evaluation.npz"        # inputs and their labels (y), to compare every variant on
# out = "build"
"""

_BUDGET = """\
# [budget]                   # a variant that breaks a budget is not picked
# min_agreement = 0.98       # share of samples that must get the source model's answer
# max_metric_drop = 0.01     # most accuracy that may be lost
# max_size_bytes = 1_000_000

# [push]
# boards = ["porch"]         # names in boards.toml; edge board add, or edge lab up without hardware
"""

_PICTURE = """\
# Input {name!r} is {spec}: the shape of a picture. These lines let every verb take
# picture files for it: value = (pixel * scale - mean) / std, with pixel in 0..255.
# No model file says how it was trained; this scale gives 0..1. Compare it with your training code, for
# wrong scaling gives wrong answers without any error. Other usual choices: scale 1 and nothing else for
# 0..255; scale 1, mean 127.5 and std 127.5 for -1..1.
[input.{key}.image]
height = {height}
width = {width}
color = "{color}"
resize = "bilinear"          # as tf.image.resize; "bilinear_antialias" as with antialias=True
scale = {scale}
mean = [0.0]
std = [1.0]
layout = "{layout}"
"""

_TENSOR = """\
# Input {name!r} is {spec}: callers give the tensor itself.
"""

_CLASSES = """\
# Output {name!r} is {spec}. Where it holds the scores of classes, this names the best ones:
# [output.{key}]
# activation = "softmax"     # for logits; leave it out where the model ends in a softmax
# top_k = 3
"""

#: Pixels in 0..255 times this are in 0..1; short enough to read, exact enough for float32.
_UNIT_SCALE = "0.00392156862745098"
_USUAL_SIZE = 224


def starter_text(model: Model, folder: Path, *, targets: Sequence[str] = ("host",)) -> str:
    """Return the text of an `edge.toml` for a model.

    Args:
        model: The source.
        folder: Where the file will lie; the model's path is written relative to it.
        targets: What to build for.

    Raises:
        ModelError: The model cannot be read.
    """
    name = json.dumps(model.name)
    parts = [
        _HEAD,
        f'[model]\npath = {json.dumps(_relative(model, folder))}\nname = {name}\nversion = "0.1.0"\n',
        _BUILD.format(targets=", ".join(json.dumps(target) for target in targets)),
    ]
    signature = _signature(model)
    if signature is None:
        parts.append(
            "# The inputs of a function's model are known once it is built; edge build names them. For a\n"
            "# picture input: [input.NAME.image] with height, width, color, scale, mean, std and layout.\n"
        )
    else:
        parts += [_input(spec) for spec in signature.inputs]
        parts += [
            _CLASSES.format(name=spec.name, spec=spec, key=_key(spec.name))
            for spec in signature.outputs
            if _is_class_like(spec)
        ]
    parts.append(_BUDGET)
    return "\n".join(parts)


def _relative(model: Model, folder: Path) -> str:
    if model.kind == "function" or model.path is None:
        return model.location
    return Path(os.path.relpath(model.path, folder)).as_posix()


def _signature(model: Model) -> Signature | None:
    if model.kind == "function":
        return None
    from edge_sdk.model.inspect import inspect_model

    signatures = inspect_model(model).signatures
    if not signatures:
        return None
    if model.kind == "tflite":
        signatures = as_promised(signatures)
    return {item.name: item for item in signatures}[default_signature(signatures)]


def _input(spec: TensorSpec) -> str:
    picture = _picture(spec)
    if picture is None:
        return _TENSOR.format(name=spec.name, spec=spec)
    height, width, channels, layout = picture
    return _PICTURE.format(
        name=spec.name,
        spec=spec,
        key=_key(spec.name),
        height=height,
        width=width,
        color="gray" if channels == 1 else "rgb",
        scale=_UNIT_SCALE,
        layout=layout,
    )


def _picture(spec: TensorSpec) -> tuple[int, int, int, str] | None:
    """Return (height, width, channels, layout) where the shape is that of a picture."""
    if spec.shape is None or len(spec.shape) != 4 or spec.dtype != "float32":
        return None
    _, second, third, last = spec.shape
    if last in (1, 3):
        return second or _USUAL_SIZE, third or _USUAL_SIZE, last, "nhwc"
    if second in (1, 3):
        return third or _USUAL_SIZE, last or _USUAL_SIZE, second, "nchw"
    return None


def _is_class_like(spec: TensorSpec) -> bool:
    return spec.dtype == "float32" and spec.shape is not None and len(spec.shape) == 2 and spec.shape[-1] != 1


def _key(name: str) -> str:
    """Return a TOML key: bare where that is allowed, else quoted."""
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isalnum() and plain.isascii() else json.dumps(name)
