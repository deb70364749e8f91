"""Edits a model specification that coremltools wrote: names, labels, metadata.

coremltools can rename inputs and outputs and can add labels, but it drops the scores of a classifier, cannot
add labels where there is more than one output, and renames onto names that are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edge_sdk.convert.coreml.names import free_name
from edge_sdk.convert.coreml.request import METADATA_FIELDS

#: Before the names of own entries in the metadata.
METADATA_PREFIX = "edge_sdk."
#: TensorFlow's name of a function that was frozen, in front of a name of what is inside of it.
_FUNCTION = re.compile(r"^\w*_frozen_\d+(_with_idle_values)?_")


def shorten(specification: Any) -> None:
    """Take the names of TensorFlow's functions off what is inside of loops and branches.

    These names end in numbers that count what the process has traced before, and say nothing to people.

    Args:
        specification: `coremltools.proto.Model_pb2.Model` with a single function.
    """
    function = specification.mlProgram.functions["main"]
    (block,) = function.block_specializations.values()
    values = list(_declared(function, block))
    changes = _shorter(value.name for value in values)
    for value in values:
        value.name = changes.get(value.name, value.name)
    _rename_uses(block, changes)
    titles = [title for title in _titles(block) if title]
    names = _shorter(title[0] for title in titles)
    for title in titles:
        title[0] = names.get(title[0], title[0])


def rename(specification: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Give the inputs and outputs of a single-function specification other names.

    A value inside of the program that has one of the new names already gets another one.

    Args:
        specification: `coremltools.proto.Model_pb2.Model`.
        inputs: New name by old name.
        outputs: As `inputs`; a name that is in both is an input that is passed on as an output.
    """
    function = specification.mlProgram.functions["main"]
    (block,) = function.block_specializations.values()
    taken = {value.name for value in _declared(function, block)}
    wanted = {**outputs, **inputs}
    changes = {old: new for old, new in wanted.items() if old != new}
    fresh = {*wanted.values(), *taken}
    for name in sorted(taken):
        if name in changes.values() and name not in wanted:
            changes[name] = free_name(f"{name}_value", fresh)
            fresh.add(changes[name])
    for value in _declared(function, block):
        value.name = changes.get(value.name, value.name)
    _rename_uses(block, changes)
    for features, names in (
        (specification.description.input, inputs),
        (specification.description.output, outputs),
    ):
        for feature in features:
            feature.name = names.get(feature.name, feature.name)


def add_labels(
    specification: Any, *, probabilities: str, labels: tuple[str, ...], keep: bool, taken: set[str]
) -> tuple[str, str]:
    """Make a single-function specification a classifier; return the names of its label and its dictionary.

    Args:
        specification: `coremltools.proto.Model_pb2.Model`.
        probabilities: Value, and output so far, with one number a class.
        labels: By index.
        keep: Leave the probabilities an output, too.
        taken: Names of inputs and outputs of all functions.
    """
    from coremltools.proto import FeatureTypes_pb2, MIL_pb2, Model_pb2

    function = specification.mlProgram.functions["main"]
    (block,) = function.block_specializations.values()
    used = taken | {value.name for value in _declared(function, block)}
    label = free_name("classLabel", used)
    dictionary = free_name(f"{label}_probs", used)
    text = MIL_pb2.ValueType(tensorType=MIL_pb2.TensorType(dataType=MIL_pb2.STRING))
    operation = block.operations.add(type="classify")
    operation.inputs["probabilities"].arguments.add(name=probabilities)
    classes = operation.inputs["classes"].arguments.add().value
    classes.type.listType.type.CopyFrom(text)
    classes.type.listType.length.constant.size = len(labels)
    for name in labels:
        item = classes.immediateValue.list.values.add(type=text)
        item.immediateValue.tensor.strings.values.append(name)
    operation.outputs.add(name=label, type=text)
    made = operation.outputs.add(name=dictionary)
    made.type.dictionaryType.keyType.CopyFrom(text)
    made.type.dictionaryType.valueType.tensorType.dataType = MIL_pb2.FLOAT64
    own_name = operation.attributes["name"]
    own_name.type.CopyFrom(text)
    own_name.immediateValue.tensor.strings.values.append(free_name("classify", used))

    outputs = [name for name in block.outputs if keep or name != probabilities]
    del block.outputs[:]
    block.outputs.extend([label, dictionary, *outputs])
    description = specification.description
    features = [item for item in description.output if keep or item.name != probabilities]
    named = Model_pb2.FeatureDescription(name=label)
    named.type.stringType.SetInParent()
    by_class = Model_pb2.FeatureDescription(name=dictionary)
    by_class.type.dictionaryType.CopyFrom(
        FeatureTypes_pb2.DictionaryFeatureType(stringKeyType=FeatureTypes_pb2.StringFeatureType())
    )
    kept = [Model_pb2.FeatureDescription.FromString(item.SerializeToString()) for item in features]
    del description.output[:]
    description.output.extend([named, by_class, *kept])
    description.predictedFeatureName = label
    description.predictedProbabilitiesName = dictionary
    return label, dictionary


def describe(specification: Any, metadata: Mapping[str, str], descriptions: Mapping[str, str]) -> None:
    """Write metadata, and what each input and output is, for people and Xcode.

    Args:
        specification: `coremltools.proto.Model_pb2.Model`.
        metadata: author, license, version, short_description; anything else becomes an entry of its own.
        descriptions: By name of an input or output.
    """
    target = specification.description.metadata
    for name, value in sorted(metadata.items()):
        if name in METADATA_FIELDS:
            setattr(target, METADATA_FIELDS[name], value)
        else:
            target.userDefined[f"{METADATA_PREFIX}{name}"] = value
    for feature in _features(specification.description):
        if feature.name in descriptions:
            feature.shortDescription = descriptions[feature.name]


def _shorter(names: Iterable[str]) -> dict[str, str]:
    given = list(names)
    taken, changes = set(given), {}
    for name in given:
        short = _FUNCTION.sub("", name)
        if short and short != name and name not in changes:
            changes[name] = free_name(short, taken)
            taken.add(changes[name])
    return changes


def _titles(block: Any) -> Iterator[Any]:
    """Yield the field with the name of each operation."""
    for operation in block.operations:
        if "name" in operation.attributes:
            yield operation.attributes["name"].immediateValue.tensor.strings.values
        for inner in operation.blocks:
            yield from _titles(inner)


def _features(description: Any) -> Iterator[Any]:
    for holder in (description, *description.functions):
        yield from holder.input
        yield from holder.output


def _declared(function: Any, block: Any) -> Iterator[Any]:
    """Yield everything that declares a value: inputs of the function and of blocks, outputs of operations."""
    yield from function.inputs
    yield from _declared_in(block)


def _declared_in(block: Any) -> Iterator[Any]:
    yield from block.inputs
    for operation in block.operations:
        yield from operation.outputs
        for inner in operation.blocks:
            yield from _declared_in(inner)


def _rename_uses(block: Any, names: Mapping[str, str]) -> None:
    for index, name in enumerate(block.outputs):
        block.outputs[index] = names.get(name, name)
    for operation in block.operations:
        for argument in operation.inputs.values():
            for binding in argument.arguments:
                if binding.WhichOneof("binding") == "name":
                    binding.name = names.get(binding.name, binding.name)
        for inner in operation.blocks:
            _rename_uses(inner, names)
