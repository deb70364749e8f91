"""What a conversion to Core ML is asked for, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.contract.spec import Contract, Signature
from edge_sdk.errors import ConfigError, ModelError
from edge_sdk.targets import DEPLOYMENT_TARGETS

PRECISIONS = ("float16", "float32")
#: First system with packages of several functions.
MULTIFUNCTION_TARGET = "iOS18"
#: What goes into the fields that Core ML's metadata has; everything else becomes an entry of its own.
METADATA_FIELDS = {
    "author": "author",
    "license": "license",
    "version": "versionString",
    "short_description": "shortDescription",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """The arguments of `convert`; `edge_sdk.convert.coreml.conversion` describes each."""

    kind: str
    model: str
    output: Path
    deployment_target: str
    precision: str
    contract: Contract | None = None
    images: bool = True
    classifier: bool = True
    shapes: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    float32_io: bool = True

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Request:
        """Read the worker's arguments.

        Raises:
            ConfigError: A value that cannot be used.
            ModelError: A source that Core ML's converter cannot read.
        """
        if arguments["kind"] == "tflite":
            raise ModelError(
                f"{Path(arguments['model']).name} cannot become a Core ML package",
                why="coremltools reads TensorFlow graphs; a .tflite file holds operators that the TFLite "
                "converter has fused, reordered or quantized already, and no tool turns them back",
                hint="build from what the .tflite was made from: a SavedModel, .keras or .h5",
            )
        _one_of("deployment_target", arguments["deployment_target"], DEPLOYMENT_TARGETS)
        precision = arguments.get("precision") or "float16"
        _one_of("precision", precision, PRECISIONS)
        metadata = dict(arguments.get("metadata") or {})
        descriptions = metadata.pop("descriptions", None) or {}
        contract = arguments.get("contract")
        return cls(
            kind=arguments["kind"],
            model=str(arguments["model"]),
            output=Path(arguments["output"]),
            deployment_target=arguments["deployment_target"],
            precision=precision,
            contract=None if contract is None else Contract.from_dict(contract),
            images=bool(arguments.get("images", True)),
            classifier=bool(arguments.get("classifier", True)),
            shapes={
                name: tuple(tuple(int(size) for size in shape) for shape in shapes)
                for name, shapes in (arguments.get("shapes") or {}).items()
            },
            signatures=tuple(arguments.get("signatures") or ()),
            metadata={name: str(value) for name, value in metadata.items() if value is not None},
            descriptions={str(name): str(text) for name, text in descriptions.items()},
            float32_io=bool(arguments.get("cast_io_to_float32", True)),
        )

    def choose(self, signatures: tuple[Signature, ...], default: str) -> tuple[Signature, ...]:
        """Return the signatures to convert, the default one first.

        Args:
            signatures: Of the source.
            default: The source's default one.

        Raises:
            ConfigError: A name that the source does not have, or several for a system that takes one.
        """
        by_name = {signature.name: signature for signature in signatures}
        names = list(dict.fromkeys(self.signatures or (default,)))
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise ConfigError(
                f"no signature called {unknown[0]!r}", why="the model has: " + ", ".join(sorted(by_name))
            )
        if len(names) > 1 and not self.reaches(MULTIFUNCTION_TARGET):
            raise ConfigError(
                f"{len(names)} signatures do not fit into a package for {self.deployment_target}: "
                + ", ".join(names),
                why="packages of several functions load from iOS18 on",
                hint=f'set deployment_target = "{MULTIFUNCTION_TARGET}", or name one signature',
            )
        names.sort(key=lambda name: name != default)  # stable: the others stay as they were asked for
        inputs = {spec.name for name in names for spec in by_name[name].inputs}
        strangers = [name for name in self.shapes if name not in inputs]
        if strangers:
            raise ConfigError(
                f"shapes are given for {strangers[0]!r}, which is no input",
                why="inputs: " + ", ".join(sorted(inputs)),
            )
        return tuple(by_name[name] for name in names)

    def reaches(self, target: str) -> bool:
        """Tell whether the package is for a system at least as new as `target`."""
        return DEPLOYMENT_TARGETS.index(self.deployment_target) >= DEPLOYMENT_TARGETS.index(target)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}", why="allowed: " + ", ".join(allowed))
