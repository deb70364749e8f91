"""From process start to the first result: `edge-runner predict` against the barest script.

    python benchmarks/cold_start.py [--runs 15]

The barest script imports NumPy and the runtime, loads the model and a .npy, runs once and prints the
outputs. Both are timed from the start of the process until the result has arrived, in turns; the ratio is
the median over the turns. The bar holds for the same work: the same bare .tflite. A bundle and a release
directory are more work (the manifest is read, the model's digest is checked) and are shown beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.table import mobilenet_v2, table, verdict
from edge_sdk.bundle.archive import write_bundle
from edge_sdk.bundle.manifest import FileEntry, Manifest, RuntimeRequirement, TargetPlan, Variant
from edge_sdk.runtime.interpreter import RUNTIMES
from edge_sdk.runtime.runner import Runner

BAR = 1.30

BAREST = """
import sys
import numpy as np
from {module} import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads={threads})
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.load(sys.argv[2]))
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist(), flush=True)
"""


def seconds(command: list[str]) -> float:
    """Return the time until the result's line has arrived."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        taken = time.perf_counter() - start
    if process.returncode or not line:
        raise SystemExit(f"{command} failed")
    return taken


def packed(model: Path, folder: Path) -> tuple[Path, Path]:
    """Return the model as a bundle and as a release directory."""
    raw = model.read_bytes()
    with Runner.open(model) as runner:
        contract = runner.contract
    manifest = Manifest(
        name="bench",
        version="1.0.0",
        contract=contract,
        files={"model.tflite": FileEntry(sha256=hashlib.sha256(raw).hexdigest(), size=len(raw))},
        variants=(
            Variant(
                id="float32",
                format="tflite",
                recipe="float32",
                file="model.tflite",
                signatures=contract.signatures,
            ),
        ),
        targets={
            "host": TargetPlan(
                platform="linux",
                architecture="any",
                runtime=RuntimeRequirement(name="litert"),
                variants=("float32",),
            )
        },
    )
    bundle = folder / f"{model.stem}.edge"
    write_bundle(bundle, manifest, {"model.tflite": raw})
    manifest_bytes = manifest.to_bytes()
    digest = hashlib.sha256(manifest_bytes).hexdigest()
    release = folder / f"{model.stem}-release"
    (release / "files").mkdir(parents=True)
    (release / "files" / "model.tflite").write_bytes(raw)
    (release / "manifest.json").write_bytes(manifest_bytes)
    record = {
        "target": "host",
        "variant": "float32",
        "release": f"1-{digest[:12]}",
        "sequence": 1,
        "manifest_sha256": digest,
    }
    (release / "release.json").write_text(json.dumps(record))
    return bundle, release


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    _, mobilenet = mobilenet_v2()
    tiny = Path(__file__).parent.parent / "tests" / "data" / "models" / "conv_float.tflite"
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for label, model in (("MobileNetV2 float", mobilenet), ("tiny convolution", tiny)):
            folder = Path(temporary) / label.split()[0]
            folder.mkdir()
            bundle, release = packed(model, folder)
            with Runner.open(model) as runner:
                threads, module = runner.threads, RUNTIMES[runner.runtime.name].module
                shape = [size or 1 for size in runner.signature.inputs[0].shape or ()]
            np.save(folder / "x.npy", np.random.default_rng(0).random(shape, dtype=np.float32))
            script = folder / "barest.py"
            script.write_text(BAREST.format(module=module, threads=threads))
            ours = [sys.executable, "-m", "edge_sdk.runtime", "predict"]
            given = ["--json", "--input", str(folder / "x.npy")]
            commands = {
                "barest script": [sys.executable, str(script), str(model), str(folder / "x.npy")],
                "edge-runner, .tflite": [*ours, str(model), *given],
                "edge-runner, bundle": [*ours, str(bundle), *given],
                "edge-runner, release": [*ours, str(release), *given],
            }
            times: dict[str, list[float]] = {name: [] for name in commands}
            for run in range(runs + 1):
                for name, command in commands.items():
                    taken = seconds(command)
                    if run:
                        times[name].append(taken * 1e3)
            bare = times["barest script"]
            for name, values in times.items():
                ratio = statistics.median(mine / its for mine, its in zip(values, bare, strict=True))
                rows.append((label, name, runs, statistics.median(values), min(values), ratio))
    columns = ("model", "program", "runs", "p50 ms", "min ms", "ratio")
    print(table("Process start to first result", columns, rows))
    same, *more = [row for row in rows if row[0].startswith("MobileNet")][1:]
    met = verdict("MobileNetV2, the same .tflite", same[-1], BAR)
    for row in more:
        verdict(f"MobileNetV2, digest checked: {row[1]}", row[-1], BAR)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
