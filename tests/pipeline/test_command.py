"""The command in a report is one that the command line takes, and it says the same."""

from __future__ import annotations

import subprocess
import sys

from edge_sdk.configuration import Budget, MetricSection
from edge_sdk.pipeline.command import repeat_command

BUDGET = Budget(
    min_agreement=0.9,
    max_metric_drop=0.01,
    max_size_bytes=5_000_000,
    max_p99_ms=12.5,
    max_peak_memory_bytes=10**8,
    min_delegate_coverage=0.5,
)


def test_every_word_is_known_to_the_command_line() -> None:
    words = repeat_command(
        "no/such/model",
        targets=["host"],
        recipes=["float16"],
        options={"calibration": "c.npz", "evaluation": None, "threads": 2, "out": "o"},
        metric=MetricSection(name="top5"),
        budget=BUDGET,
        flags={"pick": True, "repair": True, "fresh": False},
    )
    assert words[:7] == ["edge", "build", "no/such/model", "--target", "host", "--recipe", "float16"]
    assert "--evaluation" not in words
    assert "--max-size" in words
    assert words[words.index("--max-size") + 1] == "5000000"
    done = subprocess.run(
        [sys.executable, "-m", "edge_sdk.cli.main", *words[1:]], capture_output=True, text=True, check=False
    )
    # It gets as far as looking for the model: all options were understood.
    assert done.returncode in (2, 3)
    assert "no/such/model" in done.stderr
