"""Guards: what no variant passes silently.

Each guard is one function of the evidence that returns the reasons why it fires; none means that it is
content. They stand in one table, `GUARDS`. A guard asks whether a file is *broken*, not whether it is good
enough: budgets and the pick rule (edge_sdk.pipeline.pick) ask that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.validate.facts import OutputFacts, VariantFacts

PASSED = "passed"
REJECTED = "rejected"
#: Nothing speaks against it, and nothing for it: an operator is not known here. Never a pass.
UNVERIFIED = "unverified"

#: Below this share of equal best classes (or this correlation) a variant is not the same model any more.
COLLAPSE_BELOW = 0.5
#: On made-up inputs the classes of a sound model lie close together, so the best class may well flip;
#: there the error must also be as strong as the signal.
COLLAPSE_SNR_DB = 3.0
#: A file may be this much smaller than its parameters at their bit width (folded constants, shared tensors).
SMALLEST_SHARE = 0.5

_INTEGER_IO = ("int8", "uint8", "int16")
#: Core ML has tensors of float32, float16 and int32 only: what stands for the source model's types.
CORE_ML_STAND_INS: Mapping[str, tuple[str, ...]] = {
    "int64": ("int32",),
    "int16": ("int32",),
    "int8": ("int32",),
    "uint8": ("int32",),
    "uint16": ("int32",),
    "uint32": ("int32",),
    "bool": ("int32", "float32"),
    "float64": ("float32",),
    "float32": ("float16",),
    "float16": ("float32",),
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the guards look at.

    Attributes:
        facts: What was measured.
        contract: What the source model promises.
        weight_bits: Bits that the recipe gives a weight; None where nothing is promised (as_is).
        integer_io: The recipe stores inputs and outputs as integers.
        parameters: Parameters of the float model; None where unknown.
    """

    facts: VariantFacts
    contract: Contract
    weight_bits: int | None = None
    integer_io: bool = False
    parameters: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The judgement over a variant.

    Attributes:
        verdict: `PASSED`, `REJECTED` or `UNVERIFIED`.
        reasons: Why it did not pass, one sentence each, the guard's name first.
    """

    verdict: str
    reasons: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no guard fired."""
        return self.verdict == PASSED


def judge(evidence: Evidence) -> Verdict:
    """Ask every guard."""
    reasons = tuple(f"{name}: {reason}" for name, guard in GUARDS.items() for reason in guard(evidence))
    if not reasons and evidence.facts.unverified:
        return Verdict(UNVERIFIED, evidence.facts.unverified)
    return Verdict(REJECTED if reasons else PASSED, reasons)


def _not_finite(evidence: Evidence) -> list[str]:
    reasons = []
    for output in evidence.facts.outputs:
        found = [
            f"{count:,} {what}"
            for count, what in ((output.nan_values, "NaN"), (output.infinite_values, "infinite values"))
            if count
        ]
        if found:
            same = "" if output.reference_finite else "; the source model gives such values too"
            reasons.append(f"output {output.name!r} has {' and '.join(found)}{same}")
    return reasons


def _constant_output(evidence: Evidence) -> list[str]:
    facts = evidence.facts
    if not facts.distinct_samples:
        return []
    all_constant = bool(facts.outputs) and all(output.constant for output in facts.outputs)
    reasons = []
    for output in facts.outputs:
        if not output.constant or output.nan_values:
            continue
        if not output.reference_constant:
            reasons.append(f"output {output.name!r} is the same for {facts.samples} different samples")
        elif all_constant:
            # An anchor table may be constant beside a live output; a model with only such outputs is dead.
            reasons.append(
                f"output {output.name!r} is the same for {facts.samples} different samples, and so it is "
                "in the source model"
            )
    return reasons


def _changed_interface(evidence: Evidence) -> list[str]:
    reasons = [f"output {name!r} is missing" for name in evidence.facts.missing_outputs]
    for output in evidence.facts.outputs:
        if output.shape != output.reference_shape:
            reasons.append(
                f"output {output.name!r} has shape {_sizes(output.shape)}, "
                f"the source model's has {_sizes(output.reference_shape)}"
            )
        elif output.dtype != output.reference_dtype:
            reasons.append(
                f"output {output.name!r} is {output.dtype}, the source model's is {output.reference_dtype}"
            )
    return reasons + changed_signatures(
        evidence.contract.signatures,
        evidence.facts.signatures,
        integer_io=evidence.integer_io,
        stand_ins=CORE_ML_STAND_INS if evidence.facts.minimum_ios else {},
    )


def changed_signatures(
    promised: Sequence[Signature],
    stored: Sequence[Signature],
    *,
    integer_io: bool,
    stand_ins: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[str]:
    """Return how a file's signatures break the contract, one sentence each.

    Args:
        promised: The source model's signatures.
        stored: The file's.
        integer_io: Real numbers may be stored as integers with a scale.
        stand_ins: Types that a format has in place of one that it lacks, by that type.
    """
    found = {signature.name: signature for signature in stored}
    reasons = []
    for signature in promised:
        if signature.name not in found:
            reasons.append(f"signature {signature.name!r} is missing")
        else:
            reasons += _changed_signature(signature, found[signature.name], integer_io, stand_ins)
    return reasons


def _changed_signature(
    promised: Signature, stored: Signature, integer_io: bool, stand_ins: Mapping[str, Sequence[str]]
) -> list[str]:
    reasons = []
    for kind, want, have in (
        ("input", promised.inputs, stored.inputs),
        ("output", promised.outputs, stored.outputs),
    ):
        found = {spec.name: spec for spec in have}
        for spec in want:
            where = f"signature {promised.name!r}: {kind} {spec.name!r}"
            if spec.name not in found:
                reasons.append(f"{where} is missing; the file has {_names(have)}")
            elif not _fits(spec, found[spec.name], integer_io, stand_ins):
                reasons.append(f"{where} is {found[spec.name]}, the source model's is {spec}")
        for extra in sorted(found.keys() - {spec.name for spec in want}):
            reasons.append(f"signature {promised.name!r}: {kind} {extra!r} is not in the source model")
    return reasons


def _fits(
    promised: TensorSpec, stored: TensorSpec, integer_io: bool, stand_ins: Mapping[str, Sequence[str]]
) -> bool:
    stored_as_integer = integer_io and stored.dtype in _INTEGER_IO and stored.quantization is not None
    if (
        promised.dtype != stored.dtype
        and stored.dtype not in stand_ins.get(promised.dtype, ())
        and not (promised.dtype.startswith("float") and stored_as_integer)
    ):
        return False
    if promised.shape is None or stored.shape is None:
        return True
    # A free size may be fixed (TFLite files often hold a batch of 1), a fixed size may not change.
    return len(promised.shape) == len(stored.shape) and all(
        want is None or have is None or want == have
        for want, have in zip(promised.shape, stored.shape, strict=True)
    )


def _too_small(evidence: Evidence) -> list[str]:
    if evidence.weight_bits is None or not evidence.parameters:
        return []
    smallest = int(evidence.parameters * evidence.weight_bits / 8 * SMALLEST_SHARE)
    if evidence.facts.size_bytes >= smallest:
        return []
    return [
        f"the file has {evidence.facts.size_bytes:,} bytes; {evidence.parameters:,} parameters of "
        f"{evidence.weight_bits} bits need about {int(evidence.parameters * evidence.weight_bits / 8):,}: "
        "weights are missing"
    ]


def _collapsed(evidence: Evidence) -> list[str]:
    reasons = []
    for output in evidence.facts.outputs:
        if output.agreement is None or output.agreement >= COLLAPSE_BELOW:
            continue
        if evidence.facts.data == "synthetic" and not _drowned(output):
            continue
        if output.class_like:
            found = f"the best class is the source model's in only {output.agreement:.1%} of the samples"
        else:
            found = f"agreement with the source model is only {output.agreement:.3f}"
        reasons.append(f"output {output.name!r}: {found}")
    return reasons


def _drowned(output: OutputFacts) -> bool:
    return output.snr_db is None or output.snr_db < COLLAPSE_SNR_DB


def _sizes(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _names(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(spec.name for spec in specs) or "none"


#: In the order of the report.
GUARDS: Mapping[str, Callable[[Evidence], list[str]]] = {
    "not finite": _not_finite,
    "constant output": _constant_output,
    "interface changed": _changed_interface,
    "too small": _too_small,
    "agreement collapsed": _collapsed,
}
