"""Compares this package's reader with coremltools' own, value for value: run as a process of its own.

python -m tests.model.coreml.compare_package SCRATCH PACKAGE...
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.model.coreml.package import open_package
from edge_sdk.model.coreml.program import Blob, Constant, ValueType
from edge_sdk.model.coreml.weights import Weights

TYPES = {
    1: "bool", 2: "string", 10: "fp16", 11: "fp32", 12: "fp64", 21: "int8", 22: "int16", 23: "int32",
    24: "int64", 25: "int4", 31: "uint8", 32: "uint16", 33: "uint32", 34: "uint64", 35: "uint4", 36: "uint2",
    37: "uint1", 38: "uint6", 39: "uint3",
}  # fmt: skip
ARRAYS = {65568: "fp32", 65600: "fp64", 65552: "fp16", 131104: "int32", 131080: "int8"}
READERS = {**{name: name for name in TYPES.values()}, "fp32": "float", "bool": "uint8"}


def main(scratch: Path, packages: list[Path]) -> dict[str, int]:
    """Compare everything; return how much was compared."""
    counted = {"operations": 0, "constants": 0, "blobs": 0, "features": 0, "widths": widths(scratch)}
    for package in packages:
        program(package, counted)
    for package in described(packages[0], scratch):
        program(package, counted)
    return counted


def program(path: Path, counted: dict[str, int]) -> None:
    """Compare the functions, operations and constants of a package."""
    from coremltools.libmilstoragepython import _BlobStorageReader
    from coremltools.models.utils import load_spec

    spec = load_spec(str(path))
    file = path / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    reader = _BlobStorageReader(str(file)) if file.exists() else None
    with open_package(path) as package:
        assert package.specification_version == spec.specificationVersion
        description(package, spec.description, counted)
        assert set(package.program.functions) == set(spec.mlProgram.functions)
        for name, function in spec.mlProgram.functions.items():
            ours = package.program.functions[name]
            assert ours.opset == function.opset
            assert [(item.name, item.type) for item in ours.inputs] == [
                (item.name, kind(item.type)) for item in function.inputs
            ]
            compare_block(
                package, ours.block, function.block_specializations[function.opset], reader, counted
            )


def compare_block(package: Any, ours: Any, theirs: Any, reader: Any, counted: dict[str, int]) -> None:
    """Compare the operations of a block and of those inside."""
    assert ours.outputs == tuple(theirs.outputs)
    assert len(ours.operations) == len(theirs.operations)
    for mine, operation in zip(ours.operations, theirs.operations, strict=True):
        counted["operations"] += 1
        assert mine.kind == operation.type
        assert [(item.name, item.type) for item in mine.outputs] == [
            (item.name, kind(item.type)) for item in operation.outputs
        ]
        assert set(mine.inputs) == set(operation.inputs)
        assert set(mine.attributes) == set(operation.attributes)
        for name, argument in operation.inputs.items():
            for item, binding in zip(mine.inputs[name], argument.arguments, strict=True):
                if binding.WhichOneof("binding") == "name":
                    assert item == binding.name
                else:
                    constant(package, item, binding.value, reader, counted)
        for name, value in operation.attributes.items():
            constant(package, mine.attributes[name], value, reader, counted)
        for inner, block in zip(mine.blocks, operation.blocks, strict=True):
            compare_block(package, inner, block, reader, counted)


def kind(message: Any) -> ValueType:
    """Return a type as our reader says it."""
    if message.WhichOneof("type") == "stateType":
        return ValueType("state", kind(message.stateType.wrappedType).shape)
    if message.WhichOneof("type") != "tensorType":
        return ValueType(message.WhichOneof("type").removesuffix("Type"))
    tensor = message.tensorType
    shape = [d.constant.size if d.WhichOneof("dimension") == "constant" else None for d in tensor.dimensions]
    return ValueType(TYPES[tensor.dataType], tuple(shape))


def constant(package: Any, mine: Any, value: Any, reader: Any, counted: dict[str, int]) -> None:
    """Compare one constant."""
    from coremltools.converters.mil.frontend.milproto.load import _load_value

    assert mine.type == kind(value.type)
    found = package.read(mine)
    if value.WhichOneof("value") == "blobFileValue":
        counted["blobs"] += 1
        assert isinstance(mine, Blob)
        assert mine.offset == value.blobFileValue.offset
        expected = np.asarray(getattr(reader, f"read_{READERS[mine.type.dtype]}_data")(mine.offset))
        expected = expected.view(found.dtype) if mine.type.dtype in ("fp16", "bool") else expected
        assert package.size_of(mine) > 0
    else:
        counted["constants"] += 1
        assert isinstance(mine, Constant)
        expected = np.asarray(_load_value(_Context(), value))
    np.testing.assert_array_equal(found, expected.reshape(found.shape), strict=mine.type.dtype != "string")


class _Context:
    """What coremltools' loader of constants asks for."""

    weights_dir = ""


def description(package: Any, theirs: Any, counted: dict[str, int]) -> None:
    """Compare what the package says of itself."""
    functions = {item.name: item for item in theirs.functions} or {"main": theirs}
    assert set(package.functions) == set(functions)
    assert package.default_function == (theirs.defaultFunctionName or "main")
    assert package.metadata.user_defined == dict(theirs.metadata.userDefined)
    assert package.metadata.author == theirs.metadata.author
    for name, function in functions.items():
        mine = package.functions[name]
        assert mine.class_label == (function.predictedFeatureName or None)
        assert mine.class_probabilities == (function.predictedProbabilitiesName or None)
        for ours, given in (
            (mine.inputs, function.input),
            (mine.outputs, function.output),
            (mine.states, function.state),
        ):
            for item, feature in zip(ours, given, strict=True):
                counted["features"] += 1
                compare_feature(item, feature)


def compare_feature(item: Any, feature: Any) -> None:
    """Compare one input, output or state."""
    assert (item.name, item.description) == (feature.name, feature.shortDescription)
    assert item.optional == feature.type.isOptional
    which = feature.type.WhichOneof("Type")
    if which == "imageType":
        image = feature.type.imageType
        names = image.DESCRIPTOR.enum_types_by_name["ColorSpace"].values_by_number
        expected = (
            image.width,
            image.height,
            names[image.colorSpace].name.replace("GRAYSCALE_FLOAT16", "GRAY16"),
        )
        assert (item.width, item.height, item.color) == (
            *expected[:2],
            expected[2].replace("GRAYSCALE", "GRAY"),
        )
        assert item.sizes == tuple((s.height, s.width) for s in image.enumeratedSizes.sizes)
        if image.WhichOneof("SizeFlexibility") == "imageSizeRange":
            span = image.imageSizeRange
            assert item.ranges == (limits(span.heightRange), limits(span.widthRange))
    elif which in ("multiArrayType", "stateType"):
        state = which == "stateType"
        array = feature.type.stateType.arrayType if state else feature.type.multiArrayType
        assert item.kind == ("state" if state else "tensor")
        assert (item.dtype, item.shape) == (ARRAYS.get(array.dataType), tuple(array.shape))
        assert item.shapes == tuple(tuple(shape.shape) for shape in array.enumeratedShapes.shapes)
        assert item.ranges == tuple(limits(span) for span in array.shapeRange.sizeRanges)
    else:
        assert item.kind == which.removesuffix("Type")


def limits(span: Any) -> tuple[int, int | None]:
    """Return the ends of a size range."""
    return span.lowerBound, None if span.upperBound < 0 else span.upperBound


def described(package: Path, scratch: Path) -> list[Path]:
    """Write copies of a package whose descriptions hold every form of feature there is."""
    from coremltools.proto import FeatureTypes_pb2, Model_pb2

    many = Model_pb2.Model()
    many.ParseFromString((package / "Data/com.apple.CoreML/model.mlmodel").read_bytes())
    several = Model_pb2.Model()
    several.CopyFrom(many)
    image_type, array_type = FeatureTypes_pb2.ImageFeatureType, FeatureTypes_pb2.ArrayFeatureType
    for number, color in enumerate(
        (image_type.RGB, image_type.BGR, image_type.GRAYSCALE, image_type.GRAYSCALE_FLOAT16)
    ):
        feature = many.description.input.add(name=f"image {number}", shortDescription="größer")
        feature.type.imageType.width, feature.type.imageType.height = 20 + number, 10
        feature.type.imageType.colorSpace = color
        if number == 1:
            feature.type.imageType.enumeratedSizes.sizes.add(width=5, height=6)
            feature.type.imageType.enumeratedSizes.sizes.add(width=7, height=8)
        if number == 2:
            feature.type.imageType.imageSizeRange.widthRange.lowerBound = 3
            feature.type.imageType.imageSizeRange.widthRange.upperBound = -1
            feature.type.imageType.imageSizeRange.heightRange.upperBound = 9
    for number, data in enumerate(
        (array_type.FLOAT32, array_type.DOUBLE, array_type.FLOAT16, array_type.INT32)
    ):
        feature = many.description.input.add(name=f"array {number}")
        feature.type.isOptional = number == 3
        feature.type.multiArrayType.dataType = data
        feature.type.multiArrayType.shape.extend([1, 300 + number])
        if number == 1:
            feature.type.multiArrayType.enumeratedShapes.shapes.add(shape=[1, 5])
            feature.type.multiArrayType.enumeratedShapes.shapes.add(shape=[2, 300])
        if number == 2:
            feature.type.multiArrayType.shapeRange.sizeRanges.add(lowerBound=1, upperBound=4)
            feature.type.multiArrayType.shapeRange.sizeRanges.add(lowerBound=2, upperBound=-1)
    state = many.description.state.add(name="cache")
    state.type.stateType.arrayType.shape.extend([1, 4])
    state.type.stateType.arrayType.dataType = array_type.FLOAT16
    many.description.output.add(name="label").type.stringType.SetInParent()
    many.description.output.add(name="number").type.int64Type.SetInParent()
    many.description.output.add(name="share").type.doubleType.SetInParent()
    many.description.output.add(name="shares").type.dictionaryType.stringKeyType.SetInParent()
    many.description.output.add(name="row").type.sequenceType.int64Type.SetInParent()
    many.description.predictedFeatureName = "label"
    many.description.predictedProbabilitiesName = "shares"
    several.mlProgram.functions["second"].CopyFrom(several.mlProgram.functions["main"])
    for name in ("main", "second"):
        function = several.description.functions.add(name=name)
        function.input.extend(several.description.input)
        function.output.extend(several.description.output)
    several.description.defaultFunctionName = "second"
    del several.description.input[:], several.description.output[:]
    written = []
    for name, model in (("many", many), ("several", several)):
        copy = Path(shutil.copytree(package, scratch / f"{name}.mlpackage"))
        (copy / "Data/com.apple.CoreML/model.mlmodel").write_bytes(model.SerializeToString())
        written.append(copy)
    return written


def widths(scratch: Path) -> int:
    """Compare values of every width with what coremltools' writer and reader of weights do."""
    from coremltools.libmilstoragepython import _BlobStorageReader, _BlobStorageWriter

    path = scratch / "widths.bin"
    writer = _BlobStorageWriter(str(path))
    dice = np.random.default_rng(3)
    written: dict[int, tuple[str, int]] = {}
    for name in ("int4", "uint1", "uint2", "uint3", "uint4", "uint6"):
        bits = int(name[-1])
        low, high = (-8, 8) if name == "int4" else (0, 2**bits)
        for count in (1, 7, 8, 9, 85, 1000):
            values = dice.integers(low, high, count).astype(np.int8 if name == "int4" else np.uint8)
            written[getattr(writer, f"write_{name}_data")(values)] = name, count
    for name, dtype in (
        ("int16", np.int16),
        ("uint16", np.uint16),
        ("int32", np.int32),
        ("uint32", np.uint32),
    ):
        span = np.iinfo(dtype)
        values = dice.integers(span.min, span.max, 33).astype(dtype)
        written[getattr(writer, f"write_{name}_data")(values)] = name, 33
    del writer  # it writes its header when it goes
    reader = _BlobStorageReader(str(path))
    with Weights(path) as weights:
        for offset, (name, count) in written.items():
            found = weights.read(Blob(ValueType(name, (count,)), "", offset))
            expected = np.asarray(getattr(reader, f"read_{name}_data")(offset))
            np.testing.assert_array_equal(found, expected, strict=True)
    return len(written)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])))
