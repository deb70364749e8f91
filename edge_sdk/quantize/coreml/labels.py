"""Takes a classifier's labels off a package while it is compressed, and puts them back.

coremltools 9 writes a classifier only where `classify` is the last operation. Its passes may put another one
behind it, the cast of a second output for example, and then it fails ("Unknown map from SSA type list").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Labels:
    """What was taken off.

    Attributes:
        operation: The `classify` operation.
        outputs: Of the block, as they were.
        description: Of the model, as it was.
    """

    operation: Any
    outputs: tuple[str, ...]
    description: Any


def take_labels(specification: Any) -> Labels | None:
    """Make a classifier a plain model whose output is the scores; None where it is no classifier.

    Args:
        specification: `coremltools.proto.Model_pb2.Model` with one function; changed in place.
    """
    block = _block(specification)
    found = [index for index, item in enumerate(block.operations) if item.type == "classify"]
    if not found:
        return None
    operation = type(block.operations[0]).FromString(block.operations[found[0]].SerializeToString())
    description = type(specification.description).FromString(specification.description.SerializeToString())
    labels = Labels(operation, tuple(block.outputs), description)
    del block.operations[found[0]]
    made = {output.name for output in operation.outputs}
    scores = operation.inputs["probabilities"].arguments[0].name
    outputs = [name for name in block.outputs if name not in made]
    features = [item for item in description.output if item.name not in made]
    del specification.description.output[:]
    specification.description.output.extend(features)
    if scores not in outputs:
        outputs.append(scores)
        feature = specification.description.output.add(name=scores)
        feature.type.multiArrayType.dataType = 65568  # FLOAT32: `classify` takes nothing else
    del block.outputs[:]
    block.outputs.extend(outputs)
    specification.description.predictedFeatureName = ""
    specification.description.predictedProbabilitiesName = ""
    return labels


def put_labels(specification: Any, labels: Labels) -> None:
    """Make the model the classifier that it was.

    Args:
        specification: As coremltools wrote it; changed in place.
        labels: Of `take_labels`.
    """
    block = _block(specification)
    block.operations.add().CopyFrom(labels.operation)
    del block.outputs[:]
    block.outputs.extend(labels.outputs)
    for field in ("input", "output"):
        del getattr(specification.description, field)[:]
        getattr(specification.description, field).extend(getattr(labels.description, field))
    for name in ("predictedFeatureName", "predictedProbabilitiesName"):
        setattr(specification.description, name, getattr(labels.description, name))


def _block(specification: Any) -> Any:
    (function,) = specification.mlProgram.functions.values()
    (block,) = function.block_specializations.values()
    return block
