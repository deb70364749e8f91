"""Runs a variant and finds the facts. `evaluate` and `measure` run in worker processes.

Both go through the same `Runner` as a board, on a one-variant bundle with the source model's contract: what
is validated here is what will be asked there, integer inputs and outputs included.

    run_in_worker("edge_sdk.validate.compare:evaluate", {
        "model": path of the .tflite or .mlpackage, "recipe": name, "integer_io": bool,
        "coreml": CoreMLFacts.to_dict() of a Core ML package, else None or left out,
        "contract": Contract.to_dict(), "data": "evaluation" | "calibration" | "synthetic",
        "samples": .npz of inputs (first axis = samples), "labels": .npy or None,
        "metric": {"name": str | None, "outputs": {role: output}, "options": {...}} or left out,
        "reference": .npz of outputs (first axis = samples), "golden": .npz to write,
        "tolerance": share of the largest output (edge_sdk.validate.tolerance), "custom_ops": [path, ...]})

gives `VariantFacts.to_dict()`. `measure` takes model, recipe, contract, samples, custom_ops, threads, runs
and seconds, and gives latency and memory. `answer` runs a source .tflite and writes its outputs as the
reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_sdk.bundle.manifest import CoreMLFacts
from edge_sdk.contract.spec import Contract
from edge_sdk.convert.worker import stage
from edge_sdk.errors import ModelError
from edge_sdk.quantize.samples import iterate_feeds
from edge_sdk.validate import metrics
from edge_sdk.validate.candidate import format_of
from edge_sdk.validate.coreml_reference.errors import UnknownOperatorError
from edge_sdk.validate.facts import OutputFacts, VariantFacts
from edge_sdk.validate.guards import CORE_ML_STAND_INS, changed_signatures
from edge_sdk.validate.tflite_candidate import open_candidate

#: Golden vectors travel to every board: a few cases, and not many megabytes of them.
GOLDEN_CASES = 3
GOLDEN_BYTES = 8 * 2**20
#: Samples that are run in a second way, where there is one.
CROSS_CHECKED = 8

Array = NDArray[Any]


def evaluate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Compare one variant with the reference and record its golden vectors; see the module's text.

    Raises:
        EdgeError: The variant cannot be loaded or run.
        ConfigError: The metric or its labels do not fit, or the user's metric fails.
    """
    model = Path(arguments["model"])
    contract = Contract.from_dict(arguments["contract"])
    file = format_of(model).describe(model, contract, _coreml(arguments))
    samples, reference = _arrays(arguments["samples"]), _arrays(arguments["reference"])
    described: dict[str, Any] = {
        "data": str(arguments["data"]),
        "distinct_samples": _differ(samples),
        **{field.name: getattr(file, field.name) for field in dataclasses.fields(file)},
    }
    changed = changed_signatures(
        contract.signatures,
        file.signatures,
        integer_io=bool(arguments["integer_io"]),
        stand_ins=CORE_ML_STAND_INS if file.minimum_ios else {},
    )
    if changed or file.unverified:
        # Nothing can be asked of it by the contract's names, or nobody here can answer; the guards say what.
        return VariantFacts(samples=0, outputs=(), **described).to_dict()
    try:
        answers = _answers(model, contract, samples, arguments)
    except UnknownOperatorError as failure:
        # Known by name, but not in this form: as little of a verdict as an unknown name.
        why = f"{failure.what}: {failure.why}" if failure.why else failure.what
        return VariantFacts(samples=0, outputs=(), **{**described, "unverified": (why,)}).to_dict()
    stage("compare", "comparing with the source model")
    outputs, missing = _compare(reference, answers)
    some = {name: values[:CROSS_CHECKED] for name, values in samples.items()}
    crossed = format_of(model).cross_check(
        model, contract, _coreml(arguments), list(iterate_feeds(contract.signature, some))
    )
    golden = _record(contract, samples, answers, arguments)
    return VariantFacts(
        samples=len(next(iter(samples.values()))),
        outputs=outputs,
        missing_outputs=missing,
        cross_check=crossed,
        **_metric(contract, reference, answers, arguments),
        **golden,
        **described,
    ).to_dict()


def measure(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Measure latency and memory of one variant on this machine, on a real sample.

    Returns:
        `BenchResult.to_dict()`.

    Raises:
        EdgeError: The variant cannot be loaded or run.
    """
    from edge_sdk.runtime.bench import bench

    contract = Contract.from_dict(arguments["contract"])
    stage("measure", "measuring latency and memory")
    with open_candidate(
        Path(arguments["model"]),
        contract,
        None,
        recipe=str(arguments["recipe"]),
        custom_ops=arguments.get("custom_ops") or (),
        threads=arguments.get("threads"),
    ) as runner:
        samples = {name: values[:1] for name, values in _arrays(arguments["samples"]).items()}
        inputs = next(iter(iterate_feeds(contract.signature, samples)))
        found = bench(runner, inputs=inputs, runs=int(arguments["runs"]), seconds=arguments.get("seconds"))
    return found.to_dict()


def answer(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Write what a source `.tflite` answers to the samples: the reference of a model without TensorFlow.

    Args:
        arguments: model, contract, samples and custom_ops as for `evaluate`; output, the .npz to write.

    Raises:
        EdgeError: The model cannot be loaded or run.
    """
    contract = Contract.from_dict(arguments["contract"])
    answers = _answers(
        Path(arguments["model"]),
        contract,
        _arrays(arguments["samples"]),
        {**arguments, "recipe": "as_is"},
    )
    np.savez(arguments["output"], **answers)  # type: ignore[arg-type]
    return {"reference_calls": len(next(iter(answers.values())))}


def _answers(
    model: Path, contract: Contract, samples: Mapping[str, Array], arguments: Mapping[str, Any]
) -> dict[str, Array]:
    """Return every output of every sample, first axis = samples.

    One thread: the order of a sum, and so its last bits, must not depend on how many cores are free.
    """
    stage("load", "loading the variant")
    collected: dict[str, list[Array]] = {spec.name: [] for spec in contract.signature.outputs}
    total = len(next(iter(samples.values())))
    with format_of(model).open_candidate(
        model,
        contract,
        _coreml(arguments),
        recipe=str(arguments["recipe"]),
        custom_ops=arguments.get("custom_ops") or (),
        threads=1,
    ) as candidate:
        for index, feed in enumerate(iterate_feeds(contract.signature, samples)):
            for name, value in candidate.predict(feed).items():
                collected[name].append(value)
            if index % 16 == 0:
                stage("validate", f"running {total} samples", index / total)
    shapes = {name: sorted({value.shape for value in values}) for name, values in collected.items()}
    for name, found in shapes.items():
        if len(found) > 1:
            raise ModelError(
                f"output {name!r} has another shape for other samples",
                why=", ".join(map(str, found[:4])),
                hint="give samples of one shape",
            )
    return {name: np.stack(values) for name, values in collected.items()}


def _coreml(arguments: Mapping[str, Any]) -> CoreMLFacts | None:
    given = arguments.get("coreml")
    return None if given is None else CoreMLFacts.from_dict(given)


def _compare(
    reference: Mapping[str, Array], answers: Mapping[str, Array]
) -> tuple[tuple[OutputFacts, ...], tuple[str, ...]]:
    both = [name for name in reference if name in answers]
    missing = tuple(name for name in reference if name not in answers)
    return tuple(metrics.compare_output(name, reference[name], answers[name]) for name in both), missing


def _metric(
    contract: Contract,
    reference: Mapping[str, Array],
    answers: Mapping[str, Array],
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    labels = metrics.read_labels(arguments["labels"]) if arguments.get("labels") else None
    if labels is not None:
        stage("compare", "comparing with the labels")
    ordered = {
        spec.name: reference[spec.name] for spec in contract.signature.outputs if spec.name in reference
    }
    metric = metrics.make_metric(
        arguments.get("metric"), labels=labels, reference=ordered, class_names=contract.labels
    )
    return metrics.metric_facts(metric, ordered, answers)


def _record(
    contract: Contract,
    samples: Mapping[str, Array],
    answers: Mapping[str, Array],
    arguments: Mapping[str, Any],
) -> dict[str, Any]:
    """Write golden vectors: evenly spread samples with this variant's own answers."""
    from edge_sdk.contract.golden import GoldenVectors

    total = len(next(iter(samples.values())))
    one_case = sum(values[:1].nbytes for values in (*samples.values(), *answers.values()))
    count = max(1, min(GOLDEN_CASES, total, GOLDEN_BYTES // max(1, one_case)))
    chosen = sorted({round(index * (total - 1) / max(1, count - 1)) for index in range(count)})
    feeds = list(
        iterate_feeds(contract.signature, {name: values[chosen] for name, values in samples.items()})
    )
    outputs = {name: values[chosen] for name, values in answers.items()}
    if not all(np.isfinite(values).all() for values in outputs.values() if values.dtype.kind == "f"):
        return {}  # the guard rejects it anyway
    vectors = GoldenVectors(
        inputs={name: np.stack([feed[name] for feed in feeds]) for name in feeds[0]}, outputs=outputs
    )
    Path(arguments["golden"]).write_bytes(vectors.to_bytes())
    share = float(arguments["tolerance"])
    largest = max((float(np.max(np.abs(values))) for values in outputs.values() if values.size), default=0.0)
    return {
        "golden_cases": len(vectors),
        # Two digits: a tolerance is a judgement, and its last digits must not depend on the machine.
        "golden_atol": float(f"{share * max(largest, 1e-6):.2g}"),
        "golden_rtol": share,
    }


def _arrays(path: str) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _differ(samples: Mapping[str, Array]) -> bool:
    return any(len(values) > 1 and not metrics.is_constant(values) for values in samples.values())
