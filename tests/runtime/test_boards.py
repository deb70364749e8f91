"""The runner in a board's own Python, with each runtime. Real packages, real numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_sdk.runtime.runner import Runner
from tests.board_environments import HOST_MODULES, HOST_ROOMS, BoardEnvironment, run_on_board
from tests.runtime import on_board
from tests.runtime.conftest import image_manifest

#: Largest difference between the runtimes' kernels: floats by rounding, integers by a step or two of 1/256.
TOLERANCE = {"conv_int8": 2.1 / 256, "conv_uint8": 2.1 / 256, "conv_int8_float_io": 2.1 / 256}


@pytest.fixture(scope="module")
def document(
    board: BoardEnvironment, extension: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    from PIL import Image

    from edge_sdk.bundle.archive import write_bundle

    models = Path(__file__).parent.parent / "data" / "models"
    folder = tmp_path_factory.mktemp(board.runtime)
    manifest, files = image_manifest(models)
    write_bundle(folder / "b.edge", manifest, files)
    pixels = np.random.default_rng(3).integers(0, 256, (24, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "picture.png")
    script = Path(on_board.__file__)
    done = run_on_board(
        board, [script, models, extension, folder / "b.edge", folder / "picture.png"], cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def test_the_runtime_is_the_one_that_was_asked_for(document: dict[str, Any], board: BoardEnvironment) -> None:
    assert document["runtime"]["name"] == board.runtime
    assert document["runtime"]["version"] in ("2.3.0", "2.14.0")


def test_answers_equal_the_host_s(document: dict[str, Any], models: Path) -> None:
    host = on_board.answers(models)
    assert set(host) == set(document["answers"])
    for model, outputs in host.items():
        for name, values in outputs.items():
            np.testing.assert_allclose(
                document["answers"][model][name],
                values,
                atol=TOLERANCE.get(model, 2e-6),
                rtol=0,
                err_msg=model,
            )


def test_a_picture_gets_the_host_s_label(document: dict[str, Any]) -> None:
    assert document["label"] in ("cat", "dog", "fox", "owl", "yak")


def test_what_cannot_run_is_refused_and_nothing_crashes(document: dict[str, Any]) -> None:
    # tflite-runtime 2.14.0 by itself ends with a segmentation fault on some of the truncated files.
    assert document["refusals"] == {
        "future_version": "IncompatibleTargetError",
        "custom_operator": "UnsupportedOpError",
        "flex_operator": "UnsupportedOpError",
        "truncated": "BundleError",
    }


def test_threads_get_their_own_answers(document: dict[str, Any]) -> None:
    assert document["wrong"] == 0


def test_delegates(document: dict[str, Any]) -> None:
    expected = document["answers"]["dynamic_batch"]["y"]
    found = document["delegates"]
    assert found["take"]["delegate"] == "edge-test"
    assert found["take"]["reason"] == "took 1 part of the graph, XNNPACK took 1 more"
    for mode in ("nothing", "decline", "refuse", "fail"):
        assert found[mode]["delegate"] == "xnnpack"
    for mode in ("take", "nothing", "decline", "refuse", "fail"):
        np.testing.assert_allclose(found[mode]["y"], expected, atol=1e-6)


def test_custom_operators(document: dict[str, Any], board: BoardEnvironment) -> None:
    if board.runtime == "tflite-runtime":
        np.testing.assert_allclose(
            document["delegates"]["custom"], document["answers"]["dynamic_batch"]["y"], atol=1e-6
        )
    else:  # LiteRT's wheel exports no AddCustom; the library would have to bring its own
        assert document["delegates"]["custom"] == "UnsupportedOpError"


def test_nothing_of_the_host_is_loaded(document: dict[str, Any]) -> None:
    loaded = document["modules"]
    assert [name for name in loaded if name.split(".")[0] in HOST_MODULES] == []
    assert [
        name for name in loaded if name.startswith("edge_sdk.") and name.split(".")[1] in HOST_ROOMS
    ] == []


@pytest.mark.parametrize("variant", ["float32", "full_int8_io", "uint8_io"])
def test_the_host_s_golden_vectors_pass_on_the_board(
    board: BoardEnvironment, bundle: Path, tmp_path: Path, variant: str
) -> None:
    done = run_on_board(
        board, ["-m", "edge_sdk.runtime", "golden", bundle, "--variant", variant, "--json"], cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads(done.stdout)
    assert (data["passed"], data["cases"], data["runtime"]["name"]) == (True, 4, board.runtime)


def test_a_release_runs_on_its_board_only(board: BoardEnvironment, release: Path, tmp_path: Path) -> None:
    done = run_on_board(board, ["-m", "edge_sdk.runtime", "golden", release, "--json"], cwd=tmp_path)
    data = json.loads(done.stdout)
    if board.runtime == "tflite-runtime":
        assert (done.returncode, data["passed"], data["variant"]) == (0, True, "uint8_io")
    else:
        assert (done.returncode, data["error"]) == (5, "IncompatibleTargetError")


def test_the_host_s_runner_reads_the_same_release(release: Path) -> None:
    with Runner.open(release, runtime="litert") as runner:
        assert runner.check_golden().passed
