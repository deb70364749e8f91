"""How long `edge scaffold` makes a person wait, and what it must not load for it.

    python benchmarks/scaffold.py [--runs 5] [NAME...]

Whole processes, median wall time, on bundles of real models, which tests/scaffold/real_bundles.py builds
once. A bare `python -c pass` stands beside them, because it is their floor. No command may import TensorFlow
or coremltools; that is looked up in the process that made the project.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.table import table
from tests.scaffold import real_bundles

SCAFFOLD_BAR = 3.0
#: Runs the command line, then says which of these were loaded.
WATCHED = """
import sys
from edge_sdk.cli.main import main
try:
    main()
finally:
    found = [name for name in ("tensorflow", "keras", "coremltools") if name in sys.modules]
    sys.stderr.write("\\nloaded: " + ", ".join(found) + "\\n")
"""


def run(arguments: list[str], folder: Path) -> tuple[float, str]:
    """Return the wall time of one command in seconds, and the heavy packages that it loaded."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, "scaffold", *arguments],
        check=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return time.perf_counter() - start, done.stderr.strip().rpartition("loaded:")[2].strip()


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("names", nargs="*", default=list(real_bundles.BUNDLES))
    options = parser.parse_args()
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model in options.names:
            bundle = str(real_bundles.made(model))
            for platform in real_bundles.BUNDLES[model].platforms:
                made, updated, loaded = [], [], ""
                for _ in range(options.runs + 1):
                    shutil.rmtree(folder / "app", ignore_errors=True)
                    seconds, loaded = run([platform, bundle, "--out", "app"], folder)
                    made.append(seconds)
                    updated.append(run(["update", "app", bundle], folder)[0])
                files = [path for path in (folder / "app").rglob("*") if path.is_file()]
                took = statistics.median(made[1:])
                met = took <= SCAFFOLD_BAR and not loaded
                rows.append(
                    [
                        f"{platform} {model}",
                        took,
                        statistics.median(updated[1:]),
                        SCAFFOLD_BAR,
                        sum(path.stat().st_size for path in files) / 1e6,
                        loaded or "none",
                        "met" if met else "MISSED",
                    ]
                )
        floor = []
        for _ in range(options.runs):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            floor.append(time.perf_counter() - start)
    rows.append(["python -c pass", statistics.median(floor), "", "none", "", "none", "the floor"])
    titles = ["project", "make, s", "update, s", "bar, s", "MB", "heavy imports", f"over {options.runs} runs"]
    print(table("edge scaffold", titles, rows))
    return 1 if any(row[-1] == "MISSED" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
