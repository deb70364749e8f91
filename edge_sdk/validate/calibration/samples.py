"""Checks that need the samples alone. Each takes the evidence and returns what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from edge_sdk.validate.calibration.evidence import Evidence, SampleSet
from edge_sdk.validate.calibration.report import ERROR, NOTE, WARNING, Finding
from edge_sdk.validate.calibration.statistics import (
    Texture,
    fingerprints,
    finite_samples,
    picture_batch,
    short,
    texture_of,
)

#: Below this many different samples ranges are a matter of luck; below the second number, a little.
FEW, RATHER_FEW = 10, 32
#: This share of repeated samples wastes the set.
MANY_DUPLICATES = 0.2
#: One sample that reaches this many times further than the others usually do sets every range.
FAR_OUT = 8.0
#: A sequence of fewer values may well be the same all over.
_SMALL = 16


def not_finite(samples: SampleSet) -> list[Finding]:
    """Find NaN and infinity, in the samples as they came."""
    findings = []
    for name, values in samples.inputs.items():
        bad = np.flatnonzero(~finite_samples(values))
        if len(bad):
            findings.append(not_finite_finding(name, len(bad), len(values), int(bad[0])))
    return findings


def not_finite_finding(name: str, count: int, total: int, first: int) -> Finding:
    """Return the finding that `count` of `total` samples of an input hold NaN or infinity."""
    return Finding(
        code="CALIBRATION-NOT-FINITE",
        level=ERROR,
        what=f"NaN or infinity in {count} of {total} samples of {name!r}, first in sample {first}",
        numbers={"samples": count, "of": total, "first": first},
        hint="find where they come from (a division by 0, a missing value) and leave them out",
        input=name,
    )


def amount(evidence: Evidence) -> list[Finding]:
    """Find too few and repeated samples."""
    counts = Counter(fingerprints(evidence.calibration.inputs))
    total, different = evidence.calibration.count, len(counts)
    findings = []
    if different == 1 and total > 1:
        return [
            Finding(
                code="CALIBRATION-REPEATED",
                level=ERROR,
                what=f"all {total} samples are one and the same",
                numbers={"samples": total, "distinct": 1},
                hint="a generator that yields the same array again and again is the usual cause; "
                "give a few hundred different, typical inputs",
            )
        ]
    if different < FEW:
        findings.append(
            Finding(
                code="CALIBRATION-FEW",
                level=WARNING,
                what=f"only {different} different {'sample' if different == 1 else 'samples'}: the ranges "
                "depend on which ones they happen to be",
                numbers={"samples": total, "distinct": different},
                hint=f"a few hundred typical inputs are a good number; {FEW} is the least",
            )
        )
    elif different < RATHER_FEW:
        findings.append(
            Finding(
                code="CALIBRATION-FEW",
                level=NOTE,
                what=f"{different} different samples; a few hundred would give steadier ranges",
                numbers={"samples": total, "distinct": different},
                hint="add typical inputs where there are more",
            )
        )
    repeated = 1.0 - different / total if total else 0.0
    if repeated >= MANY_DUPLICATES:
        findings.append(
            Finding(
                code="CALIBRATION-DUPLICATES",
                level=WARNING,
                what=f"{total - different} of {total} samples repeat others",
                numbers={
                    "samples": total,
                    "distinct": different,
                    "share": short(repeated),
                    "most_often": max(counts.values()),
                },
                hint="leave the repeated ones out, and add different ones",
            )
        )
    return findings


def variation(evidence: Evidence) -> list[Finding]:
    """Find inputs that never change, and samples that are one flat value each."""
    findings = []
    inputs = evidence.calibration.inputs
    still = {name for name, values in inputs.items() if _ptp(values) == 0.0 and values.size > len(values[:1])}
    flat = {name for name in inputs if name not in still and _is_flat(inputs[name])}
    for name in inputs:
        if name not in still and name not in flat:
            continue
        values = inputs[name]
        # A mask of ones or a fixed step beside a live input is natural; then nothing else is to be seen.
        dead = len(still | flat) == len(inputs)
        what = (
            f"every value of {name!r} is {short(values.reshape(-1)[0]) + 0.0:g}"
            if name in still
            else f"every sample of {name!r} is one flat value"
        )
        findings.append(
            Finding(
                code="CALIBRATION-CONSTANT",
                level=ERROR if dead else WARNING,
                what=what,
                numbers={
                    "minimum": short(values.min()),
                    "maximum": short(values.max()),
                    "samples": len(values),
                },
                hint="calibrate on real inputs: ranges measured on a constant cut off everything else",
                input=name,
            )
        )
    return findings


def noise(evidence: Evidence) -> list[Finding]:
    """Find samples that are random numbers."""
    findings = []
    for name, values in evidence.calibration.inputs.items():
        if values.dtype.kind != "f":
            continue
        texture = _texture(evidence, evidence.calibration.inputs, name)
        if texture is None or not texture.is_noise:
            continue
        meant = None if evidence.evaluation is None else _texture(evidence, evidence.evaluation.inputs, name)
        as_pictures = picture_batch(values, name, evidence.contract) is not None
        if not as_pictures and (meant is None or meant.neighbours < 0.3):
            # Features of a table, or an embedding, have no neighbours: independent values are their nature.
            continue
        same = meant is not None and meant.is_noise
        numbers = {
            "neighbour_correlation": texture.neighbours,
            "sample_spread": texture.sample_spread,
            "position_spread": texture.position_spread,
        }
        if meant is not None:
            numbers["evaluation_neighbour_correlation"] = meant.neighbours
        findings.append(
            Finding(
                code="CALIBRATION-NOISE",
                level=WARNING if same else ERROR,
                what=f"{name!r} is noise: neighbouring values do not correlate ({texture.neighbours:.2f}), "
                "and no sample or position differs from another more than by chance"
                + ("; so is the evaluation data" if same else ""),
                numbers=numbers,
                hint="random numbers drive layers elsewhere than real inputs do; calibrate on real inputs",
                input=name,
            )
        )
    return findings


def outliers(evidence: Evidence) -> list[Finding]:
    """Find single samples that reach far beyond all others and so set the ranges alone."""
    findings = []
    for name, values in evidence.calibration.inputs.items():
        if values.dtype.kind != "f" or len(values) < FEW:
            continue
        reach = np.abs(values.reshape(len(values), -1)).max(axis=1)
        usual = float(np.percentile(reach, 90))
        far = np.flatnonzero(reach > FAR_OUT * usual) if usual > 0 else np.zeros(0, int)
        if 0 < len(far) <= max(1, len(values) // 20):
            findings.append(
                Finding(
                    code="CALIBRATION-OUTLIER",
                    level=WARNING,
                    what=f"{len(far)} of {len(values)} samples of {name!r} reach "
                    f"{reach[far].max() / usual:.0f} times as far as the others do, first sample {far[0]}",
                    numbers={
                        "samples": len(far),
                        "first": int(far[0]),
                        "largest": short(reach[far].max()),
                        "usual": short(usual),
                    },
                    hint="8 bits are spread over the widest value: leave the sample out unless it is typical",
                    input=name,
                )
            )
    return findings


def classes(evidence: Evidence) -> list[Finding]:
    """Find sets whose labels are all one class, or miss most classes of the evaluation data."""
    labels = evidence.calibration.classes()
    if labels is None or len(labels) < 2:
        return []
    found = Counter(labels.tolist())
    meant = None if evidence.evaluation is None else evidence.evaluation.classes()
    wanted = None if meant is None else set(meant.tolist())
    if len(found) == 1:
        only = int(labels[0])
        if wanted == {only}:
            return []
        name = evidence.contract.labels[only] if 0 <= only < len(evidence.contract.labels) else str(only)
        return [
            Finding(
                code="CALIBRATION-ONE-CLASS",
                level=WARNING,
                what=f"all {len(labels)} samples have the label {name}",
                numbers={"classes": 1, "samples": len(labels), "label": only},
                hint="take samples from every class; a set sorted by class and cut off is the usual cause",
            )
        ]
    if wanted and len(wanted & set(found)) < len(wanted) / 2 and len(labels) >= len(wanted):
        missing = sorted(wanted - set(found))
        return [
            Finding(
                code="CALIBRATION-CLASSES-MISSING",
                level=WARNING,
                what=f"{len(missing)} of the {len(wanted)} classes in the evaluation data have no sample",
                numbers={"classes": len(wanted), "missing": len(missing), "first_missing": int(missing[0])},
                hint="take samples from every class",
            )
        ]
    return []


def order(evidence: Evidence) -> list[Finding]:
    """Find sets that are sorted."""
    labels = evidence.calibration.classes()
    count = evidence.calibration.count
    if labels is not None and len(set(labels.tolist())) > 1 and count >= FEW and np.all(np.diff(labels) >= 0):
        return [
            Finding(
                code="CALIBRATION-ORDER",
                level=NOTE,
                what="the samples are sorted by label",
                numbers={"samples": count, "classes": len(set(labels.tolist()))},
                hint="ranges measured here do not depend on the order, and limits take samples evenly; "
                "a tool that reads the first hundred only would see few classes: shuffle the set",
            )
        ]
    for name, values in evidence.calibration.inputs.items():
        if values.dtype.kind != "f" or len(values) < RATHER_FEW:
            continue
        means = values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)
        if means.std() > 1e-3 * values.std(dtype=np.float64) and np.all(np.diff(means) >= 0):
            drift = float(np.corrcoef(means, np.arange(len(means)))[0, 1])
            return [
                Finding(
                    code="CALIBRATION-ORDER",
                    level=NOTE,
                    what=f"the samples are sorted by the mean of {name!r}",
                    numbers={"samples": count, "correlation_with_place": short(drift)},
                    hint="ranges measured here do not depend on the order; shuffle the set for other tools",
                    input=name,
                )
            ]
    return []


def overlap(evidence: Evidence) -> list[Finding]:
    """Find calibration samples that are evaluation samples too."""
    if evidence.evaluation is None:
        return []
    known = set(fingerprints(evidence.evaluation.inputs))
    shared = sum(item in known for item in fingerprints(evidence.calibration.inputs))
    if shared < max(2, evidence.calibration.count // 20):
        return []
    return [
        Finding(
            code="CALIBRATION-OVERLAP",
            level=NOTE,
            what=f"{shared} of {evidence.calibration.count} samples are in the evaluation data too",
            numbers={"shared": shared, "samples": evidence.calibration.count},
            hint="calibrated variants may look a little better than they are; use separate samples",
        )
    ]


def _texture(evidence: Evidence, inputs: Mapping[str, np.ndarray], name: str) -> Texture | None:
    values = inputs.get(name)
    if values is None or len(values) < 1 or values[0].size < _SMALL:
        return None
    pictures = picture_batch(values, name, evidence.contract)
    return texture_of(values if pictures is None else pictures, pictures=pictures is not None)


def _ptp(values: np.ndarray) -> float:
    return float(values.max()) - float(values.min()) if values.size and values.dtype.kind in "fiub" else 1.0


def _is_flat(values: np.ndarray) -> bool:
    if values.dtype.kind != "f" or values[0].size < _SMALL:
        return False
    rows = values.reshape(len(values), -1)
    return bool(np.all(rows.max(axis=1) == rows.min(axis=1)))
