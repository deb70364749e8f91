"""How long a person waits for the commands that should answer at once.

    python benchmarks/command_start.py [--runs 7]

Whole processes, median wall time; a bare `python -c pass` stands beside them, because it is their floor.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.table import mobilenet_v2, table

HELP_BAR = 0.4
UNCHANGED_BUILD_BAR = 2.0
EDGE = [sys.executable, "-m", "edge_sdk.cli.main"]


def seconds(command: list[str], *, runs: int, folder: Path) -> float:
    """Return the median wall time of a command, in seconds."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    saved_model, tflite = mobilenet_v2()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [*EDGE, "build", os.fspath(saved_model), "--recipe", "float32", "--recipe", "dynamic_int8"]
        sys.stderr.write("building MobileNetV2 once...\n")
        subprocess.run(build, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        floor = seconds([sys.executable, "-c", "pass"], runs=runs, folder=folder)
        rows: list[list[object]] = []
        for label, command, bar in (
            ("edge --help", [*EDGE, "--help"], HELP_BAR),
            ("edge inspect mobilenet_v2.tflite", [*EDGE, "inspect", os.fspath(tflite)], None),
            ("edge build, nothing changed", build, UNCHANGED_BUILD_BAR),
        ):
            took = seconds(command, runs=runs, folder=folder)
            rows.append(
                [label, took, bar or "none", "" if bar is None else "met" if took <= bar else "MISSED"]
            )
    rows.append(["python -c pass", floor, "none", "the floor"])
    print(table("command start", ["command", "median s", "bar s", f"over {runs} runs"], rows))
    return 1 if any(row[-1] == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
