"""The public calls: open a package, ask what is not known of it, evaluate it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

from edge_sdk.errors import ConfigError
from edge_sdk.model.coreml.package import Feature, Package, open_package
from edge_sdk.model.coreml.program import Function
from edge_sdk.validate.coreml_reference.features import package_outputs, program_inputs, states_of
from edge_sdk.validate.coreml_reference.machine import Machine, unknown_operators
from edge_sdk.validate.coreml_reference.precision import Array, Precision


def evaluate(
    path: Path | str,
    inputs: Mapping[str, Any],
    *,
    function: str | None = None,
    precision: Precision = "program",
) -> dict[str, Any]:
    """Evaluate a `.mlpackage` once; see `ReferenceModel.evaluate`."""
    with ReferenceModel.open(path) as model:
        return model.evaluate(inputs, function=function, precision=precision)


class ReferenceModel:
    """An opened package. Keeps its constants, expanded, between calls.

    Args:
        package: The open package; closed with this.
    """

    def __init__(self, package: Package) -> None:
        self.package = package
        self._machines: dict[tuple[str, Precision], Machine] = {}

    @classmethod
    def open(cls, path: Path | str) -> ReferenceModel:
        """Open a package.

        Raises:
            ModelError: It cannot be read.
        """
        return cls(open_package(path))

    @property
    def inputs(self) -> tuple[Feature, ...]:
        """Of the default function."""
        return self.package.description(None).inputs

    @property
    def outputs(self) -> tuple[Feature, ...]:
        """Of the default function."""
        return self.package.description(None).outputs

    def unknown_operators(self, function: str | None = None) -> tuple[tuple[str, str], ...]:
        """Return (kind, name) of every operation that cannot be run, found without running.

        Empty is no promise: an operator may be known and still refuse one of its rarer forms when it runs.

        Raises:
            ConfigError: There is no such function.
        """
        return unknown_operators(self._function(function))

    def evaluate(
        self,
        inputs: Mapping[str, Any],
        *,
        function: str | None = None,
        precision: Precision = "program",
        states: MutableMapping[str, Array] | None = None,
    ) -> dict[str, Any]:
        """Run one function.

        Args:
            inputs: Arrays by name. An image is [1, H, W, C] or [H, W, C] with values 0..255, C = 3 in RGB
                order whatever order the package wants, or C = 1; whole numbers or not.
            function: Name; None for the default one.
            precision: "program" rounds every result to the type that the program declares;
                "float32" does not.
            states: Values of the states by name; zeros where missing or None. The new values are left there.

        Returns:
            By output name: arrays in the declared type; of a classifier the label and {label: probability};
            an image as [1, H, W, C], uint8, RGB order.

        Raises:
            UnknownOperatorError: An operator, or a form of one, is not known: there is no verdict.
            SignatureMismatchError: The inputs do not fit.
            ConfigError: There is no such function or precision.
            ModelError: The package is damaged.
        """
        if precision not in ("program", "float32"):
            raise ConfigError(f"precision {precision!r} is not known", hint="program or float32")
        chosen, description = self._function(function), self.package.description(function)
        machine = self._machines.get((chosen.name, precision))
        if machine is None:
            machine = self._machines[chosen.name, precision] = Machine(self.package, chosen, precision)
        kept = states_of(description, states)
        results = machine.run(program_inputs(description, inputs), kept)
        if states is not None:
            states.update(kept)
        return package_outputs(description, results)

    def _function(self, name: str | None) -> Function:
        wanted = name or self.package.default_function
        functions = self.package.program.functions
        if wanted not in functions:
            raise ConfigError(
                f"the package has no function {wanted!r}", hint=f"it has: {', '.join(sorted(functions))}"
            )
        return functions[wanted]

    def close(self) -> None:
        """Let go of the package and the expanded constants."""
        self._machines.clear()
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
