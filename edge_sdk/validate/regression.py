"""Compares a bundle with the last release: what callers rely on, what each target gets, and how good it is.

    differences = compare_manifests(old.manifest, new.manifest)
    run_in_worker("edge_sdk.validate.regression:compare_answers",
                  {"old": path, "new": path, "old_variant": id, "new_variant": id, "runs": 60})

Only what is true on any machine is a gate: interface, metric, size. Latency is measured with both bundles in
one process, in turns, and reported.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.bundle.manifest import Manifest, Variant
from edge_sdk.contract.document import Document
from edge_sdk.contract.spec import Contract, Signature, TensorSpec
from edge_sdk.convert.worker import stage
from edge_sdk.runtime.selection import RUNNABLE

#: Where the bundle sets no budget: one point of a metric between 0 and 1.
METRIC_DROP = 0.01
AGREEMENT_DROP = 0.02
#: A tenth more bytes is a surprise on a metered link.
SIZE_GROWTH = 0.10

WORSE = "worse"
CHANGED = "changed"
SAME = "same"
BETTER = "better"


@dataclass(frozen=True, kw_only=True)
class Difference(Document):
    """One line of the comparison.

    Attributes:
        what: "output 'scores'", "raspberry-pi-5: metric top1"...
        old: As it was.
        new: As it is.
        verdict: "worse" (a gate), "changed" (look at it), "same" or "better".
        why: A sentence where it is worse.
    """

    what: str
    old: str
    new: str
    verdict: str
    why: str | None = None


def compare_manifests(old: Manifest, new: Manifest) -> tuple[Difference, ...]:
    """Return what is different between two bundles, and what matters and is the same."""
    return (*_contract(old.contract, new.contract), *_targets(old, new))


def _contract(old: Contract, new: Contract) -> list[Difference]:
    found = []
    signatures = {item.name: item for item in new.signatures}
    for before in old.signatures:
        after = signatures.get(before.name)
        if after is None:
            found.append(_worse(f"signature {before.name!r}", "there", "missing", "callers cannot call it"))
        else:
            found += _signature(before, after)
    for title, was, now in (
        ("default signature", old.default_signature, new.default_signature),
        ("labels", _listed(old.labels), _listed(new.labels)),
        ("preprocessing", _plain(old.preprocess), _plain(new.preprocess)),
        ("postprocessing", _plain(old.postprocess), _plain(new.postprocess)),
        ("detections", _plain(_boxes(old)), _plain(_boxes(new))),
    ):
        if was != now:
            found.append(Difference(what=title, old=_short(was), new=_short(now), verdict=CHANGED))
    if not found:
        found.append(
            Difference(what="contract", old="as before", new="as before", verdict=SAME),
        )
    return found


def _signature(before: Signature, after: Signature) -> list[Difference]:
    found = []
    for side in ("inputs", "outputs"):
        have = {spec.name: spec for spec in getattr(after, side)}
        known = {spec.name for spec in getattr(before, side)}
        for spec in getattr(before, side):
            other = have.get(spec.name)
            title = f"{side[:-1]} {spec.name!r}"
            if other is None:
                found.append(_worse(title, _tensor(spec), "missing", "callers rely on the name"))
            elif (spec.dtype, spec.shape) != (other.dtype, other.shape):
                found.append(_worse(title, _tensor(spec), _tensor(other), "callers rely on dtype and shape"))
        for name, spec in have.items():
            if name in known:
                continue
            title = f"{side[:-1]} {name!r}"
            if side == "inputs":
                found.append(_worse(title, "none", _tensor(spec), "callers do not give it"))
            else:
                found.append(Difference(what=title, old="none", new=_tensor(spec), verdict=CHANGED))
    return found


def _targets(old: Manifest, new: Manifest) -> list[Difference]:
    found = []
    for name, plan in sorted(old.targets.items()):
        after = new.targets.get(name)
        if not plan.variants:
            continue
        if after is None or not after.variants:
            found.append(_worse(f"target {name}", plan.variants[0], "none", "its boards get nothing"))
            continue
        found += _picks(name, old, old.variant(plan.variants[0]), new, new.variant(after.variants[0]))
    for name, plan in sorted(new.targets.items()):
        if plan.variants and (name not in old.targets or not old.targets[name].variants):
            found.append(Difference(what=f"target {name}", old="none", new=plan.variants[0], verdict=CHANGED))
    return found


def runnable_picks(old: Manifest, new: Manifest) -> tuple[str, str] | None:
    """Return both bundles' picks for the first target they share of which a runner can run both.

    Returns:
        The old one's and the new one's variant id; None where there is no such target: Core ML packages are
        not run here.
    """
    for name, before in old.targets.items():
        after = new.targets.get(name)
        if after is None or not before.variants or not after.variants:
            continue
        picks = before.variants[0], after.variants[0]
        if old.variant(picks[0]).format == new.variant(picks[1]).format == RUNNABLE:
            return picks
    return None


def _picks(target: str, old: Manifest, before: Variant, new: Manifest, after: Variant) -> list[Difference]:
    found = [
        Difference(
            what=f"{target}: pick",
            old=before.id,
            new=after.id,
            verdict=SAME if before.id == after.id else CHANGED,
        )
    ]
    sizes = old.model_size(before.id), new.model_size(after.id)
    growth = sizes[1] / sizes[0] - 1
    verdict = WORSE if growth > SIZE_GROWTH else BETTER if growth < 0 else SAME if growth == 0 else CHANGED
    found.append(
        Difference(
            what=f"{target}: size",
            old=f"{sizes[0]:,}",
            new=f"{sizes[1]:,} ({growth:+.1%})",
            verdict=verdict,
            why=f"{growth:+.1%}, at most {SIZE_GROWTH:+.0%}" if verdict == WORSE else None,
        )
    )
    found += _metric(target, before.measurements, after.measurements, new.budgets)
    limit = AGREEMENT_DROP
    was, now = before.measurements.get("agreement"), after.measurements.get("agreement")
    if was is not None and now is not None:
        found.append(_number(f"{target}: agreement", was, now, was - now, limit))
    return found


def _metric(
    target: str, before: Mapping[str, Any], after: Mapping[str, Any], budgets: Mapping[str, float]
) -> list[Difference]:
    was, now = before.get("metric"), after.get("metric")
    name = before.get("metric_name")
    if was is None or name is None:
        return []
    title = f"{target}: metric {name}"
    if now is None or after.get("metric_name") != name:
        other = "not measured" if now is None else f"{after.get('metric_name')} {now:g}"
        return [_worse(title, f"{was:g}", other, "the same metric is not there to compare with")]
    higher = after.get("metric_higher_is_better") is not False
    drop = was - now if higher else now - was
    return [_number(title, was, now, drop, budgets.get("max_metric_drop", METRIC_DROP))]


def _number(title: str, was: float, now: float, drop: float, limit: float) -> Difference:
    if drop > limit:
        why = f"{drop:.4g} worse, at most {limit:g}"
        return Difference(what=title, old=f"{was:g}", new=f"{now:g}", verdict=WORSE, why=why)
    verdict = SAME if drop == 0 else BETTER if drop < 0 else CHANGED
    return Difference(what=title, old=f"{was:g}", new=f"{now:g}", verdict=verdict)


def compare_answers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run two bundles on the old one's golden inputs, in turns. Runs in a worker.

    Args:
        arguments: old, new (paths of bundles), old_variant, new_variant (ids), runs (timed calls each).

    Returns:
        {"cases": int, "max_abs_difference": {output: float or None}, "old_ms", "new_ms"}: medians of the
        calls; a difference is None where an output has another shape.

    Raises:
        EdgeError: A bundle cannot be run.
    """
    import numpy as np

    from edge_sdk.runtime.runner import Runner

    stage("compare", "running both on the golden inputs")
    with (
        Runner.open(arguments["old"], variant=arguments["old_variant"]) as old,
        Runner.open(arguments["new"], variant=arguments["new_variant"]) as new,
    ):
        vectors, _ = old.golden_vectors()
        feeds = [
            {name: values[index] for name, values in vectors.inputs.items()} for index in range(len(vectors))
        ]
        worst: dict[str, float | None] = {}
        for feed in feeds:
            before, after = old.predict(feed), new.predict(feed)
            for name in before:
                found = None
                if name in after and before[name].shape == after[name].shape:
                    found = float(np.max(np.abs(before[name].astype(float) - after[name].astype(float))))
                known = worst.get(name, 0.0)
                worst[name] = None if found is None or known is None else max(found, known)
        times: dict[str, list[float]] = {"old": [], "new": []}
        for _ in range(int(arguments["runs"])):
            for side, runner in (("old", old), ("new", new)):
                start = time.perf_counter()
                runner.predict(feeds[0])
                times[side].append((time.perf_counter() - start) * 1e3)
    return {
        "cases": len(feeds),
        "max_abs_difference": worst,
        "old_ms": float(np.median(times["old"])),
        "new_ms": float(np.median(times["new"])),
    }


def _worse(what: str, old: str, new: str, why: str) -> Difference:
    return Difference(what=what, old=old, new=new, verdict=WORSE, why=why)


def _tensor(spec: TensorSpec) -> str:
    shape = "?" if spec.shape is None else ",".join("?" if size is None else str(size) for size in spec.shape)
    return f"{spec.dtype}[{shape}]"


def _listed(labels: tuple[str, ...]) -> str:
    return f"{len(labels)}: " + ", ".join(labels) if labels else "none"


def _boxes(contract: Contract) -> Mapping[str, Document]:
    return {} if contract.detections is None else {"boxes": contract.detections}


def _plain(steps: Mapping[str, Document]) -> str:
    return "; ".join(f"{name}: {step.to_dict()}" for name, step in sorted(steps.items())) or "none"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
