"""A `.mlpackage` under test: the reference evaluator answers in place of Core ML, on any system but macOS.

There Core ML itself answers, and the reference is its second opinion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_sdk.bundle.manifest import CoreMLFacts, CoreMLImage
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.validate.candidate import Array, Description
from edge_sdk.validate.coreml_device import DeviceModel, available, compare_with_reference

if TYPE_CHECKING:
    from edge_sdk.model.coreml.package import Feature, FunctionDescription
    from edge_sdk.validate.coreml_reference import ReferenceModel

_DTYPES = {"fp32": "float32", "fp16": "float16", "fp64": "float64", "int32": "int32", "int8": "int8"}
#: A pixel that is this close to a whole number is one: preprocessing in float32 leaves a little.
_WHOLE = 0.02


def describe(model: Path, contract: Contract, coreml: CoreMLFacts | None) -> Description:
    """Read what the package tells; see `CandidateFormat`."""
    from edge_sdk.model.coreml.package import open_package
    from edge_sdk.validate.coreml_reference import ReferenceModel

    names = Names.of(contract, coreml)
    with open_package(model) as package:
        signatures = tuple(
            _signature(signature, package.functions[names.functions[signature.name]], names)
            for signature in contract.signatures
            if names.functions.get(signature.name) in package.functions
        )
        parameters, minimum, size = package.parameters, package.minimum_deployment, package.size_bytes
    with ReferenceModel.open(model) as reference:
        # Where Core ML itself answers, it does not matter what the reference knows.
        unknown = (
            []
            if available()
            else [
                f"op {kind} at {name!r} is not known to the reference evaluator"
                for function in dict.fromkeys(names.functions.values())
                for kind, name in reference.unknown_operators(function)
            ]
        )
    return Description(
        signatures=signatures,
        size_bytes=size,
        parameters=parameters,
        minimum_ios=minimum,
        unverified=tuple(dict.fromkeys(unknown)),
    )


def open_candidate(
    model: Path,
    contract: Contract,
    coreml: CoreMLFacts | None,
    *,
    recipe: str,
    custom_ops: Sequence[str],
    threads: int | None,
) -> CoreMLCandidate:
    """Open it in the reference evaluator; see `CandidateFormat`."""
    from edge_sdk.validate.coreml_reference import ReferenceModel

    opened = DeviceModel.open(model) if available() else ReferenceModel.open(model)
    return CoreMLCandidate(opened, contract, Names.of(contract, coreml))


def cross_check(
    model: Path, contract: Contract, coreml: CoreMLFacts | None, feeds: Sequence[Mapping[str, Array]]
) -> Mapping[str, Any] | None:
    """Compare Core ML with the reference evaluator, where there is Core ML; see `CandidateFormat`."""
    if not available():
        return None
    from edge_sdk.validate.coreml_reference import ReferenceModel, UnknownOperatorError

    names = Names.of(contract, coreml)
    with ReferenceModel.open(model) as reference:
        candidate = CoreMLCandidate(reference, contract, names)
        samples = [candidate.inside(feed) for feed in feeds]
    try:
        found = compare_with_reference(model, samples, function=names.functions[contract.default_signature])
    except UnknownOperatorError as failure:
        return {"unknown": failure.what}
    return found.to_dict()


@dataclass(frozen=True)
class Names:
    """What the package calls the contract's functions, inputs and outputs, and what it takes as images."""

    functions: Mapping[str, str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    images: Mapping[str, CoreMLImage]

    @classmethod
    def of(cls, contract: Contract, coreml: CoreMLFacts | None) -> Names:
        """Return those of a conversion; a package of others has the contract's own."""
        if coreml is None:
            return cls({contract.default_signature: "main"}, {}, {}, {})
        return cls(coreml.functions, coreml.input_names, coreml.output_names, coreml.images)


class CoreMLCandidate:
    """Answers by the contract's names and in its types.

    Args:
        model: The opened package; closed with this.
        contract: Of the source model.
        names: Of the package.
    """

    def __init__(self, model: ReferenceModel | DeviceModel, contract: Contract, names: Names) -> None:
        self._model = model
        self._contract = contract
        self._names = names

    def predict(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one call of the default signature.

        Args:
            feed: By input name, as the TensorFlow model takes it.
        """
        signature, names = self._contract.signature, self._names
        found = self._model.evaluate(self.inside(feed), function=names.functions[signature.name])
        return {
            spec.name: np.asarray(found[names.outputs.get(spec.name, spec.name)]).astype(
                spec.dtype, copy=False
            )
            for spec in signature.outputs
        }

    def inside(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Return a call by the package's names, with pictures as pixels."""
        names = self._names
        function = names.functions[self._contract.default_signature]
        taken = {feature.name for feature in self._model.package.functions[function].inputs}
        return {
            names.inputs.get(name, name): self._given(name, values)
            for name, values in feed.items()
            if names.inputs.get(name, name) in taken  # coremltools drops inputs that nothing depends on
        }

    def _given(self, name: str, values: Array) -> Array:
        image = self._names.images.get(name)
        if image is None:
            return values.reshape(1) if values.ndim == 0 else values  # Core ML has no scalars
        preprocess = self._contract.preprocess[name].image
        return pixels_of(values, image, channels_first=preprocess is not None and preprocess.layout == "nchw")

    def __enter__(self) -> CoreMLCandidate:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._model.__exit__(kind, error, trace)


def pixels_of(values: Array, image: CoreMLImage, *, channels_first: bool) -> Array:
    """Return the picture whose preprocessing gave a tensor, as the evaluator takes it.

    Core ML computes pixel * scale + bias by itself, so a tensor goes back to pixels first.

    Args:
        values: float [1, H, W, C], or [1, C, H, W] with `channels_first`.
        image: As the package takes it.
        channels_first: Layout of the tensor.

    Returns:
        [1, H, W, C] in RGB order: uint8 where every value stands for a whole pixel, else float32.
    """
    channels_last = np.moveaxis(values, 1, -1) if channels_first else values
    pixels = (channels_last.astype(np.float64) - np.asarray(image.bias)) / image.scale
    if image.color == "BGR":
        pixels = pixels[..., ::-1]
    whole = np.rint(pixels)
    if (
        np.abs(pixels - whole).max(initial=0) <= _WHOLE
        and whole.min(initial=0) >= 0
        and whole.max(initial=0) <= 255
    ):
        return np.asarray(whole, np.uint8)
    return np.asarray(pixels, np.float32)


def _signature(signature: Signature, function: FunctionDescription, names: Names) -> Signature:
    """Return a signature as the package has it, by the contract's names."""
    inputs = {feature.name: feature for feature in function.inputs}
    outputs = {feature.name: feature for feature in function.outputs}
    return Signature(
        name=signature.name,
        inputs=tuple(
            _spec(spec, inputs.get(names.inputs.get(spec.name, spec.name))) for spec in signature.inputs
        ),
        outputs=tuple(
            _spec(spec, feature)
            for spec in signature.outputs
            if (feature := outputs.get(names.outputs.get(spec.name, spec.name)))
        ),
    )


def _spec(promised: TensorSpec, feature: Feature | None) -> TensorSpec:
    if feature is None or feature.kind != "tensor" or promised.shape == ():
        # An image holds what the contract's tensor holds, a shape of [1] what a scalar holds. An input that
        # nothing depends on is not there.
        return promised
    return TensorSpec(
        name=promised.name,
        dtype=_DTYPES.get(feature.dtype or "", str(feature.dtype)),
        shape=feature.shape or promised.shape,
    )
