"""A made-up details.json with every section filled, through the documents' own classes where there are any.

    python -m tests.validate.report.example FOLDER

The numbers are invented and the same every time; they are like those of a small picture classifier.
"""

from __future__ import annotations

import base64
import io
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from edge_sdk.pipeline.repair import Attempt, RepairResult
from edge_sdk.pipeline.result import VariantReport
from edge_sdk.validate.budget import Numbers
from edge_sdk.validate.calibration.report import (
    CalibrationReport,
    Finding,
    Histogram,
    InputReport,
    InputStatistics,
    LayerRange,
)
from edge_sdk.validate.compatibility.proof import Proof
from edge_sdk.validate.delegates.documents import BlockingOperator, DelegatePlan
from edge_sdk.validate.error_map import ErrorMap, LayerError
from edge_sdk.validate.facts import ConfusedPair, Confusion, WorstSample
from edge_sdk.validate.memory import MemoryForecast

LABELS = [
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
#: id, size as a share of float32, top1, SNR, latency, peak memory, verdict
ROWS = (
    ("float32", 1.0, 0.9120, 150.0, 1.92, 92.4, "passed"),
    ("float16", 0.505, 0.9120, 68.2, 1.95, 95.1, "passed"),
    ("dynamic_int8", 0.262, 0.9090, 31.5, 1.21, 71.0, "passed"),
    ("weight_only_int8", 0.262, 0.9100, 33.8, 2.40, 90.2, "passed"),
    ("full_int8", 0.266, 0.9060, 24.7, 0.84, 64.8, "passed"),
    ("full_int8_io", 0.265, 0.9055, 24.5, 0.83, 64.1, "passed"),
    ("int16x8", 0.269, 0.9115, 52.4, 6.35, 70.3, "passed"),
    ("int4", 0.142, 0.7410, 6.1, 1.35, 66.0, "rejected"),
)
SAMPLES = 2000
FLOAT_SIZE = 1_684_320


def example() -> dict[str, Any]:
    """Return the document."""
    dice = random.Random(4)
    variants = [_variant(*row) for row in ROWS]
    ids = [row[0] for row in ROWS if row[0] != "float32"]
    passed = [row[0] for row in ROWS if row[-1] == "passed"]
    return {
        "schema": 1,
        "name": "fashion",
        "version": "0.3.0",
        "bundle": "fashion.edge",
        "bundle_sha256": "5f0c" * 16,
        "command": [
            "edge",
            "build",
            "fashion model.keras",
            "--target",
            "raspberry-pi-5",
            "--target",
            "coral-dev-board",
            "--calibration",
            "calibration.npz",
            "--evaluation",
            "evaluation.npz",
            "--max-metric-drop",
            "0.01",
            "--out",
            "build",
            "--repair",
        ],
        "model": {
            "kind": "keras",
            "path": "fashion model.keras",
            "sha256": "9a3e" * 16,
            "parameters": 421_642,
        },
        "data": {"kind": "evaluation", "samples": SAMPLES, "sha256": "c41d" * 16},
        "labels": LABELS,
        "environment": {
            "edge_sdk": "0.1.0",
            "python": "3.11.7",
            "machine": ["Linux", "x86_64", "AMD EPYC", 2],
            "tools": {"tensorflow-cpu": "2.21.0", "litert-quantizer": "0.11.0", "ai-edge-litert": "2.3.0"},
        },
        "targets": [
            {
                "name": "raspberry-pi-5",
                "title": "Raspberry Pi 5 (LiteRT, CPU)",
                "runtime": {"name": "litert", "minimum_version": "2.1.0"},
                "picked": "full_int8",
                "order": ["full_int8", "dynamic_int8", "float16", "float32"],
                "obstacles": {"int16x8": ["p99 latency 7.1 ms is 2.1 ms above the limit of 5 ms"]},
                "numbers": {},
            },
            {
                "name": "coral-dev-board",
                "title": "Coral Dev Board (tflite-runtime, Edge TPU)",
                "runtime": {"name": "tflite-runtime", "minimum_version": "2.14.0"},
                "picked": "full_int8_io",
                "order": ["full_int8_io"],
                "obstacles": {},
                "numbers": {},
            },
        ],
        "budget": {"max_metric_drop": 0.01, "max_p99_ms": 5.0, "max_size_bytes": 2_000_000},
        "variants": variants,
        "failures": [
            {
                "recipe": "int4_block",
                "format": "tflite",
                "stage": "quantize",
                "cause": "no operator has a size that blocks of 32 divide",
                "hint": "leave the recipe out",
            }
        ],
        "skipped": {"tf_full_int8": "asks for TensorFlow's converter"},
        "calibration": _calibration(dice),
        "error_maps": {name: _error_map(dice, name) for name in ids},
        "confusion": {row[0]: _confusion(dice, row[2]) for row in ROWS},
        "worst": {name: _worst(dice) for name in ids},
        "thumbnails": {str(index): _thumbnail(index) for index in range(12)},
        "delegates": {
            "raspberry-pi-5": {name: [_xnnpack(name)] for name in passed},
            "coral-dev-board": {name: [_edgetpu(name)] for name in passed},
        },
        "memory": {
            "raspberry-pi-5": {row[0]: _memory(row[1]) for row in ROWS if row[-1] == "passed"},
            "coral-dev-board": {"full_int8_io": _memory(0.265, runtime="tflite-runtime")},
        },
        "proofs": {
            "raspberry-pi-5": {name: _proof("litert", "2.3.0") for name in passed},
            "coral-dev-board": {
                "full_int8_io": _proof("tflite-runtime", "2.14.0"),
                "int16x8": Proof(
                    runtime="tflite-runtime",
                    version="2.14.0",
                    status="failed",
                    reason="Didn't find op for builtin opcode 'FULLY_CONNECTED' version '12'",
                    architecture="x86_64",
                ).to_dict(),
            },
        },
        "compatibility": {
            "raspberry-pi-5": {
                "full_int8": [
                    {
                        "code": "OPERATOR-VERSIONS",
                        "verdict": "passed",
                        "what": "every operator is known to litert 2.3.0",
                    },
                    {
                        "code": "GLIBC",
                        "verdict": "unknown",
                        "what": "the board's C library is not known",
                        "hint": "edge board check tells",
                    },
                ]
            },
            "coral-dev-board": {
                "int16x8": [
                    {
                        "code": "OPERATOR-VERSIONS",
                        "verdict": "failed",
                        "what": "FULLY_CONNECTED version 12 is newer than tflite-runtime 2.14.0 knows (11)",
                        "hint": "build for this target: the version is lowered",
                    },
                ]
            },
        },
        "repair": _repair(),
        "notes": ["latency was measured on this machine, not on the boards"],
    }


def _variant(
    name: str, share: float, top1: float, snr: float, p50: float, memory: float, verdict: str
) -> Any:
    half = 1.96 * math.sqrt(top1 * (1 - top1) / SAMPLES)
    drop = 0.9120 - top1
    return VariantReport(
        id=name,
        format="tflite",
        recipe=name,
        path=Path("build/fashion") / f"{name}.tflite",
        sha256=f"{int(share * 1e4) % 16:x}a7d" * 16,
        size_bytes=int(FLOAT_SIZE * share),
        metric=top1,
        metric_name="top1",
        metric_drop=round(drop, 6),
        metric_interval=(round(top1 - half, 4), round(min(1.0, top1 + half), 4)),
        metric_drop_interval=(round(drop - 0.004, 4), round(drop + 0.004, 4)),
        metric_higher_is_better=True,
        reference_metric=0.9120,
        agreement=round(1 - drop * 1.6, 4),
        agreement_interval=(round(1 - drop * 1.6 - 0.004, 4), min(1.0, round(1 - drop * 1.6 + 0.003, 4))),
        max_abs_error=round(10 ** (-snr / 30), 5),
        snr_db=snr,
        latency_ms={"p50": p50, "p90": p50 * 1.08, "p99": p50 * 1.3},
        peak_memory_bytes=int(memory * 1e6),
        verdict=verdict,
        reasons=("agreement with the source model is 72.6 %, below 90 %",) if verdict == "rejected" else (),
    ).to_dict()


def _proof(runtime: str, version: str) -> Any:
    return Proof(
        runtime=runtime,
        version=version,
        status="passed",
        cases=3,
        max_abs_error=0.0031,
        latency_ms=1.4,
        runs=20,
        architecture="x86_64",
        python="3.11.7",
        numpy="1.26.4",
    ).to_dict()


def _repair() -> Any:
    kept = ("functional_1/block_0/conv2d_0/Conv2D", "functional_1/block_5/conv2d_22/Conv2D")
    before = Numbers(size_bytes=448_029, metric_drop=0.051, agreement=0.921, p50_ms=0.73, p99_ms=0.95)
    after = Numbers(size_bytes=484_893, metric_drop=0.006, agreement=0.99, p50_ms=0.84, p99_ms=1.09)
    missed = "top1 is 0.02 below the source model's, 0.01 more than the limit"
    return RepairResult(
        recipe="full_int8",
        variant="full_int8_repaired",
        success=True,
        kept=kept,
        layers=24,
        before=before,
        after=after,
        attempts=(
            Attempt(kept=(*kept, "functional_1/block_3/conv2d_13/Conv2D"), met=True, numbers=after),
            Attempt(kept=kept[:1], met=False, numbers=before, reasons=(missed,)),
            Attempt(kept=kept, met=True, numbers=after),
        ),
        reason="2 of 24 layers in float bring every number within the budget, after 3 evaluations",
    ).to_dict()


def _calibration(dice: random.Random) -> Any:
    edges = tuple(round(index / 40, 4) for index in range(41))
    main = [math.exp(-index / 9) + 0.35 * math.exp(-((index - 32) ** 2) / 40) for index in range(40)]
    other = [value * (0.85 + 0.3 * dice.random()) for value in main]
    statistics = {
        "distinct": 200,
        "minimum": 0.0,
        "maximum": 1.0,
        "mean": 0.2861,
        "std": 0.353,
        "low": 0.0,
        "high": 0.98,
        "zeros": 0.502,
    }
    return CalibrationReport(
        findings=(
            Finding(
                code="CALIBRATION-FEW-SAMPLES",
                level="warning",
                what="40 samples are few for 10 classes",
                numbers={"samples": 40, "classes": 10},
                hint="give 100 or more",
                input="image",
            ),
            Finding(
                code="CALIBRATION-RANGES",
                level="note",
                what="1.2 % of one layer's values are clipped",
                numbers={"clipped": 0.012, "layer": "functional_1/conv2d_3/Relu"},
                hint="nothing",
            ),
        ),
        samples=200,
        evaluation_samples=SAMPLES,
        inputs=(
            InputReport(
                name="image",
                dtype="float32",
                calibration=InputStatistics(samples=200, **statistics),
                evaluation=InputStatistics(
                    samples=SAMPLES, **{**statistics, "distinct": 1998, "mean": 0.2868}
                ),
                histogram=Histogram(
                    edges=edges,
                    calibration=tuple(value / sum(main) for value in main),
                    evaluation=tuple(value / sum(other) for value in other),
                ),
            ),
        ),
        layers=tuple(
            LayerRange(
                name=f"functional_1/block_{index}/conv2d_{index}/Relu;functional_1/block_{index}/batch_norm",
                op="CONV_2D",
                index=index,
                low=0.0,
                high=round(6 - index * 0.2, 2),
                evaluation_low=0.0,
                evaluation_high=round(6.6 - index * 0.2, 2),
                clipped=round(0.02 / (index + 1), 4),
                lost_db=round(1.4 / (index + 1), 2),
            )
            for index in range(14)
        ),
        not_checked=("channel order: the input has one channel",),
    ).to_dict()


def _error_map(dice: random.Random, name: str) -> Any:
    start = {row[0]: row[3] for row in ROWS}[name]
    layers = []
    for index in range(24):
        snr = start + 18 - 0.7 * index + dice.uniform(-3, 3)
        layers.append(
            LayerError(
                name=f"functional_1/block_{index // 4}/conv2d_{index}/Conv2D",
                op=("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "CONV_2D")[index % 4],
                index=index,
                snr_db=round(snr, 2),
                cosine=round(1 - 10 ** (-snr / 10), 6),
                max_abs_error=round(10 ** (-snr / 20) * 4, 4),
                lowest=-3.0,
                highest=6.0,
                added_noise_db=None if index % 7 == 3 else round(-snr - dice.uniform(0, 9), 2),
            )
        )
    return ErrorMap(layers=tuple(layers), unmatched=("functional_1/reshape/Reshape",), samples=8).to_dict()


def _confusion(dice: random.Random, top1: float) -> Any:
    counts = [[0] * 10 for _ in range(10)]
    alike = {0: (6, 3), 2: (4, 6), 4: (2, 6), 6: (0, 2, 4), 5: (7,), 7: (9, 5), 9: (7,)}
    for label in range(10):
        for _ in range(SAMPLES // 10):
            right = dice.random() < top1 or label not in alike
            counts[label][label if right else dice.choice(alike[label])] += 1
    pairs = sorted(
        (
            ConfusedPair(label=row, predicted=column, count=counts[row][column])
            for row in range(10)
            for column in range(10)
            if row != column and counts[row][column]
        ),
        key=lambda pair: -pair.count,
    )
    return Confusion(
        classes=10, output="probabilities", counts=tuple(map(tuple, counts)), pairs=tuple(pairs)
    ).to_dict()


def _worst(dice: random.Random) -> list[Any]:
    return [
        WorstSample(
            index=index,
            label=(index * 3) % 10,
            reference=(index * 3) % 10,
            given=(index * 3 + 4) % 10,
            error=round(0.9 - index * 0.05 + dice.random() * 0.01, 4),
        ).to_dict()
        for index in range(12)
    ]


def _thumbnail(index: int) -> str:
    from PIL import Image

    pixels = bytes(
        min(255, int(255 * math.exp(-((x - 14) ** 2 / (30 + 9 * index) + (y - 14) ** 2 / (120 - 7 * index)))))
        for y in range(28)
        for x in range(28)
    )
    stream = io.BytesIO()
    Image.frombytes("L", (28, 28), pixels).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def _xnnpack(name: str) -> Any:
    whole = name in ("float32", "full_int8", "full_int8_io", "dynamic_int8")
    blocking = (
        ()
        if whole
        else (
            BlockingOperator(
                op="CONV_2D",
                count=9,
                layers=("functional_1/block_0/conv2d_0/Conv2D",),
                reason="weights of this type are dequantized first",
                rewrite="full_int8",
                share_of_macs=0.91,
                source="asked from litert 2.3.0",
            ),
        )
    )
    return DelegatePlan(
        predicted=True,
        delegate="xnnpack",
        title="XNNPACK",
        checked=True,
        nodes=24,
        taken=24 if whole else 9,
        partitions=1 if whole else 4,
        coverage=1.0 if whole else 0.375,
        coverage_by_macs=1.0 if whole else 0.09,
        blocking=blocking,
        verdict="takes the whole graph" if whole else "takes 9 of 24 operators, in 4 parts",
        source="measured",
    ).to_dict()


def _edgetpu(name: str) -> Any:
    taken = 23 if name == "full_int8_io" else 0
    return DelegatePlan(
        predicted=True,
        delegate="edgetpu",
        title="Coral Edge TPU",
        checked=False,
        nodes=24,
        taken=taken,
        partitions=1 if taken else 0,
        coverage=taken / 24,
        coverage_by_macs=0.998 if taken else 0.0,
        blocking=(
            BlockingOperator(
                op="SOFTMAX",
                count=1,
                layers=("functional_1/dense_1/Softmax",),
                reason="input of more than 16,000 values",
                rewrite=None,
                share_of_macs=0.002,
                source="https://coral.ai/docs/edgetpu/models-intro/",
            ),
        ),
        verdict="takes 23 of 24 operators" if taken else "takes nothing: only full int8 is supported",
        source="https://coral.ai/docs/edgetpu/models-intro/",
    ).to_dict()


def _memory(share: float, runtime: str = "litert") -> Any:
    weights = int(FLOAT_SIZE * share)
    packed, arena, tables, own = (
        int(weights * 1.05),
        int(1_240_000 * (1 if share > 0.5 else 0.4)),
        61_000,
        3_500_000,
    )
    return MemoryForecast(
        predicted=True,
        runtime=runtime,
        delegate="xnnpack",
        models=1,
        weights_bytes=weights,
        packed_weights_bytes=packed,
        arena_bytes=arena,
        tables_bytes=tables,
        runtime_bytes=own,
        total_bytes=weights + packed + arena + tables + own,
        notes=("the application's own buffers are not counted",),
    ).to_dict()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "details.json").write_text(json.dumps(example(), indent=2))
