"""The real Core ML, where there is one: on macOS its answers stand beside those of the reference.

    if available():
        comparison = compare_with_reference(path, samples, compute_units="all")

`DeviceModel` answers like `ReferenceModel`, so that whatever takes one takes the other. Only `load_on_mac`
touches coremltools, which takes seconds to import; call all of this in a worker.
"""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from edge_sdk.contract.document import Document
from edge_sdk.errors import ConfigError, MissingExtraError, ModelError, SignatureMismatchError
from edge_sdk.model.coreml.package import Feature, FunctionDescription, Package, open_package
from edge_sdk.validate.coreml_placement import COMPUTE_UNITS
from edge_sdk.validate.metrics.outputs import rounded, rounded_number, snr_db

#: Loads a function of a package and returns what answers: (path, compute units, function or None).
Load = Callable[[Path, str, str | None], Callable[[dict[str, Any]], Mapping[str, Any]]]

_UNITS = {
    "all": "ALL",
    "cpu_and_gpu": "CPU_AND_GPU",
    "cpu_and_neural_engine": "CPU_AND_NE",
    "cpu_only": "CPU_ONLY",
}
_DTYPES: Mapping[str, Any] = {
    "fp16": np.float16,
    "fp32": np.float32,
    "fp64": np.float64,
    "int32": np.int32,
    "int8": np.int8,
}


@dataclass(frozen=True, kw_only=True)
class OutputDifference(Document):
    """How far Core ML is from the reference evaluator in one output, over all samples.

    Attributes:
        output: Its name.
        max_abs_error: The largest difference of any value; None for text, and where a value is not finite.
        snr_db: Power of the reference over that of the difference, in decibels; None likewise.
        equal: Share of samples that are equal bit for bit, 0 to 1.
    """

    output: str
    max_abs_error: float | None
    snr_db: float | None
    equal: float


@dataclass(frozen=True, kw_only=True)
class DeviceComparison(Document):
    """Core ML on this Mac beside the reference evaluator.

    Attributes:
        compute_units: That Core ML was allowed.
        function: Of the package.
        samples: How many were compared.
        outputs: One entry an output, in the package's order.
    """

    compute_units: str
    function: str
    samples: int
    outputs: tuple[OutputDifference, ...]


def available() -> bool:
    """Return whether Core ML can run here: macOS, with a coremltools that holds its native part."""
    if platform.system() != "Darwin":
        return False
    found = importlib.util.find_spec("coremltools")
    folders = found.submodule_search_locations if found is not None else None
    return any(any(Path(folder).glob("libcoremlpython*")) for folder in folders or ())


def load_on_mac(
    path: Path, compute_units: str, function: str | None
) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """Load a package into Core ML and return what answers.

    Raises:
        ConfigError: This is no Mac.
        MissingExtraError: coremltools, or its native part, is not there.
        ModelError: Core ML does not load it.
    """
    if not available():
        if platform.system() == "Darwin":
            raise MissingExtraError("coremltools", extra="coreml", purpose="run Core ML packages")
        raise ConfigError(
            "Core ML runs on macOS only",
            why=f"this system is {platform.system()}",
            hint="the reference evaluator checks packages on any system; it is used by default",
        )
    import coremltools

    units = getattr(coremltools.ComputeUnit, _UNITS[compute_units])
    chosen = {} if function is None else {"function_name": function}
    try:
        model = coremltools.models.MLModel(str(path), compute_units=units, **chosen)
    except (RuntimeError, ValueError, OSError) as failure:
        raise _refused(path, "load", failure) from failure

    def predict(inputs: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return dict(model.predict(inputs))
        except (RuntimeError, ValueError, TypeError) as failure:
            raise _refused(path, "run", failure) from failure

    return predict


def predict_on_mac(
    path: Path | str,
    inputs: Mapping[str, Any],
    compute_units: str = "all",
    function: str | None = None,
) -> dict[str, Any]:
    """Run a package once in Core ML; see `DeviceModel.evaluate`."""
    with DeviceModel.open(path, compute_units=compute_units) as model:
        return model.evaluate(inputs, function=function)


class DeviceModel:
    """A package in Core ML. Each function is loaded once, when it is first asked.

    Args:
        package: The open package; closed with this.
        compute_units: One of `COMPUTE_UNITS`.
        load: What loads it; tests put a fake here.

    Raises:
        ConfigError: There are no such compute units.
    """

    def __init__(self, package: Package, *, compute_units: str = "all", load: Load = load_on_mac) -> None:
        if compute_units not in COMPUTE_UNITS:
            raise ConfigError(
                f"{compute_units!r} are no compute units of Core ML",
                hint=f"one of {', '.join(COMPUTE_UNITS)}",
            )
        self.package = package
        self.compute_units = compute_units
        self._load = load
        self._loaded: dict[str, Callable[[dict[str, Any]], Mapping[str, Any]]] = {}

    @classmethod
    def open(cls, path: Path | str, *, compute_units: str = "all", load: Load = load_on_mac) -> DeviceModel:
        """Open a package.

        Raises:
            ModelError: It cannot be read.
            ConfigError: There are no such compute units.
        """
        package = open_package(path)
        try:
            return cls(package, compute_units=compute_units, load=load)
        except ConfigError:
            package.close()
            raise

    def evaluate(
        self,
        inputs: Mapping[str, Any],
        *,
        function: str | None = None,
        precision: Literal["program"] = "program",
    ) -> dict[str, Any]:
        """Run one function.

        Args:
            inputs: As `ReferenceModel.evaluate` takes them: arrays by name, an image as [1, H, W, C] or
                [H, W, C] with whole values 0..255, C = 3 in RGB order or C = 1.
            function: Name; None for the default one.
            precision: Core ML computes as the program says; there is no other choice.

        Returns:
            By output name: arrays in the declared type; of a classifier the label and {label: probability};
            an image as [1, H, W, C], uint8, RGB order.

        Raises:
            SignatureMismatchError: The inputs do not fit.
            ConfigError: There is no such function, or this is no Mac.
            ModelError: Core ML does not load or run it.
        """
        if precision != "program":
            raise ConfigError("Core ML computes in the precision that the program says")
        name = function or self.package.default_function
        description = self.package.description(name)
        _check_names(description, inputs)
        given = {
            feature.name: _given(feature, inputs[feature.name])
            for feature in description.inputs
            if feature.name in inputs
        }
        if name not in self._loaded:
            # A package with one function knows no name for it.
            chosen = name if len(self.package.functions) > 1 else None
            self._loaded[name] = self._load(self.package.path, self.compute_units, chosen)
        found = self._loaded[name](given)
        return {feature.name: _answered(feature, found, self.package.path) for feature in description.outputs}

    def close(self) -> None:
        """Let go of the package and what Core ML holds of it."""
        self._loaded.clear()
        self.package.close()

    def __enter__(self) -> DeviceModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def compare_with_reference(
    path: Path | str,
    samples: Sequence[Mapping[str, Any]],
    *,
    compute_units: str = "all",
    function: str | None = None,
    load: Load = load_on_mac,
) -> DeviceComparison:
    """Run the same samples in Core ML and in the reference evaluator.

    Args:
        path: The `.mlpackage`.
        samples: Inputs of one call each, as `DeviceModel.evaluate` takes them; at least one.
        compute_units: One of `COMPUTE_UNITS`.
        function: Name; None for the default one.
        load: What loads it; tests put a fake here.

    Raises:
        ConfigError: No samples, no such function or compute units, or this is no Mac.
        SignatureMismatchError: The inputs do not fit.
        UnknownOperatorError: The reference evaluator does not know an operator.
        ModelError: The package cannot be read, or Core ML does not run it.
    """
    from edge_sdk.validate.coreml_reference import ReferenceModel

    if not samples:
        raise ConfigError("there are no samples to compare")
    with (
        DeviceModel.open(path, compute_units=compute_units, load=load) as device,
        ReferenceModel.open(path) as reference,
    ):
        name = function or device.package.default_function
        real = [device.evaluate(sample, function=name) for sample in samples]
        expected = [reference.evaluate(sample, function=name) for sample in samples]
        outputs = device.package.functions[name].outputs
    return DeviceComparison(
        compute_units=compute_units,
        function=name,
        samples=len(samples),
        outputs=tuple(
            _difference(
                feature.name, [item[feature.name] for item in expected], [item[feature.name] for item in real]
            )
            for feature in outputs
        ),
    )


def _difference(name: str, expected: Sequence[Any], real: Sequence[Any]) -> OutputDifference:
    if not all(
        isinstance(item, dict) or np.asarray(item).dtype.kind in "fiub" for item in (*expected, *real)
    ):
        equal = [str(one) == str(other) for one, other in zip(expected, real, strict=True)]
        return OutputDifference(
            output=name, max_abs_error=None, snr_db=None, equal=rounded_number(float(np.mean(equal)))
        )
    pairs = [_numbers(one, other, name) for one, other in zip(expected, real, strict=True)]
    equal = [bool(np.array_equal(one, other)) for one, other in pairs]
    reference = np.concatenate([one for one, _ in pairs])
    given = np.concatenate([other for _, other in pairs])
    finite = bool(reference.size) and bool(np.isfinite(reference).all() and np.isfinite(given).all())
    return OutputDifference(
        output=name,
        max_abs_error=rounded(float(np.abs(reference - given).max())) if finite else None,
        snr_db=rounded(snr_db(reference, given)) if finite else None,
        equal=rounded_number(float(np.mean(equal))),
    )


def _numbers(expected: Any, real: Any, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return two answers as flat float64 arrays; of a classifier the probabilities by label."""
    if isinstance(expected, dict) and isinstance(real, dict):
        if set(expected) != set(real):
            raise ModelError(f"output {name!r} has other labels in Core ML than in the package")
        return (
            np.array([expected[label] for label in expected], np.float64),
            np.array([real[label] for label in expected], np.float64),
        )
    one, other = np.asarray(expected), np.asarray(real)
    if one.shape != other.shape:
        raise ModelError(
            f"output {name!r} has shape {list(other.shape)} in Core ML and {list(one.shape)} in the reference"
        )
    return one.astype(np.float64).ravel(), other.astype(np.float64).ravel()


def _check_names(description: FunctionDescription, inputs: Mapping[str, Any]) -> None:
    rows = [
        (item.name, item.kind, "nothing")
        for item in description.inputs
        if item.name not in inputs and not item.optional
    ]
    known = {item.name for item in description.inputs}
    rows += [(name, "no such input", "a value") for name in sorted(set(inputs) - known)]
    if rows:
        raise SignatureMismatchError(rows, subject="Core ML")


def _given(feature: Feature, value: Any) -> Any:
    """Return an input as coremltools takes it: an array of the declared type, or a picture."""
    if feature.kind != "image":
        return np.asarray(value, _DTYPES.get(feature.dtype or "")) if feature.kind == "tensor" else value
    from PIL import Image

    pixels = np.asarray(value)
    pixels = pixels[0] if pixels.ndim == 4 and pixels.shape[0] == 1 else pixels
    gray = (feature.color or "").startswith("GRAY")
    if pixels.ndim != 3 or pixels.shape[2] != (1 if gray else 3):
        raise SignatureMismatchError(
            [(feature.name, f"[1, height, width, {1 if gray else 3}]", str(list(np.shape(value))))],
            subject="Core ML",
        )
    if feature.color == "GRAY16":
        return Image.fromarray(np.ascontiguousarray(pixels[..., 0], np.float32))
    whole = np.rint(pixels)
    if not np.array_equal(whole, pixels) or whole.min(initial=0) < 0 or whole.max(initial=0) > 255:
        raise SignatureMismatchError(
            [(feature.name, "whole values 0 to 255", f"{pixels.min():g} to {pixels.max():g}")],
            subject="Core ML",
            hint="Core ML takes pictures: give pixels before any preprocessing",
        )
    plain = np.ascontiguousarray(whole.astype(np.uint8))
    # Whatever order the program wants, coremltools takes RGB and turns it.
    return Image.fromarray(plain[..., 0] if gray else plain)


def _answered(feature: Feature, found: Mapping[str, Any], path: Path) -> Any:
    if feature.name not in found:
        raise ModelError(f"Core ML did not answer output {feature.name!r} of {path.name}")
    value = found[feature.name]
    if feature.kind == "image":
        pixels = np.asarray(value.convert("L" if feature.color == "GRAY" else "RGB"), np.uint8)
        return pixels.reshape(1, *pixels.shape[:2], -1)
    if feature.kind == "tensor":
        # Core ML gives float32 for outputs that a package declares as float16.
        return np.asarray(value).astype(_DTYPES.get(feature.dtype or "", np.asarray(value).dtype), copy=False)
    return value


def _refused(path: Path, what: str, failure: Exception) -> ModelError:
    return ModelError(
        f"Core ML does not {what} {path.name}",
        why=str(failure).strip()[:500] or type(failure).__name__,
        hint="try compute units cpu_only, or build for an older deployment target",
    )
