"""`edge build` as a user meets it: the table, JSON, exit codes, speed when nothing changed, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_command_contract import edge
from tests.smooth_pictures import smooth_pictures

#: Imported when Python starts; makes every heavy import an error.
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras", "ai_edge_litert", "litert_quantizer"):
            raise ImportError(f"{name} must not be imported")
sys.meta_path.insert(0, Block())
"""


@pytest.fixture
def source(models: Path) -> str:
    images = smooth_pictures(np.random.default_rng(5), 30)
    np.savez("evaluation.npz", image=images, y=np.arange(30) % 5)
    np.savez("calibration.npz", image=images)
    return str(models / "conv_float.tflite")


def test_the_table_fits_and_says_what_to_type_next(source: str, tmp_path: Path) -> None:
    done = edge(
        "build",
        source,
        "--evaluation",
        "evaluation.npz",
        "--calibration",
        "calibration.npz",
        "--name",
        "five",
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    for word in (
        "recipe",
        "size",
        "top1",
        "agree",
        "95 %",
        "SNR dB",
        "p50/p90/p99 ms",
        "memory",
        "verdict",
    ):
        assert word in lines[0]
    assert lines[1].startswith("as_is ")
    assert "x1.00" in lines[1]
    assert "…" not in done.stdout
    assert "compared with the source model on 30 samples: evaluation data" in done.stdout
    assert "bundle build/five.edge" in done.stdout
    assert "edge report build/five --html report.html" in done.stdout
    assert (tmp_path / "build/five.edge").exists()
    assert edge("verify", "build/five.edge").returncode == 0


def test_an_unchanged_build_imports_no_tensorflow_and_no_runtime(source: str, tmp_path: Path) -> None:
    command = (
        "build",
        source,
        "-r",
        "as_is",
        "-r",
        "full_int8",
        "--calibration",
        "calibration.npz",
        "--json",
    )
    first = edge(*command)
    assert first.returncode == 0, first.stderr
    (tmp_path / "block").mkdir()
    (tmp_path / "block/sitecustomize.py").write_text(BLOCK)
    second = edge(*command, PYTHONPATH=str(tmp_path / "block"))
    assert second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    changed = edge(*command, "--fresh", PYTHONPATH=str(tmp_path / "block"))
    assert changed.returncode != 0  # the block does block


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("raise ModuleNotFoundError(name, name='litert_quantizer')", 8, "pip install"),
        ("__import__('os').abort()", 4, "SIGABRT"),
    ],
)
def test_a_quantizer_that_is_missing_and_one_that_crashes(
    line: str, code: int, word: str, source: str, tmp_path: Path
) -> None:
    (tmp_path / "fault").mkdir()
    fault = f"""
import sys
class Fault:
    def find_spec(self, name, path=None, target=None):
        if name == "litert_quantizer":
            {line}
sys.meta_path.insert(0, Fault())
"""
    (tmp_path / "fault/sitecustomize.py").write_text(fault)
    command = ("build", source, "-r", "as_is", "-r", "float16")
    done = edge(*command, PYTHONPATH=str(tmp_path / "fault"))
    assert done.returncode == code, done.stderr
    assert word in done.stdout + done.stderr
    if code == 4:
        # What could be made is there; the failure is a value with its stage.
        document = json.loads(edge(*command, "--json", PYTHONPATH=str(tmp_path / "fault")).stdout)
        assert document["picked"] == "as_is"
        failure = document["failures"][0]
        assert (failure["recipe"], failure["format"]) == ("float16", "tflite")
        assert failure["stage"]
        assert sorted(failure) == ["cause", "format", "hint", "recipe", "stage"]


def test_two_builds_at_once_share_the_cache(source: str) -> None:
    command = [
        sys.executable, "-m", "edge_sdk.cli.main", "build", source, "-r", "as_is", "-r", "dynamic_int8",
        "--json",
    ]  # fmt: skip
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    documents = []
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        documents.append(json.loads(out))
    assert [item["sha256"] for item in documents[0]["variants"]] == [
        item["sha256"] for item in documents[1]["variants"]
    ]
    assert edge("verify", "build/conv_float.edge").returncode == 0


def test_edge_toml_is_read_and_options_win(source: str, tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(
        f"[model]\npath = {json.dumps(source)}\nname = 'mine'\n[build]\nrecipes = ['as_is', 'float16']\n"
    )
    document = json.loads(edge("build", "--json").stdout)
    assert document["bundle"] == "build/mine.edge"
    assert [item["id"] for item in document["variants"]] == ["as_is", "float16"]
    document = json.loads(
        edge("build", "--json", "-r", "as_is", "--name", "other", "--out", "else where").stdout
    )
    assert document["bundle"] == "else where/other.edge"
    assert [item["id"] for item in document["variants"]] == ["as_is"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ((), 2, "no model is named"),
        (("missing.tflite",), 3, "does not exist"),
        (("calibration.npz",), 3, "not a model"),
        (("SOURCE", "-t", "rasperry-pi-5"), 2, "raspberry-pi-5"),
        (("SOURCE", "-r", "full_int"), 2, "full_int8"),
        (("SOURCE", "-r", "full_int8"), 2, "--calibration"),
        (("SOURCE", "--calibration", "none.npz"), 2, "none.npz"),
        (("SOURCE", "--config", "none.toml"), 2, "none.toml"),
        (("SOURCE", "--name", "../up"), 2, "cannot name a bundle"),
    ],
)
def test_bad_input_is_one_clear_message(
    arguments: tuple[str, ...], code: int, word: str, source: str
) -> None:
    done = edge("build", *(source if item == "SOURCE" else item for item in arguments))
    assert done.returncode == code, done.stderr
    assert word in done.stderr.replace("\n", " ")
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("build").exists()


def workers_of(folder: Path) -> list[int]:
    """Return the processes, of whatever session, that were started in this test's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if (entry / "cwd").readlink() == folder and b"zombie" not in (entry / "status").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.mark.parametrize(
    "moment",
    [
        "start",
        "calibrate",
        "validate",
        "measure",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("samples", "quantize", "compare")),
    ],
)
def test_ctrl_c_at_any_moment_leaves_nothing_half_done(moment: str, source: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "edge_sdk.cli.main", "build", source, "-r", "float16", "-r", "full_int8",
        "--calibration", "calibration.npz", "--evaluation", "evaluation.npz",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(moment):
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(tmp_path.glob("build/**/*.edge"))
    assert not list((tmp_path / ".edge/cache/unfinished").glob("*/*"))
    for _ in range(50):
        if not workers_of(tmp_path):
            break
        time.sleep(0.1)
    assert workers_of(tmp_path) == []
    if moment == "validate":
        # What was finished before is whole: the build goes on from there.
        done = edge(*command[3:])
        assert done.returncode == 0, done.stderr
        assert "is damaged" not in done.stderr
        assert edge("verify", "build/conv_float.edge").returncode == 0


@pytest.mark.board
def test_a_full_disk_is_named_and_nothing_is_left(source: str, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(small)], check=True)
    try:
        done = edge("build", source, "-r", "as_is", "--out", "small/out")
        assert done.returncode == 2, done.stderr
        assert "not enough room" in done.stderr
        assert "--out" in done.stderr
        assert [path for path in small.rglob("*") if path.is_file()] == []
        document = json.loads(edge("build", source, "-r", "as_is", "--out", "small/out", "--json").stdout)
        assert document["error"] == "ConfigError"
        # The cache itself on the full disk.
        (tmp_path / ".edge").rename(tmp_path / ".edge-before")
        (tmp_path / ".edge").symlink_to(small)
        done = edge("build", source, "-r", "as_is", "-r", "full_int8", "--calibration", "calibration.npz")
        assert done.returncode == 2, done.stderr
        assert "room" in done.stderr or "full" in done.stderr
        assert list(small.glob("cache/unfinished/*")) == []
        assert not (tmp_path / "build").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)
