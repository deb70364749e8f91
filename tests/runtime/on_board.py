"""What test_boards runs in a board's own Python: the standard library, NumPy, Pillow and one runtime.

    python on_board.py MODELS EXTENSION BUNDLE PICTURE

Prints one JSON document: answers, refusals, and which modules were loaded.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk import Runner
from edge_sdk.bundle.manifest import DelegateSpec
from edge_sdk.errors import EdgeError


def inputs() -> dict[str, dict[str, np.ndarray]]:
    """By model: the same inputs on every machine."""
    generator = np.random.default_rng(21)
    image = generator.random((1, 16, 16, 3), dtype=np.float32)
    features, kind = generator.random((1, 6), dtype=np.float32), np.array([3], np.int32)
    return {
        "two_inputs": {"features": features, "kind": kind},
        "no_signatures": {"serving_default_features:0": features, "serving_default_kind:0": kind},
        "dynamic_batch": {"x": generator.random((5, 8), dtype=np.float32)},
        "conv_float": {"image": image},
        "conv_int8": {"image": image},
        "conv_uint8": {"image": image},
        "conv_int8_float_io": {"image": image},
        "many_signatures": {"code": generator.random((1, 2), dtype=np.float32)},
    }


def answers(models: Path) -> dict[str, Any]:
    """Predict with every model."""
    out: dict[str, Any] = {}
    for name, tensors in inputs().items():
        with Runner.open(models / f"{name}.tflite") as runner:
            result = runner.predict(tensors)
        out[name] = {key: value.tolist() for key, value in result.items()}
    with Runner.open(models / "many_signatures.tflite", signature="encode") as runner:
        code = runner.predict(sample=np.linspace(0, 1, 6, dtype=np.float32)[None])["code"]
    out["many_signatures/encode"] = {"code": code.tolist()}
    return out


def refusals(models: Path, folder: Path) -> dict[str, str]:
    """Open what must not run, truncated files of every length among it."""
    out = {}
    for name in ("future_version", "custom_operator", "flex_operator"):
        out[name] = refusal(models / f"{name}.tflite")
    raw = (models / "conv_int8.tflite").read_bytes()
    cut = folder / "cut.tflite"
    seen = set()
    for size in (*range(0, len(raw), 97), *range(len(raw) - 20, len(raw))):
        cut.write_bytes(raw[:size])
        seen.add(refusal(cut))
    out["truncated"] = ",".join(sorted(seen))
    return out


def refusal(path: Path) -> str:
    """Return the name of the error."""
    try:
        Runner.open(path).close()
    except EdgeError as error:
        return type(error).__name__
    return "none"


def hammer(models: Path) -> int:
    """Predict from eight threads; return how many answers were wrong."""
    images = [np.random.default_rng(seed).random((1, 16, 16, 3), dtype=np.float32) for seed in range(8)]
    wrong = []
    with Runner.open(models / "conv_float.tflite", threads=1, pool_size=3) as runner:
        expected = [runner.predict(image=image)["probabilities"] for image in images]

        def work(index: int) -> None:
            for turn in range(100):
                which = (index + turn) % 8
                if not np.array_equal(runner.predict(image=images[which])["probabilities"], expected[which]):
                    wrong.append(which)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return len(wrong)


def delegates(models: Path, extension: Path) -> dict[str, Any]:
    """Climb the ladder with a real delegate, and load a real custom operator."""
    x = inputs()["dynamic_batch"]["x"]
    out: dict[str, Any] = {}
    for mode in ("take", "nothing", "decline", "refuse", "fail"):
        spec = DelegateSpec(name="edge-test", library=str(extension), options={"mode": mode})
        with Runner.open(models / "dynamic_batch.tflite", delegates=[spec]) as runner:
            out[mode] = {
                "delegate": runner.delegate,
                "reason": runner.delegates[0].reason,
                "y": runner.predict(x=x)["y"].tolist(),
            }
    try:
        with Runner.open(models / "custom_operator.tflite", custom_ops=[extension]) as runner:
            out["custom"] = runner.predict(x=x)["y"].tolist()
    except EdgeError as error:
        out["custom"] = type(error).__name__
    return out


def main() -> None:
    """Print the document."""
    models, extension, bundle, picture = map(Path, sys.argv[1:5])
    with Runner.open(bundle, variant="float32") as runner:
        label = runner.run(image=picture)["probabilities"][0][0]["label"]
        runtime = runner.runtime.to_dict()
    document = {
        "runtime": runtime,
        "label": label,
        "answers": answers(models),
        "refusals": refusals(models, Path.cwd()),
        "wrong": hammer(models),
        "delegates": delegates(models, extension) if extension.name else None,
        "modules": sorted(sys.modules),
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
