"""Everything that a build found, as one JSON document: OUT/NAME/details.json, which `edge report` draws.

docs/reference/report.md lists the fields. A section that was not made is null or empty; no number is guessed.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from edge_sdk import __version__
from edge_sdk.configuration import Budget
from edge_sdk.contract.spec import Contract
from edge_sdk.pipeline.foresight import Foresight
from edge_sdk.pipeline.identity import machine, versions
from edge_sdk.pipeline.judging import Judged
from edge_sdk.pipeline.materials import Samples, Source
from edge_sdk.pipeline.result import BuildResult
from edge_sdk.targets import Target

SCHEMA = 1
TOOLS = (
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "coremltools",
    "litert-quantizer",
    "ai-edge-litert",
    "tflite-runtime",
    "numpy",
)


def details(
    result: BuildResult,
    *,
    command: Sequence[str],
    source: Source,
    samples: Samples,
    contract: Contract,
    targets: Sequence[Target],
    judged: Sequence[Judged],
    foresight: Mapping[str, Mapping[str, Foresight]],
    budget: Budget,
    thumbnails: Mapping[str, str],
) -> dict[str, Any]:
    """Return the document.

    Args:
        result: The build's.
        command: What repeats the build.
        source: What was built.
        samples: What variants were compared on.
        contract: Of the source; names the labels.
        targets: In the order of the choices.
        judged: Every variant.
        foresight: By target and variant.
        budget: The limits.
        thumbnails: Small pictures of samples, by index.
    """
    facts = {item.report.id: item.facts.to_dict() for item in judged}
    return {
        "schema": SCHEMA,
        "name": result.name,
        "version": result.version,
        "bundle": None if result.bundle is None else result.bundle.name,
        "bundle_sha256": result.bundle_sha256,
        "command": list(command),
        "model": {
            "kind": source.model.kind,
            "path": source.model.location,
            "sha256": source.sha256,
            "parameters": source.parameters,
        },
        "data": {"kind": samples.data, "samples": samples.count, "sha256": samples.sha256},
        "labels": list(contract.labels) or list(samples.label_names),
        "environment": {
            "edge_sdk": __version__,
            "python": platform.python_version(),
            "machine": list(machine()),
            "tools": {name: found for name, found in versions(*TOOLS).items() if found is not None},
        },
        "targets": [
            {
                "name": target.name,
                "title": target.title,
                "runtime": target.runtime.to_dict(),
                "picked": choice.picked,
                "order": list(choice.order),
                "obstacles": choice.obstacles(),
                "numbers": {name: numbers.to_dict() for name, numbers in choice.numbers.items()},
            }
            for target, choice in zip(targets, result.choices, strict=True)
        ],
        "budget": budget.as_numbers(),
        "variants": [report.to_dict() for report in result.variants],
        "failures": result.to_dict()["failures"],
        "skipped": dict(result.skipped),
        "calibration": result.calibration,
        "error_maps": {item.report.id: item.error_map for item in judged if item.error_map is not None},
        "confusion": {name: found["confusion"] for name, found in facts.items() if found.get("confusion")},
        "worst": {name: found["worst"] for name, found in facts.items() if found.get("worst")},
        "thumbnails": dict(thumbnails),
        "delegates": _by_target(foresight, "delegates"),
        "memory": _by_target(foresight, "memory"),
        "proofs": _by_target(foresight, "proof"),
        "compatibility": _by_target(foresight, "compatibility"),
        "repair": result.repair,
        "notes": list(result.notes),
    }


def _by_target(foresight: Mapping[str, Mapping[str, Foresight]], name: str) -> dict[str, dict[str, Any]]:
    return {
        target: {
            variant: value for variant, item in variants.items() if (value := getattr(item, name)) is not None
        }
        for target, variants in foresight.items()
    }
