"""Writes small packages with coremltools and what its own readers find in them: run as a process of its own.

python -m tests.model.coreml.make_package FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Write dense.mlpackage, palette.mlpackage, int4.mlpackage, and FORM.npz and FORM.json beside each."""
    import coremltools as ct
    import numpy as np
    from coremltools.converters.mil import Builder as mb  # noqa: N813 (as everybody calls it)
    from coremltools.optimize import coreml as cto

    generator = np.random.default_rng(7)
    weight = generator.normal(size=(16, 8, 3, 3)).astype(np.float32)
    matrix = generator.normal(size=(32, 1024)).astype(np.float32)

    @mb.program(input_specs=[mb.TensorSpec((1, 8, 8, 8))], opset_version=ct.target.iOS18)
    def program(image):  # type: ignore[no-untyped-def]
        x = mb.conv(x=image, weight=weight, pad_type="same", name="first")
        x = mb.relu(x=x, name="rectified")
        x = mb.reshape(x=x, shape=[1, 1024], name="flat")
        return mb.linear(x=x, weight=matrix, name="scores")

    dense = ct.convert(program, minimum_deployment_target=ct.target.iOS18)
    dense.author, dense.short_description = "Nobody", "Two layers"
    dense.user_defined_metadata["colour"] = "grün"
    palette = cto.OpPalettizerConfig(mode="kmeans", nbits=4, weight_threshold=100)
    int4 = cto.OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int4", granularity="per_block", block_size=8, weight_threshold=100
    )
    models = {
        "dense": dense,
        "palette": cto.palettize_weights(dense, cto.OptimizationConfig(global_config=palette)),
        "int4": cto.linear_quantize_weights(dense, cto.OptimizationConfig(global_config=int4)),
    }
    for name, model in models.items():
        path = folder / f"{name}.mlpackage"
        model.save(str(path))
        _describe(path, folder / name)


def _describe(package: Path, beside: Path) -> None:
    """Write down what the protobuf classes and the blob reader of coremltools read."""
    import coremltools as ct
    import numpy as np
    from coremltools.libmilstoragepython import _BlobStorageReader as Reader

    spec = ct.utils.load_spec(str(package))
    function = spec.mlProgram.functions["main"]
    block = function.block_specializations[function.opset]
    weights = package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    reader = Reader(str(weights))
    kinds = {10: "fp16", 11: "fp32", 21: "int8", 25: "int4", 31: "uint8", 35: "uint4"}
    calls = {"fp16": "read_fp16_data", "fp32": "read_float_data", "int8": "read_int8_data"}
    calls |= {"int4": "read_int4_data", "uint8": "read_uint8_data", "uint4": "read_uint4_data"}
    blobs, operations = {}, []
    for operation in block.operations:
        arguments = {
            name: [binding.name for binding in argument.arguments if binding.name]
            for name, argument in operation.inputs.items()
        }
        outputs = [item.name for item in operation.outputs]
        operations.append([operation.type, arguments, outputs])
        values = list(operation.attributes.values())
        values += [b.value for argument in operation.inputs.values() for b in argument.arguments]
        for value in values:
            if value.WhichOneof("value") == "blobFileValue":
                tensor, offset = value.type.tensorType, value.blobFileValue.offset
                shape = [dimension.constant.size for dimension in tensor.dimensions]
                found = getattr(reader, calls[kinds[tensor.dataType]])(offset)
                array = np.asarray(found)
                if kinds[tensor.dataType] == "fp16":
                    array = array.view(np.float16)
                blobs[str(offset)] = array.reshape(shape)
    np.savez(beside.with_suffix(".npz"), **blobs)
    facts = {"version": spec.specificationVersion, "opset": function.opset, "operations": operations}
    beside.with_suffix(".json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
