"""From a source model to one Core ML package. Runs in a worker process.

Arguments of `convert` (JSON-ready):
    kind                "saved_model", "keras", "h5" or "function"; "tflite" is refused
    model               path, or "module:function"
    output              path of the `.mlpackage` folder to write; it is there whole or not at all
    deployment_target   "iOS15", "iOS16", "iOS17", "iOS18" or "iOS26": the oldest system that loads it
    precision           "float16" (default) or "float32": what it computes with
    contract            `Contract.to_dict()` or None: pictures, labels, default signature
    images              false keeps pictures multi-arrays (default true)
    classifier          false leaves the contract's labels out (default true)
    shapes              {input: [[...], ...]}: shapes by name, the first one by default
    signatures          names, or None for the default one; several make a package of several functions
    metadata            author, license, version, short_description; "descriptions": {input or output: text};
                        every other entry is kept under its name with the prefix "edge_sdk."
    cast_io_to_float32  false gives a float16 program for iOS16 or newer float16 in- and outputs

The answer:
    signatures          of the source, those that were converted, the default one first
    functions           names in the package; default_function is the one that runs where none is named
    images              {input: {"scale": ..., "bias": [...], "color": "RGB"}}: inputs that are images
    coreml              `CoreMLFacts.to_dict()`: what an app has to know, for the bundle: functions by
                        signature, names of a classifier's outputs, names that differ from the
                        source's
    scores              of a classifier, the output that still has the numbers as a multi-array; else None
    unused_inputs       inputs of the source that nothing depends on; the package does not have them
    deployment_target, precision, specification_version, tools
    notes               sentences for the user

Same source, same bytes: nothing of the machine, the day or a path ends in the package.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.bundle.manifest import CoreMLFacts, CoreMLImage
from edge_sdk.contract.spec import Signature
from edge_sdk.convert.child import stage
from edge_sdk.convert.coreml.classifier import Classifier, choose_classifier
from edge_sdk.convert.coreml.functions import join_functions
from edge_sdk.convert.coreml.graph import load_signatures, trace
from edge_sdk.convert.coreml.images import Image, choose_images
from edge_sdk.convert.coreml.names import Names, choose_names, free_name
from edge_sdk.convert.coreml.program import note_types, refuse_types, write_package
from edge_sdk.convert.coreml.request import Request
from edge_sdk.convert.coreml.shapes import Shapes, settle_shapes
from edge_sdk.convert.coreml.specification import add_labels, describe, rename, shorten
from edge_sdk.convert.source import open_source
from edge_sdk.model.coreml.canonical import finish_package, specification_path
from edge_sdk.model.tflite_file import default_signature


@dataclass(frozen=True)
class Plan:
    """What becomes of one signature.

    Attributes:
        signature: Of the source.
        shapes: Of its inputs.
        images: Its inputs that are images.
        classifier: Its labels, or None.
        notes: Sentences for the user.
    """

    signature: Signature
    shapes: dict[str, Shapes]
    images: dict[str, Image]
    classifier: Classifier | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A package of one function.

    Attributes:
        path: The package.
        unused: Inputs of the source that it does not have.
        label: Output with the best class's label, or None.
        dictionary: Output with {label: score}, or None.
    """

    path: Path
    unused: tuple[str, ...]
    label: str | None = None
    dictionary: str | None = None


def convert(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one model; see the module's text for the arguments and the answer.

    Raises:
        ConfigError: The request does not fit the model or the deployment target.
        ModelError: The source cannot be used.
        UnsupportedOpError: It has operators that Core ML cannot run; they are named, with their layers.
        ConversionError: coremltools refused for another reason.
    """
    request = Request.of(arguments)
    stage("import", "loading TensorFlow and coremltools")
    import coremltools as ct
    import keras
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="edge-coreml-") as scratch:
        view = open_source(request.kind, request.model, Path(scratch))
        default = request.contract.default_signature if request.contract else None
        if default not in {signature.name for signature in view.signatures}:
            default = default_signature(view.signatures)
        signatures = request.choose(view.signatures, default)
        plans = [_plan(signature, request, alone=len(signatures) == 1) for signature in signatures]
        names = choose_names(signatures)
        stage("convert", "loading the SavedModel")
        loaded = load_signatures(view)
        written = []
        for index, plan in enumerate(plans):
            stage("convert", f"converting {plan.signature.name}", index / len(plans))
            function = loaded.signatures[plan.signature.name]
            written.append(_write(plan, function, names, request, Path(scratch) / f"{index}.mlpackage"))
        package = written[0].path
        functions = ["main"]
        if len(plans) > 1:
            functions = [names.functions[plan.signature.name] for plan in plans]
            package = Path(scratch) / "joined.mlpackage"
            stage("convert", f"joining {len(plans)} functions")
            join_functions(
                {name: item.path for name, item in zip(functions, written, strict=True)},
                functions[0],
                package,
                request.deployment_target,
            )
        version = _finish(package, plans, names, request)
        _move(package, request.output)
    first = plans[0]
    unused = tuple(dict.fromkeys(name for item in written for name in item.unused))
    facts = CoreMLFacts(
        deployment_target=request.deployment_target,
        precision=request.precision,
        functions={plan.signature.name: function for plan, function in zip(plans, functions, strict=True)},
        default_function=functions[0],
        images={
            name: CoreMLImage(scale=image.scale, bias=image.bias, color=image.color)
            for name, image in first.images.items()
        },
        class_label=written[0].label,
        class_probabilities=written[0].dictionary,
        input_names=names.changed(names.inputs),
        output_names=names.changed(names.outputs),
    )
    return {
        "signatures": [plan.signature.to_dict() for plan in plans],
        "default_signature": first.signature.name,
        "functions": functions,
        "default_function": functions[0],
        "images": {name: image.to_dict() for name, image in first.images.items()},
        "coreml": facts.to_dict(),
        "scores": names.outputs[first.classifier.output] if first.classifier else None,
        "unused_inputs": list(unused),
        "deployment_target": request.deployment_target,
        "precision": request.precision,
        "specification_version": version,
        "tools": {"coremltools": ct.__version__, "tensorflow": tf.__version__, "keras": keras.__version__},
        "notes": _notes(plans, names, unused),
    }


def _plan(signature: Signature, request: Request, *, alone: bool) -> Plan:
    refuse_types(signature)
    shapes = settle_shapes(signature, request)
    notes: list[str] = []
    images: dict[str, Image] = {}
    if request.images:
        images, notes = choose_images(signature, request.contract, shapes)
    classifier = None
    if request.classifier:
        classifier, reason = choose_classifier(signature, request.contract)
        if classifier is not None and not alone:
            classifier, reason = None, "the labels are left out: a package of several functions has none"
        notes += [reason] if reason else []
    for name, item in shapes.items():
        if item.scalar:
            notes.append(f"input {name!r} has no dimension in the model and shape [1] in Core ML")
    return Plan(signature, shapes, images, classifier, (*notes, *note_types(signature, images)))


def _write(plan: Plan, function: Any, names: Names, request: Request, package: Path) -> Written:
    """Convert one signature into a package of its own, with the names and labels that it will have."""
    classifier = plan.classifier
    activation = (
        (classifier.output, classifier.activation)
        if classifier is not None and classifier.activation is not None
        else None
    )
    graph = trace(function, plan.signature, plan.shapes, plan.images, names.inputs, activation=activation)
    public = {*names.inputs.values(), *names.outputs.values()}
    inner = {graph.activated: free_name("class_scores", public)} if graph.activated else {}
    specification = write_package(graph, plan.signature, plan.shapes, plan.images, request, package)
    shorten(specification)
    rename(
        specification,
        {node: names.inputs[name] for name, node in graph.inputs.items()},
        {node: names.outputs[name] for name, node in graph.outputs.items()} | inner,
    )
    label = dictionary = None
    if classifier is not None:
        label, dictionary = add_labels(
            specification,
            probabilities=inner.get(graph.activated or "", names.outputs[classifier.output]),
            labels=classifier.labels,
            keep=graph.activated is None,
            taken=public,
        )
    specification_path(package).write_bytes(specification.SerializeToString(deterministic=True))
    unused = tuple(spec.name for spec in plan.signature.inputs if spec.name not in graph.inputs)
    return Written(package, unused, label, dictionary)


def _finish(package: Path, plans: list[Plan], names: Names, request: Request) -> int:
    """Write what people read, make the bytes canonical, and return the specification's version."""
    from coremltools.proto import Model_pb2

    path = specification_path(package)
    specification = Model_pb2.Model.FromString(path.read_bytes())
    descriptions = {
        names.inputs[name]: _describe_image(image, plan.shapes[name])
        for plan in plans
        for name, image in plan.images.items()
    }
    both = {**names.inputs, **names.outputs}
    descriptions.update({both.get(name, name): text for name, text in request.descriptions.items()})
    describe(specification, request.metadata, descriptions)
    path.write_bytes(specification.SerializeToString(deterministic=True))
    finish_package(package)
    return int(specification.specificationVersion)


def _describe_image(image: Image, shapes: Shapes) -> str:
    shape = shapes.default
    height, width = shape[2:] if image.channels_first else shape[1:3]
    bias = ", ".join(f"{value:g}" for value in image.bias)
    scaled = image.scale != 1 or any(image.bias)
    return f"{image.color} picture, {width} wide and {height} high." + (
        f" The model itself computes pixel * {image.scale:g} + ({bias})." if scaled else ""
    )


def _move(package: Path, output: Path) -> None:
    """Put the finished package where it belongs, in one step."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as beside:
        whole = Path(beside) / "package"
        shutil.copytree(package, whole)
        if output.exists():
            output.rename(Path(beside) / "old")
        whole.rename(output)


def _notes(plans: list[Plan], names: Names, unused: tuple[str, ...]) -> list[str]:
    notes = dict.fromkeys(note for plan in plans for note in plan.notes)
    for given, name in {**names.changed(names.inputs), **names.changed(names.outputs)}.items():
        shown = given if len(given) <= 60 else f"{given[:57]}..."
        notes[f"{shown!r} is called {name!r} in the package: Core ML cannot have that name here"] = None
    for name in unused:
        notes[f"input {name!r} is left out: nothing that the model returns depends on it"] = None
    return list(notes)
