"""Damaged and unusual files: a plan, a forecast, or an error in words; nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge_sdk.errors import EdgeError
from edge_sdk.validate.delegates import plan_all
from edge_sdk.validate.memory import forecast_memory

DELEGATES = ["xnnpack", "gpu", "nnapi", "edgetpu", "ethosu", "vx", "coreml", "hexagon", "teflon"]


def test_flipped_bytes_never_end_in_another_error(models: Path, tmp_path: Path) -> None:
    dice = random.Random(7)
    sources = [path.read_bytes() for path in sorted(models.glob("*.tflite"))]
    path = tmp_path / "damaged.tflite"
    read = 0
    for _ in range(250):
        content = bytearray(dice.choice(sources))
        for _ in range(dice.choice((1, 2, 5))):
            content[dice.randrange(len(content))] = dice.choice((0, 1, 4, 127, 255))
        path.write_bytes(bytes(content))
        try:
            plan_all(path, DELEGATES, runtime="litert")
            for runtime in ("litert", "tflite-runtime"):
                for delegate in ("xnnpack", None):
                    forecast_memory(path, runtime=runtime, delegate=delegate)
            read += 1
        except EdgeError:
            pass
    assert read > 20


@pytest.mark.parametrize("name", ["custom_operator", "flex_operator", "future_version", "many_signatures"])
def test_unusual_models_get_a_plan(name: str, models: Path) -> None:
    for plan in plan_all(models / f"{name}.tflite", DELEGATES, runtime="litert"):
        assert plan.nodes >= plan.taken >= 0
        assert plan.verdict
        assert len(plan.blocking) == len({(block.op, block.reason) for block in plan.blocking})


def test_custom_and_flex_operators_block_by_their_own_names(models: Path) -> None:
    (custom,) = plan_all(models / "custom_operator.tflite", ["xnnpack"], runtime="litert")
    assert "EdgeTanh" in {block.op for block in custom.blocking}
    (flex,) = plan_all(models / "flex_operator.tflite", ["gpu"], runtime="litert")
    assert any("not among" in block.reason for block in flex.blocking)
