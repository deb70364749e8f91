"""What a Core ML model says about itself: inputs, outputs, functions, metadata (Model.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_sdk.model.flatbuffer import DamagedError
from edge_sdk.model.protobuf_wire import Message

#: ArrayDataType of FeatureTypes.proto.
_ARRAY_TYPES = {65568: "fp32", 65600: "fp64", 65552: "fp16", 131104: "int32", 131080: "int8"}
#: ColorSpace of FeatureTypes.proto.
_COLORS = {10: "GRAY", 20: "RGB", 30: "BGR", 40: "GRAY16"}
_PLAIN = {1: "int64", 2: "double", 3: "string", 6: "dictionary", 7: "sequence"}


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One input, output or state.

    Attributes:
        name: Of the feature.
        kind: "tensor", "image", "state", "int64", "double", "string", "dictionary" or "sequence".
        dtype: Of a tensor or state: "fp32", "fp16", "fp64", "int32" or "int8"; else None.
        shape: Of a tensor or state, the default one; () where it says none.
        shapes: The shapes that it may have, where they are enumerated.
        ranges: (lowest, highest) size of each dimension, highest None for no limit, where it says so.
        width: Of an image, in pixels.
        height: Of an image, in pixels.
        color: Of an image: "RGB", "BGR", "GRAY" or "GRAY16"; else None.
        sizes: (height, width) that an image may have, where they are enumerated.
        optional: It may be left out.
        description: For people.
    """

    name: str
    kind: str
    dtype: str | None = None
    shape: tuple[int, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    ranges: tuple[tuple[int, int | None], ...] = ()
    width: int | None = None
    height: int | None = None
    color: str | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    optional: bool = False
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class FunctionDescription:
    """What one function takes and gives.

    Attributes:
        inputs: In order.
        outputs: In order.
        states: In order.
        class_label: Output with the best label, of a classifier; else None.
        class_probabilities: Output with {label: probability}, of a classifier; else None.
    """

    inputs: tuple[Feature, ...]
    outputs: tuple[Feature, ...]
    states: tuple[Feature, ...] = ()
    class_label: str | None = None
    class_probabilities: str | None = None


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a model says to people.

    Attributes:
        short_description: One line.
        version: Of the model.
        author: Who made it.
        license: Under which it is given.
        user_defined: Everything else, by key.
    """

    short_description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    user_defined: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """The whole description.

    Attributes:
        functions: By name.
        default_function: The one that runs where none is named.
        metadata: For people.
    """

    functions: Mapping[str, FunctionDescription]
    default_function: str
    metadata: Metadata


def parse_description(message: Message) -> ModelDescription:
    """Read a ModelDescription.

    Raises:
        DamagedError: It is none.
    """
    several = {item.text(1): _function(item, (2, 3, 6, 4, 5)) for item in message.messages(20)}
    functions = several or {"main": _function(message, (1, 10, 13, 11, 12))}
    default = message.text(21) or ("main" if "main" in functions else next(iter(functions)))
    if default not in functions:
        raise DamagedError(f"the default function {default!r} is not described")
    given = message.message(100)
    return ModelDescription(
        functions=functions,
        default_function=default,
        metadata=Metadata(
            short_description=given.text(1),
            version=given.text(2),
            author=given.text(3),
            license=given.text(4),
            user_defined={entry.text(1): entry.text(2) for entry in given.messages(100)},
        ),
    )


def _function(message: Message, numbers: tuple[int, int, int, int, int]) -> FunctionDescription:
    inputs, outputs, states, label, probabilities = numbers
    return FunctionDescription(
        inputs=tuple(_feature(item) for item in message.messages(inputs)),
        outputs=tuple(_feature(item) for item in message.messages(outputs)),
        states=tuple(_feature(item) for item in message.messages(states)),
        class_label=message.text(label) or None,
        class_probabilities=message.text(probabilities) or None,
    )


def _feature(message: Message) -> Feature:
    kind = message.message(3)
    common = {"name": message.text(1), "description": message.text(2), "optional": bool(kind.number(1000))}
    if kind.has(5):
        return _tensor(kind.message(5), "tensor", common)
    if kind.has(8):
        return _tensor(kind.message(8).message(1), "state", common)
    if kind.has(4):
        return _image(kind.message(4), common)
    for number, name in _PLAIN.items():
        if kind.has(number):
            return Feature(kind=name, **common)  # type: ignore[arg-type]
    raise DamagedError(f"feature {message.text(1)!r} has no type")


def _tensor(message: Message, kind: str, common: Mapping[str, object]) -> Feature:
    return Feature(
        kind=kind,
        dtype=_ARRAY_TYPES.get(message.number(2)),
        shape=tuple(message.numbers(1)),
        shapes=tuple(tuple(item.numbers(1)) for item in message.message(21).messages(1)),
        ranges=tuple(_range(item) for item in message.message(31).messages(1)),
        **common,  # type: ignore[arg-type]
    )


def _image(message: Message, common: Mapping[str, object]) -> Feature:
    return Feature(
        kind="image",
        width=message.number(1),
        height=message.number(2),
        color=_COLORS.get(message.number(3)),
        sizes=tuple((item.number(2), item.number(1)) for item in message.message(21).messages(1)),
        ranges=tuple(_range(message.message(31).message(number)) for number in (2, 1))
        if message.has(31)
        else (),
        **common,  # type: ignore[arg-type]
    )


def _range(message: Message) -> tuple[int, int | None]:
    highest = message.number(2)
    return message.number(1), None if highest < 0 else highest
