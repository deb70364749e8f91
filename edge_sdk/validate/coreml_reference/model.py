"""The public side: a package is opened, inputs are checked and laid out, outputs get names and types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.errors import ModelError, SignatureMismatchError
from edge_sdk.model.coreml.package import Feature, FunctionDescription, Package, open_package
from edge_sdk.model.coreml.program import ELEMENT_TYPES, Function, NamedType
from edge_sdk.validate.coreml_reference.machine import Machine, is_known
from edge_sdk.validate.coreml_reference.precision import Precision

Array = NDArray[Any]


def evaluate(
    path: Path | str,
    inputs: Mapping[str, Any],
    *,
    function: str | None = None,
    precision: Precision = "program",
) -> dict[str, Any]:
    """Run a package once, operator by operator, as its program says.

    Args:
        path: The `.mlpackage`.
        inputs: By input name. A multi-array takes an array of its shape. An image takes [height, width,
            channels] or [1, height, width, channels] of 1 or 3 channels in RGB order, values 0..255, uint8
            or float, whatever the order in which the package wants them.
        function: Of a package with several; the default one where None.
        precision: "program" rounds to float16 after every operator that the program computes so; "float32"
            keeps all real numbers in float32.

    Returns:
        By output name: arrays; of a classifier the label, and a dictionary of probabilities.

    Raises:
        ModelError: The package is damaged, or cannot be computed.
        UnknownOperatorError: An operator is not known: there is no answer, rather than a wrong one.
        SignatureMismatchError: The inputs do not fit.
    """
    with ReferenceModel.open(path) as model:
        return model.evaluate(inputs, function=function, precision=precision)


class ReferenceModel:
    """An open package with its expanded constants, for many calls.

    Args:
        package: Open; closed with this.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self._machine = Machine(package)

    @classmethod
    def open(cls, path: Path | str) -> ReferenceModel:
        """Open a package.

        Raises:
            ModelError: It is damaged.
        """
        return cls(open_package(path))

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """Inputs of the default function."""
        return self._description(None).inputs

    @property
    def outputs(self) -> tuple[Feature, ...]:
        """Outputs of the default function."""
        return self._description(None).outputs

    def unknown_operators(self, function: str | None = None) -> tuple[tuple[str, str], ...]:
        """Return (kind, name) of every operation that the evaluator does not know, without running."""
        return tuple(
            (operation.kind, operation.name)
            for operation in self._function(function).block.walk()
            if not is_known(operation)
        )

    def evaluate(
        self,
        inputs: Mapping[str, Any],
        *,
        function: str | None = None,
        precision: Precision = "program",
        state: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Run a function once; see `edge_sdk.validate.coreml_reference.evaluate`.

        Args:
            inputs: By input name.
            function: Its name; the default one where None.
            precision: Whether float16 is emulated.
            state: Values of the model's states by name, read and written; empty ones where None.

        Raises:
            ModelError: As `evaluate`.
        """
        body, description = self._function(function), self._description(function)
        given = self._inputs(inputs, body, description)
        found = self._machine.run(body, given, precision, {} if state is None else state)
        declared = {item.name: item for item in description.outputs}
        return {name: _returned(value, declared.get(name)) for name, value in found.items()}

    def _function(self, name: str | None) -> Function:
        chosen = self.package.default_function if name is None else name
        functions = self.package.program.functions
        if chosen not in functions:
            raise ModelError(
                f"{self.package.path.name} has no function {chosen!r}",
                why="functions: " + ", ".join(functions),
            )
        return functions[chosen]

    def _description(self, name: str | None) -> FunctionDescription:
        chosen = self.package.default_function if name is None else name
        return self.package.functions[chosen]

    def _inputs(
        self, inputs: Mapping[str, Any], body: Function, description: FunctionDescription
    ) -> dict[str, Array]:
        types = {item.name: item for item in body.inputs if item.type.dtype != "state"}
        rows = [(name, _wanted(item), "nothing") for name, item in types.items() if name not in inputs]
        rows += [
            (name, "no such input", _shown(value)) for name, value in inputs.items() if name not in types
        ]
        features = {feature.name: feature for feature in description.inputs}
        given = {}
        for name, item in types.items():
            if name not in inputs:
                continue
            feature = features.get(name)
            array = np.asarray(inputs[name])
            if feature is not None and feature.kind == "image":
                array = _as_image(array, feature)
            if not _fits(array, item, feature):
                rows.append((name, _wanted(item), _shown(inputs[name])))
                continue
            given[name] = _as_declared(array, item)
        if rows:
            raise SignatureMismatchError(rows)
        return given

    def close(self) -> None:
        """Let go of the package."""
        self.package.close()

    def __enter__(self) -> ReferenceModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _as_image(array: Array, feature: Feature) -> Array:
    """Return [1, channels, height, width] in the order that the program sees."""
    picture = array[None] if array.ndim == 3 else array
    if picture.ndim != 4:
        return array
    if feature.color == "BGR":
        picture = picture[..., ::-1]
    return np.moveaxis(picture, -1, 1)


def _fits(array: Array, item: NamedType, feature: Feature | None) -> bool:
    shape = item.type.shape
    if len(shape) != array.ndim or array.dtype.kind not in "iufb":
        return False
    if feature is not None and (array.shape in feature.shapes or array.shape[-2:] in feature.sizes):
        return True
    return all(want is None or want == have for want, have in zip(shape, array.shape, strict=True))


def _as_declared(array: Array, item: NamedType) -> Array:
    wanted: Any = ELEMENT_TYPES[item.type.dtype]
    return array.astype(wanted, copy=False)


def _returned(value: Any, feature: Feature | None) -> Any:
    if not isinstance(value, np.ndarray) or feature is None or feature.dtype is None:
        return value
    return value.astype(ELEMENT_TYPES[feature.dtype], copy=False)


def _wanted(item: NamedType) -> str:
    return f"{item.type.dtype}[{','.join('?' if size is None else str(size) for size in item.type.shape)}]"


def _shown(value: Any) -> str:
    array = np.asarray(value)
    return f"{array.dtype.name}[{','.join(map(str, array.shape))}]"
