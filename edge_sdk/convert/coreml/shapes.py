"""Settles every input's shape before the conversion: Core ML plans memory and compute units for fixed shapes.

A free batch becomes 1. Any other free size has to be named, because coremltools would silently take a range
of 1 to 2 for it. Several shapes for one input become enumerated shapes: Core ML prepares for each of them,
which ranges do not allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.convert.coreml.request import Request
from edge_sdk.errors import ConfigError

#: Apple's limit for one input.
MOST_SHAPES = 128
#: First system that takes enumerated shapes at more than one input.
SEVERAL_TARGET = "iOS18"
#: More dimensions than this no Core ML tensor has.
MOST_DIMENSIONS = 5


@dataclass(frozen=True)
class Shapes:
    """The shapes that one input takes.

    Attributes:
        all: At least one; the first one is the default.
        scalar: The source's input has no dimension; Core ML has no such input, so the package takes one of
            shape (1,).
    """

    all: tuple[tuple[int, ...], ...]
    scalar: bool = False

    @property
    def default(self) -> tuple[int, ...]:
        """The shape where none is chosen."""
        return self.all[0]

    @property
    def traced(self) -> tuple[int | None, ...]:
        """What TensorFlow sees: None where the shapes differ."""
        return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*self.all, strict=True))


def settle_shapes(signature: Signature, request: Request) -> dict[str, Shapes]:
    """Return the shapes of every input by name.

    Raises:
        ConfigError: A size is free and nobody named it, or the shapes that were given do not fit.
    """
    settled = {
        spec.name: _settle(spec, request.shapes.get(spec.name), _picture(spec, signature, request.contract))
        for spec in signature.inputs
    }
    several = [name for name, shapes in settled.items() if len(shapes.all) > 1]
    if len(several) > 1:
        counts = {name: len(settled[name].all) for name in several}
        if not request.reaches(SEVERAL_TARGET):
            raise ConfigError(
                f"{len(several)} inputs have several shapes: {', '.join(several)}",
                why=f"below {SEVERAL_TARGET} Core ML takes enumerated shapes at one input only",
                hint=f'set deployment_target = "{SEVERAL_TARGET}", or give the other inputs one shape',
            )
        if len(set(counts.values())) > 1:
            raise ConfigError(
                "the inputs with several shapes have different numbers of them",
                why=", ".join(f"{name}: {count}" for name, count in counts.items()),
                hint="shape n of one input goes with shape n of the others: give as many to each",
            )
    return settled


def _settle(
    spec: TensorSpec, given: tuple[tuple[int, ...], ...] | None, picture: Mapping[int, int]
) -> Shapes:
    if given:
        return _check(spec, tuple(dict.fromkeys(given)))
    if spec.shape is None:
        raise ConfigError(
            f"input {spec.name!r} has no rank in the model",
            why="Core ML needs the shape of every input",
            hint=f"name it under [coreml.shapes]: {_key(spec.name)} = [[1, ...]]",
        )
    sizes = [
        size if size is not None else picture.get(axis, 1 if axis == 0 else None)
        for axis, size in enumerate(spec.shape)
    ]
    if None in sizes:
        shown = ", ".join("?" if size is None else str(size) for size in sizes)
        raise ConfigError(
            f"input {spec.name!r} has a free size: [{shown}]",
            why="Core ML needs it: left open, it would become a range of 1 to 2",
            hint=f"name the shape, or several, under [coreml.shapes]: "
            f"{_key(spec.name)} = [[{shown.replace('?', '128')}]]",
        )
    if not sizes:
        return Shapes(((1,),), scalar=True)
    return _check(spec, (tuple(size for size in sizes if size is not None),))


def _check(spec: TensorSpec, shapes: tuple[tuple[int, ...], ...]) -> Shapes:
    for shape in shapes:
        fits = spec.shape is None or (
            len(shape) == len(spec.shape)
            and all(wanted in (None, size) for wanted, size in zip(spec.shape, shape, strict=True))
        )
        if not fits or min(shape, default=1) < 1:
            raise ConfigError(
                f"shape {list(shape)} does not fit input {spec.name!r}", why=f"the model takes {spec}"
            )
    if len({len(shape) for shape in shapes}) > 1:
        raise ConfigError(f"the shapes of input {spec.name!r} have different numbers of dimensions")
    if len(shapes[0]) > MOST_DIMENSIONS:
        raise ConfigError(
            f"input {spec.name!r} has {len(shapes[0])} dimensions",
            why=f"Core ML tensors have at most {MOST_DIMENSIONS}",
            hint="reshape it inside of the model",
        )
    if len(shapes) > MOST_SHAPES:
        raise ConfigError(
            f"input {spec.name!r} has {len(shapes)} shapes", why=f"Core ML takes at most {MOST_SHAPES}"
        )
    return Shapes(shapes)


def _picture(spec: TensorSpec, signature: Signature, contract: Contract | None) -> dict[int, int]:
    """Return the sizes that the contract's preprocessing settles, by axis."""
    if contract is None or signature.name != contract.default_signature or len(spec.shape or ()) != 4:
        return {}
    preprocess = contract.preprocess.get(spec.name)
    if preprocess is None or preprocess.image is None:
        return {}
    image = preprocess.image
    rows = 1 if image.layout == "nhwc" else 2
    channels = 3 if image.layout == "nhwc" else 1
    return {
        0: 1,
        rows: image.height,
        rows + 1: image.width,
        channels: 1 if image.color == "gray" else 3,
    }


def _key(name: str) -> str:
    """Return a name as TOML takes it as a key."""
    plain = name.replace("_", "").replace("-", "")
    return name if plain.isalnum() and plain.isascii() else f'"{name}"'
