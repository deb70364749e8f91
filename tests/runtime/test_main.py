from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.bundle.archive import write_bundle
from edge_sdk.runtime.runner import Runner
from tests.board_environments import CHECKOUT
from tests.runtime.conftest import image_manifest

RUNNER = (sys.executable, "-m", "edge_sdk.runtime")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUNNER, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )


def document(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.count("\n") == 1
    data = json.loads(done.stdout)
    assert isinstance(data, dict)
    return data


def test_predict_a_picture(bundle: Path, picture: Path) -> None:
    data = document("predict", bundle, "--input", f"image={picture}")
    with Runner.open(bundle) as runner:
        assert data["outputs"] == runner.run(image=picture)
        assert data["delegates"] == [verdict.to_dict() for verdict in runner.delegates]
        assert data["runtime"] == runner.runtime.to_dict()
    assert data["latency_ms"] > 0
    assert (data["delegate"], data["threads"], data["variant"], data["release"]) == (
        "xnnpack",
        1,
        "full_int8_io",
        None,
    )
    assert set(data) == {
        "outputs", "latency_ms", "preprocess_ms",
        "runtime", "delegate", "delegates", "threads", "variant", "release",
    }  # fmt: skip


def test_predict_tensors_and_values(models: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((1, 6), np.float32))
    given = ("--input", f"features={tmp_path / 'x.npy'}", "--value", "kind=[2]")
    data = document("predict", models / "two_inputs.tflite", *given)
    with Runner.open(models / "two_inputs.tflite") as runner:
        expected = runner.predict(features=np.ones((1, 6), np.float32), kind=[2])
    assert data["outputs"] == {name: value.tolist() for name, value in expected.items()}


def test_predict_for_people(bundle: Path, picture: Path, models: Path) -> None:
    done = run("predict", bundle, "--input", picture)
    assert done.returncode == 0
    assert done.stdout.startswith("probabilities: ")
    assert "ms on litert" in done.stderr
    done = run("predict", models / "dynamic_batch.tflite", "--value", "x=[[0,0,0,0,0,0,0,0]]")
    assert done.stdout == "y float32[1, 3]\n[[0. 0. 0.]]\n"


def test_predict_another_signature(models: Path) -> None:
    path = models / "many_signatures.tflite"
    data = document("predict", path, "--signature", "encode", "--value", "sample=[[0,0,0,0,0,0]]")
    assert data["outputs"] == {"code": [[0.0, 0.0]]}


def test_long_outputs_are_cut_with_a_note(models: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((4000, 8), np.float32))
    data = document("predict", models / "dynamic_batch.tflite", "--input", tmp_path / "x.npy")
    cut = data["outputs"]["y"]
    assert (len(cut["values"]), cut["shape"], cut["dtype"]) == (10_000, [4000, 3], "float32")
    assert cut["note"] == "the first 10000 of 12000 values"


def test_numbers_that_json_has_not_become_null(models: Path) -> None:
    data = document("predict", models / "dynamic_batch.tflite", "--value", "x=[[NaN,0,0,0,0,0,0,0]]")
    assert data["outputs"] == {"y": [[None, None, None]]}


def test_bench(models: Path, bundle: Path, picture: Path) -> None:
    data = document("bench", models / "conv_float.tflite", "--runs", "20", "--threads", "1")
    assert (data["runs"], data["threads"], data["variant"]) == (20, 1, "conv_float")
    assert data["latency_ms"]["p50"] > 0
    assert data["peak_memory_bytes"] > 0
    assert document("bench", bundle, "--runs", "5", "--input", picture)["runs"] == 5
    assert "p50" in run("bench", models / "conv_float.tflite", "--runs", "20").stdout


def test_status(models: Path, bundle: Path) -> None:
    bare = document("status")
    assert [row["name"] for row in bare["runtimes"]][:1] == ["litert"]
    data = document("status", bundle)
    assert (data["variant"], data["target"], data["release"]) == ("full_int8_io", "host", None)
    assert data["signature"]["inputs"][0]["name"] == "image"
    text = run("status", models / "many_signatures.tflite").stdout
    assert "output:   norm float32[]" in text


def test_golden_passes(bundle: Path) -> None:
    data = document("golden", bundle)
    assert (data["passed"], data["cases"], data["failures"]) == (True, 4, [])
    assert {"max_abs_error", "latency_ms", "peak_memory_bytes", "runtime", "delegate", "delegates"} < set(
        data
    )
    assert run("golden", bundle, "--variant", "float32").stdout.startswith("passed: 4 cases of float32")


def test_golden_fails_with_exit_code_4(models: Path, tmp_path: Path) -> None:
    manifest, files = image_manifest(models)
    first, second, third = manifest.variants
    assert second.golden is not None
    wrong = replace(second, golden=replace(second.golden, file="float32/golden.npz", atol=1e-6))
    write_bundle(tmp_path / "b.edge", replace(manifest, variants=(first, wrong, third)), files)
    data = document("golden", tmp_path / "b.edge", code=4)
    assert (data["passed"], data["cases"]) == (False, 4)
    assert data["failures"]
    done = run("golden", tmp_path / "b.edge")
    assert done.returncode == 4
    assert done.stdout.startswith("FAILED")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["predict"], 2, "ConfigError"),
        (["frobnicate"], 2, "ConfigError"),
        ([], 2, "ConfigError"),
        (["predict", "MODEL", "--threads", "many"], 2, "ConfigError"),
        (["predict", "MODEL", "--threads", "0"], 2, "ConfigError"),
        (["predict", "MODEL", "--input", "none.npy"], 2, "ConfigError"),
        (["predict", "MODEL", "--runtime", "onnx"], 2, "ConfigError"),
        (["predict", "MODEL"], 3, "SignatureMismatchError"),
        (["predict", "MODEL", "--value", "x=[[1,2]]"], 3, "SignatureMismatchError"),
        (["golden", "MODEL"], 5, "BundleError"),
        (["predict", "none.edge"], 5, "BundleError"),
        (["bench", "TEXT"], 5, "BundleError"),
        (["status", "MODEL", "--runtime", "tflite-runtime"], 5, "IncompatibleTargetError"),
    ],
)
def test_errors(models: Path, tmp_path: Path, arguments: list[str], code: int, error: str) -> None:
    (tmp_path / "text.tflite").write_text("this is not a model at all")
    names = {"MODEL": str(models / "dynamic_batch.tflite"), "TEXT": str(tmp_path / "text.tflite")}
    data = document(*(names.get(text, text) for text in arguments), code=code)
    assert (data["error"], data["exit_code"]) == (error, code)
    assert data["what"]
    plain = run(*(names.get(text, text) for text in arguments))
    assert plain.returncode == code
    assert plain.stdout == ""
    assert "error: " in plain.stderr


def test_a_bare_python_is_told_what_is_missing(models: Path) -> None:
    def bare(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-m", "edge_sdk.runtime", *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert json.loads(bare("status", "--json").stdout)["runtimes"] == []
    done = bare("predict", str(models / "conv_float.tflite"), "--json")
    assert done.returncode == 8
    assert json.loads(done.stdout)["error"] == "MissingExtraError"
    assert "Traceback" not in done.stderr


def test_help_shows_an_example_for_each_verb() -> None:
    for verb in ("predict", "bench", "status", "golden"):
        done = run(verb, "--help")
        assert done.returncode == 0
        assert f"Example: edge-runner {verb}" in done.stdout
    assert "predict" in run("--help").stdout


def interrupt_when(words: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Start, wait until the process has mapped a file whose path holds `words`, press Ctrl-C."""
    process = subprocess.Popen(
        [*RUNNER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while words not in Path(f"/proc/{process.pid}/maps").read_text():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
@pytest.mark.parametrize("moment", ["numpy", "dynamic_batch.tflite"])
def test_ctrl_c(models: Path, moment: str) -> None:
    done = interrupt_when(moment, "bench", models / "dynamic_batch.tflite", "--runs", "1000000000", "--json")
    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr.endswith("interrupted\n")
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error(models: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*RUNNER, "status", models / "dynamic_batch.tflite"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_an_unexpected_failure_shows_no_traceback(models: Path) -> None:
    code = (
        "import edge_sdk.runtime.runner as r, edge_sdk.runtime.__main__ as m\n"
        "r.Runner.open = lambda *a, **o: 1 / 0\n"
        f"m.main(['status', {str(models / 'dynamic_batch.tflite')!r}, '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["what"] == "unexpected failure: ZeroDivisionError: division by zero"
    assert "Traceback" not in done.stderr
