"""Decides whether a package gets the contract's labels, so that Vision and Xcode's preview name classes."""

from __future__ import annotations

from dataclasses import dataclass

from edge_sdk.contract.spec import Contract, Signature, TensorSpec


@dataclass(frozen=True)
class Classifier:
    """Labels for one output.

    Attributes:
        output: The source's output with one number a class. It stays an output of the package.
        labels: By index.
        activation: "softmax" or "sigmoid" where the probabilities are not the output itself, else None.
    """

    output: str
    labels: tuple[str, ...]
    activation: str | None


def choose_classifier(
    signature: Signature, contract: Contract | None
) -> tuple[Classifier | None, str | None]:
    """Return the labels' output, or why there is none although the contract has labels.

    Args:
        signature: To convert.
        contract: With labels and postprocessing, or None.
    """
    if contract is None or not contract.labels or signature.name != contract.default_signature:
        return None, None
    ranked = [
        spec
        for spec in signature.outputs
        if spec.name in contract.postprocess and contract.postprocess[spec.name].top_k is not None
    ]
    candidates = ranked or list(signature.outputs)
    if len(candidates) != 1:
        names = ", ".join(spec.name for spec in candidates)
        return None, f"the labels are left out: more than one output could be the scores ({names})"
    (output,) = candidates
    reason = _why_not(output, contract.labels)
    if reason is not None:
        return None, f"the labels are left out: {reason}"
    postprocess = contract.postprocess.get(output.name)
    activation = None if postprocess is None or postprocess.activation == "none" else postprocess.activation
    return Classifier(output.name, contract.labels, activation), None


def _why_not(output: TensorSpec, labels: tuple[str, ...]) -> str | None:
    if output.dtype not in ("float32", "float16", "float64"):
        return f"output {output.name!r} is {output.dtype}, not a number a class"
    shape = output.shape or ()
    classes = shape[-1] if shape else None
    if classes != len(labels) or any(size not in (None, 1) for size in shape[:-1]):
        return f"there are {len(labels)} labels and output {output.name!r} is {output}"
    if len(set(labels)) != len(labels):
        double = next(label for label in labels if labels.count(label) > 1)
        return f"label {double!r} is there more than once, and Core ML names classes by their label"
    return None
